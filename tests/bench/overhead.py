#!/usr/bin/env python3
"""What the isolation of a gear costs a web server: requests a second beside the same server outside of a gear.

The php cartridge's Apache serves a page and the static cartridge's a file, through HAProxy with the shipped
configuration: in a gear and as a plain process of the host with the same configuration, environment and user; with
--layers also in gears with one layer switched off. Apache and HAProxy have one processor and the requests come from another: a request's cost is all
of what that processor does for it, the network's part included, and not who was put where by the scheduler. Rounds are
many and short, and every second one goes the other way round, so that what else happens on the machine meets all alike;
figures are medians of the ratios of each round, with their quartiles. Needs root, two processors, wrk, haproxy, apache2
and libapache2-mod-php; builds gear_overhead.

usage: overhead.py [--layers] [ROUNDS] [SECONDS]
"""

import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PORT = 8000
LOAD_PROCESSOR, SERVERS_PROCESSOR = sorted(os.sched_getaffinity(0))[:2]
PAGES = {"static": ("static file", "page.txt"), "php": ("PHP page", "page.php")}


def line(name, value, note=""):
    print(f"{name:<66} {value:>18}   {note}", flush=True)


def start_outside(facts, cartridge):
    """The first gear's home once more, its server started by the cartridge as a process of the host."""
    gear = facts["gears"][0]
    home = pathlib.Path(str(gear["home"])[:-1] + "f")
    subprocess.run(["cp", "-a", gear["home"], home], check=True)
    environment = [entry.replace(gear["home"], str(home)) for entry in facts["environment"] if "=" in entry]
    values = dict(entry.split("=", 1) for entry in environment)
    (home / cartridge / "run/httpd.pid").unlink(missing_ok=True)
    subprocess.run(["setpriv", f"--reuid={gear['uid']}", f"--regid={gear['uid']}", "--clear-groups", "env", "-i",
                    *environment, str(home / cartridge / "bin/control"), "start"], check=True, stdout=subprocess.DEVNULL,
                   cwd=home / cartridge)
    name = f"OPENSHIFT_{cartridge.upper()}"
    return {"name": "outside", "home": str(home), "address": f"{values[name + '_IP']}:{values[name + '_PORT']}",
            "pid": int((home / cartridge / "run/httpd.pid").read_text())}


