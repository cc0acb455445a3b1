#!/usr/bin/env python3
"""What the isolation of a gear costs a web server: requests a second beside the same server outside of a gear.

The php cartridge's Apache serves a page and the static cartridge's a file, through HAProxy with the shipped
configuration: in a gear and as a plain process of the host with the same configuration, environment and user; with
--layers also in gears with one layer switched off. The plain process is there twice: what the second has beside the first is the
error of the measurement.

Everything has one processor, the visitors too, and their own time is taken off: a request's cost is all of what that processor does for it,
the network's part included, and not who was put where by the scheduler. Rounds are many and each server's turn in one is short, in
an order by chance and behind a moment that does not count, so that what else happens on the machine meets all alike; figures are medians of the
ratios of each round, with their quartiles. Needs root, haproxy, apache2 and libapache2-mod-php; builds gear_overhead.

usage: overhead.py [--layers] [ROUNDS] [SECONDS]
"""

import json
import os
import pathlib
import random
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PORT = 8000
PROCESSOR = max(os.sched_getaffinity(0))
WARM = 0.02  # seconds
PAGES = {"static": ("static file", "page.txt"), "php": ("PHP page", "page.php")}


def line(name, value, note=""):
    print(f"{name:<66} {value:>18}   {note}", flush=True)


def start_outside(facts, cartridge, name, number):
    """The first gear's home once more, its server started by the cartridge as a process of the host; both have another number."""
    gear = facts["gears"][0]
    variable = f"OPENSHIFT_{cartridge.upper()}"
    home = pathlib.Path(gear["home"][:-1] + str(number))
    address = f"127.250.0.{number}"
    subprocess.run(["cp", "-a", gear["home"], home], check=True)
    environment = [entry.replace(gear["home"], str(home)) for entry in facts["environment"] if "=" in entry]
    values = dict(entry.split("=", 1) for entry in environment)
    environment = [entry.replace(values[f"{variable}_IP"], address) for entry in environment]
    (home / cartridge / "run/httpd.pid").unlink(missing_ok=True)
    subprocess.run(["setpriv", f"--reuid={gear['uid']}", f"--regid={gear['uid']}", "--clear-groups", "env", "-i",
                    *environment, str(home / cartridge / "bin/control"), "start"], check=True, stdout=subprocess.DEVNULL,
                   cwd=home / cartridge)
    return {"name": name, "home": str(home), "address": f"{address}:{values[variable + '_PORT']}",
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
    process = subprocess.Popen(["taskset", "--cpu-list", str(PROCESSOR), "haproxy", "-W", "-f", directory / "haproxy.cfg"], stdout=subprocess.DEVNULL,
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


class Visitors:
    """Eight connections to the router, each of which asks for a page again as soon as it has it. Not wrk: it takes a second at least,
    in which other machines' work changes what this one can do."""

    def __init__(self, number, page):
        self.request = f"GET /{page} HTTP/1.1\r\nHost: {host_of(number)}\r\n\r\n".encode()
        self.epoll = select.epoll()
        self.connections = {}
        self.received = {}
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", PORT), timeout=20)
            self.connections[connection.fileno()] = connection
            self.received[connection.fileno()] = b""
            self.epoll.register(connection, select.EPOLLIN)

    def load(self, seconds):
        """Answers in each second of what is not the visitors' own time, until all that was asked for in that time has come."""
        began, own = time.monotonic(), time.process_time()
        answers, waiting = 0, len(self.connections)
        for connection in self.connections.values():
            connection.sendall(self.request)
        while waiting:
            ready = self.epoll.poll(20)
            if not ready:
                raise SystemExit("no answer within 20 s")
            for number, _ in ready:
                connection = self.connections[number]
                self.received[number] += receive(connection)
                if is_whole(self.received[number]):
                    self.received[number] = b""
                    answers += 1
                    if time.monotonic() < began + seconds:
                        connection.sendall(self.request)
                    else:
                        waiting -= 1
        return answers / (time.monotonic() - began - (time.process_time() - own))


def receive(connection):
    data = connection.recv(1 << 17)
    if not data:
        raise SystemExit("the router has ended a connection")
    return data


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(head.decode(errors="replace"))
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return len(body) == int(length[1]) if length else body.endswith(b"\r\n0\r\n\r\n")


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
        subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", str(PROCESSOR), pid], check=True,
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
    os.sched_setaffinity(0, {PROCESSOR})
    visitors = [Visitors(number, page) for number in range(len(servers))]
    rows = []
    for _ in range(rounds):
        row = {}
        for number in random.sample(range(len(servers)), len(servers)):
            visitors[number].load(WARM)
            row[number] = visitors[number].load(seconds)
        rows.append(row)
    outside = [row[len(servers) - 1] for row in rows]
    line(f"{kind}, requests a second: outside", f"{statistics.median(outside):.0f}", spread(outside, 0))
    for number, server in enumerate(servers[:-1]):
        ratios = [row[number] / row[len(servers) - 1] for row in rows]
        line(f"{kind}, requests a second: {server['name']} / outside", f"{statistics.median(ratios):.3f}",
             f"{spread(ratios, 3)}   {'goal: at least 0.97' if number == 0 else ''}")


def spread(values, digits):
    """The middle half of them."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def inside_private_host(cartridge, rounds, seconds, layers):
    facts = json.loads(os.environ["GEARBOX_BENCH"])
    plain = [start_outside(facts, cartridge, "outside, the second", 9), start_outside(facts, cartridge, "outside", 8)]
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-bench-"))
    router = None
    services = [Service(f"gearbox-bench-{name}") for name in ("router", "second", "outside")]
    try:
        servers = (facts["gears"] if layers else facts["gears"][:1]) + plain
        router = start_router(directory, servers)
        give_processor(servers, cartridge)
        services[0].take(b"haproxy.cfg")
        for service, server in zip(services[1:], plain):
            service.take(f"{server['home']}/".encode())
        measure(servers, cartridge, rounds, seconds)
    finally:
        if router:
            router.terminate()
            router.wait(timeout=20)
        for server in plain:
            os.kill(server["pid"], 15)
        for service in services:
            service.end()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    if "GEARBOX_BENCH" in os.environ:
        cartridge, rounds, seconds, layers = sys.argv[1:]
        inside_private_host(cartridge, int(rounds), float(seconds), layers == "True")
        return
    layers = "--layers" in sys.argv
    numbers = [word for word in sys.argv[1:] if word != "--layers"]
    rounds, seconds = (numbers + ["600", "0.06"][len(numbers):])[:2]
    subprocess.run(["ninja", "-C", str(TOP / "build/host"), "gear_overhead"], check=True, stdout=subprocess.DEVNULL)
    for cartridge in PAGES:
        subprocess.run([TOP / "build/host/tests/functional/gear_overhead", cartridge, sys.executable, "-B", __file__,
                        cartridge, rounds, seconds, str(layers)], check=True)


if __name__ == "__main__":
    main()
