#!/usr/bin/env python3
"""Replies of the broker beside the same bytes served as a static file by nginx, in one run.

A store of 1,000 applications of 100 users; one of them has 50 in one domain. Prints latencies, requests a second,
ratios, memory and the time until the first answer. Needs root, nginx and wrk (apt-get install nginx-light wrk).
"""

import hashlib
import http.client
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
DAEMON = TOP / "build/host/runtime/gearboxd"
USERS, APPLICATIONS, BIG = 100, 1000, 50
BROKER, STATIC = 4080, 4081
SECONDS = 5


def line(name, value, goal=""):
    print(f"{name:<58} {value:>16}   {goal}", flush=True)


def object_id(kind, number):
    return f"{kind:02x}{number:022x}"


def token_hash(token):
    return hashlib.blake2b(f"{len(token)}:{token}".encode(), digest_size=32).hexdigest()


def write_config(directory):
    config = directory / "gearboxd.toml"
    config.write_text(f"""
[paths]
state_dir = "{directory}/state"
runtime_dir = "{directory}/run"
[node]
gear_base = "{directory}/gears"
cartridge_dir = "{TOP}/cartridges"
cgroup_parent = "gearbox-bench"
[router]
map_file = "{directory}/state/router/routes.map"
admin_socket = "{directory}/run/router.sock"
[security]
policy = "none"
""")
    return config


def start(config, log):
    began = time.monotonic()
    process = subprocess.Popen([DAEMON, "--config", config], stdout=log, stderr=log)
    while True:
        try:
            fetch("/broker/rest/api")
            return process, time.monotonic() - began
        except OSError:
            if process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit(f"gearboxd did not start, see {log.name}")
            time.sleep(0.005)


def fetch(path, token=None, port=BROKER):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, body


def fill(database, token):
    """1,000 applications; user 0 owns 50 of them in domain d0. Only what reading needs."""
    now = int(time.time())
    store = sqlite3.connect(database)
    deployment = '{"auto_deploy":true,"branch":"master","keep":1,"type":"git"}'
    owners = [0] * BIG + [1 + i % (USERS - 1) for i in range(APPLICATIONS - BIG)]
    for user in range(USERS):
        store.execute("INSERT INTO users (id, login, password_hash, max_domains, max_gears, created) VALUES (?,?,?,?,?,?)",
                      (object_id(1, user), f"user{user}", "none", 10, 100, now))
        store.execute("INSERT INTO domains VALUES (?,?,?,?,?)",
                      (object_id(2, user), f"d{user}", object_id(1, user), "small", now))
    for number, owner in enumerate(owners):
        application = object_id(3, number)
        store.execute("INSERT INTO applications (id, domain_id, name, uid, stage, initial_git_url, secret_token, deployment,"
                          " variables, created, additional_storage) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                      (application, object_id(2, owner), f"app{number}", 100000 + number, "ready", "", "secret",
                       deployment, '[["LEVEL","debug"]]', now, 0))
        for place, name in enumerate(("php-8.2", "mysql-5.5")):
            store.execute("INSERT INTO application_cartridges VALUES (?,?,?,?,?)",
                          (application, name, place, '[["username","admin"],["connection_url","mysql://127.0.0.1/"]]', now))
    store.execute("INSERT INTO authorizations VALUES (?,?,?,?,?,?,?)",
                  (object_id(4, 0), object_id(1, 0), token_hash(token), "bench", "session", now, now + 86400))
    store.commit()
    store.close()


def start_nginx(directory, pages):
    root = directory / "static"
    root.mkdir()
    for name, body in pages.items():
        (root / name).write_bytes(body)
    config = directory / "nginx.conf"
    config.write_text(f"""worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log;
user root; events {{ worker_connections 256; }}
http {{ access_log off; default_type application/json; sendfile on; keepalive_requests 1000000;
 server {{ listen 127.0.0.1:{STATIC}; root {root}; }} }}
""")
    return subprocess.Popen(["nginx", "-c", config], stderr=subprocess.DEVNULL)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(url, token):
    """p50 and p99 in ms and requests a second, of four connections for some seconds."""
    out = subprocess.run(["wrk", "-t1", "-c4", f"-d{SECONDS}s", "--latency", "-H", f"Authorization: Bearer {token}", url],
                         check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url}: {out}")
    found = {p: milliseconds(re.search(rf"{p}%\s+(\S+)", out)[1]) for p in (50, 99)}
    return found[50], found[99], float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def compare(name, path, page, token):
    ours = load(f"http://127.0.0.1:{BROKER}{path}", token)
    theirs = load(f"http://127.0.0.1:{STATIC}/{page}", token)
    for who, (p50, p99, rate) in (("broker", ours), ("nginx, the same bytes", theirs)):
        line(f"{name}: {who}, p50 / p99", f"{p50:.2f} / {p99:.2f} ms")
        line(f"{name}: {who}, requests a second", f"{rate:.0f}")
    line(f"{name}: p50 against nginx", f"{ours[0] / theirs[0]:.1f}", "goal: at most 3")
    line(f"{name}: p99 against nginx", f"{ours[1] / theirs[1]:.1f}", "goal: at most 5")


def bench(directory):
    token = "b" * 64
    config = write_config(directory)
    processes = []
    with open(directory / "gearboxd.log", "w", encoding="utf-8") as log:
        try:
            daemon, _ = start(config, log)  # makes the schema
            daemon.terminate()
            daemon.wait(timeout=30)
            fill(directory / "state/state.db", token)
            daemon, seconds = start(config, log)
            processes.append(daemon)
            line(f"start with {APPLICATIONS} applications to the first answer", f"{seconds:.2f} s", "goal: at most 1 s")
            paths = {"one": "/broker/rest/domain/d0/application/app0", "fifty": "/broker/rest/domain/d0/applications"}
            pages = {}
            for page, path in paths.items():
                status, pages[page] = fetch(path, token)
                if status != 200:
                    raise SystemExit(f"{path}: {status} {pages[page][:300]}")
                line(f"bytes of the reply, {page}", str(len(pages[page])))
            processes.append(start_nginx(directory, pages))
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    fetch("/one", port=STATIC)
                    break
                except OSError:
                    time.sleep(0.05)
            compare("GET application", paths["one"], "one", token)
            compare(f"GET {BIG} applications", paths["fifty"], "fifty", token)
            status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
            resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
            line("gearboxd resident after that", f"{resident:.1f} MB",
                 "goal: at most 48 MB")
        finally:
            for process in processes:
                process.terminate()
                process.wait(timeout=30)


def main():
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        sys.exit(f"this needs root and {' '.join(missing)} (apt-get install nginx-light wrk)")
    if os.environ.get("GEARBOX_BENCH_INSIDE") != "1":
        # The daemon sets up the host's firewall: in a network of its own.
        os.execvpe("unshare", ["unshare", "--net", "--mount", sys.executable, __file__],
                   {**os.environ, "GEARBOX_BENCH_INSIDE": "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-bench-"))
    try:
        bench(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