def start_router(directory, servers):
    """HAProxy with the shipped configuration, its paths and ports moved."""
    routes = directory / "routes.map"
    routes.write_text("".join(f"{host_of(i)} {server['address']}\n" for i, server in enumerate(servers)))
    (directory / "certificates.list").touch()
    text = (TOP / "runtime/router/haproxy.cfg").read_text()
    text = re.sub(r"    bind :::443.*\n", "", text)
    for old, new in (("/run/gearbox/router-admin.sock", f"{directory}/admin.sock"),
                     ("/var/lib/gearbox/router/routes.map", str(routes)),
                     ("/usr/share/gearbox/router/", f"{TOP}/runtime/router/"), (":::80 ", f":::{PORT} "),
                     ("    user haproxy\n    group haproxy\n", "")):
        text = text.replace(old, new)
    (directory / "haproxy.cfg").write_text(text)
    process = subprocess.Popen(["taskset", "--cpu-list", str(SERVERS_PROCESSOR), "haproxy", "-W", "-f", directory / "haproxy.cfg"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return process
        time.sleep(0.05)
    raise SystemExit("haproxy does not answer")


def host_of(number):
    return f"server{number}.example"


def load(number, page, seconds):
    """Requests a second."""
    out = subprocess.run(["taskset", "--cpu-list", str(LOAD_PROCESSOR), "wrk", "-t1", "-c8", f"-d{seconds}s", "-H", f"Host: {host_of(number)}",
                          f"http://127.0.0.1:{PORT}/{page}"], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{host_of(number)}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def processes_with(mark):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "cmdline").read_bytes():
                yield process.name
        except OSError:
            continue  # it has ended meanwhile


def give_processor(servers, cartridge):
    """All of the servers and of the router; what they start later, too."""
    marks = [b"haproxy.cfg"] + [f"{server['home']}/{cartridge}/conf/httpd.conf".encode() for server in servers]
    for pid in [pid for mark in marks for pid in processes_with(mark)]:
        subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", str(SERVERS_PROCESSOR), pid], check=True,
                       stdout=subprocess.DEVNULL)


class Service:
    """A control group for processes outside of gears, as systemd gives one to each service: within one group the scheduler
    divides a processor between threads, else between groups, so that a server beside the router would be another."""

    def __init__(self, name):
        top = next(pathlib.Path(fields[1]) for fields in map(str.split, open("/proc/mounts", encoding="ascii"))
                   if fields[2] == "cgroup" and "cpu" in fields[3].split(",") or fields[2] == "cgroup2"
                   and "cpu" in pathlib.Path(fields[1], "cgroup.controllers").read_text().split())
        switch = top / "cgroup.subtree_control"
        if switch.exists():
            switch.write_text("+cpu")
        self.group = top / name
        self.group.mkdir()

    def take(self, mark):
        for pid in processes_with(mark):
            (self.group / "cgroup.procs").write_text(pid)

    def end(self):
        deadline = time.monotonic() + 20
        while (self.group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.group.rmdir()


def measure(servers, cartridge, rounds, seconds):
    kind, page = PAGES[cartridge]
    forth = list(range(len(servers)))
    rows = []
    for turn in range(rounds + 1):
        order = forth if turn % 2 else forth[::-1]
        rates = {number: load(number, page, seconds) for number in order}
        rows.append([rates[number] for number in forth])
    del rows[0]  # it made them warm
    outside = [row[-1] for row in rows]
    line(f"{kind}, requests a second: outside", f"{statistics.median(outside):.0f}", spread(outside, 0))
    for number, server in enumerate(servers[:-1]):
        ratios = [row[number] / row[-1] for row in rows]
        line(f"{kind}, requests a second: {server['name']} / outside", f"{statistics.median(ratios):.3f}",
             f"{spread(ratios, 3)}   {'goal: at least 0.97' if number == 0 else ''}")


def spread(values, digits):
    """The middle half of them."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def inside_private_host(cartridge, rounds, seconds, layers):
    facts = json.loads(os.environ["GEARBOX_BENCH"])
    outside = start_outside(facts, cartridge)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-bench-"))
    router = None
    services = [Service("gearbox-bench-router"), Service("gearbox-bench-outside")]
    try:
        servers = (facts["gears"] if layers else facts["gears"][:1]) + [outside]
        router = start_router(directory, servers)
        give_processor(servers, cartridge)
        services[0].take(b"haproxy.cfg")
        services[1].take(f"{outside['home']}/".encode())
        measure(servers, cartridge, rounds, seconds)
    finally:
        if router:
            router.terminate()
            router.wait(timeout=20)
        os.kill(outside["pid"], 15)
        for service in services:
            service.end()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    if "GEARBOX_BENCH" in os.environ:
        cartridge, rounds, seconds, layers = sys.argv[1:]
        inside_private_host(cartridge, int(rounds), int(seconds), layers == "True")
        return
    layers = "--layers" in sys.argv
    numbers = [int(word) for word in sys.argv[1:] if word != "--layers"]
    rounds, seconds = (numbers + [40, 1][len(numbers):])[:2]
    subprocess.run(["ninja", "-C", str(TOP / "build/host"), "gear_overhead"], check=True, stdout=subprocess.DEVNULL)
    for cartridge in PAGES:
        subprocess.run([TOP / "build/host/tests/functional/gear_overhead", cartridge, sys.executable, "-B", __file__,
                        cartridge, str(rounds), str(seconds), str(layers)], check=True)


if __name__ == "__main__":
    main()
