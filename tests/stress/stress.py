#!/usr/bin/env python3
"""Many clients at once against the real daemon, router and sshd, and then: do store, node and router agree?

Every client has an application of its own, works on it, and again and again starts a race: several requests of one
kind in the same moment, of which exactly one may win while the others get the contract's error. Any answer that is
not expected, any 5xx and any request without answer fails the run.

usage: stress.py [--clients N] [--seconds S] [--seed N] [--workdir DIR]   (in namespaces of its own: make stress)
"""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback

import host
from host import control

PATIENCE = 180  # seconds for one answer
RACERS = 4
USERS = 8


class Unexpected(Exception):
    pass


class Report:
    def __init__(self):
        self.lock = threading.Lock()
        self.times = collections.defaultdict(list)
        self.problems = []

    def add(self, name, seconds):
        with self.lock:
            self.times[name].append(seconds)

    def problem(self, text):
        with self.lock:
            self.problems.append(text)
            print(f"PROBLEM {text}", flush=True)

    def print(self):
        print(f"{'operation':<28} {'count':>7} {'p50 ms':>8} {'p99 ms':>8}")
        for name, times in sorted(self.times.items()):
            ordered = sorted(times)
            print(f"{name:<28} {len(ordered):>7} {1000 * ordered[len(ordered) // 2]:>8.0f}"
                  f" {1000 * ordered[int(len(ordered) * 0.99)]:>8.0f}")


REPORT = Report()


class Account:
    """A login of the broker; every request is a connection of its own, as from another machine."""

    def __init__(self, login, *limits):
        self.login = login
        password = f"secret of {login}"
        control("user", "create", login, "--password-stdin", input=password + "\n")
        if limits:
            control("user", "set", login, *limits)
        self.authorization = "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()
        _, reply = self.ask("POST", "user/authorizations", {"scope": "session"})
        self.authorization = "Bearer " + reply["data"]["token"]

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=PATIENCE)
        try:
            connection.request(method, f"/broker/rest/{path}", None if body is None else json.dumps(body),
                               {"Host": "gearbox.localhost", "Authorization": self.authorization,
                                "Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def outcome(status, reply):
    """"201", or "422/103": the status, and of errors the contract's exit code."""
    codes = [message["exit_code"] for message in reply["messages"] if message["severity"] == "error"]
    return f"{status}/{codes[0]}" if codes else str(status)


class Client(threading.Thread):
    def __init__(self, number, accounts, seed, until, workdir):
        super().__init__(name=f"client-{number}")
        self.number = number
        self.accounts = accounts
        self.account = accounts[number % len(accounts)]
        self.random = random.Random(f"{seed}/{number}")
        self.until = until
        self.workdir = workdir / f"client-{number}"
        self.domain = f"d{number}"
        self.serial = 0

    # -- single requests

    def ask(self, name, method, path, body=None, allowed=("200",), account=None):
        began = time.monotonic()
        try:
            status, reply = (account or self.account).ask(method, path, body)
        except OSError as error:
            raise Unexpected(f"{name}: {method} {path}: no answer after {time.monotonic() - began:.0f} s: {error!r}") from error
        REPORT.add(name, time.monotonic() - began)
        got = outcome(status, reply)
        if got not in allowed:
            texts = "; ".join(message["text"] for message in reply["messages"])
            raise Unexpected(f"{name}: {method} {path}: {got}, not {' or '.join(allowed)}: {texts}")
        return got, reply["data"]

    def new_name(self, word):
        self.serial += 1
        return f"{word}{self.number}x{self.serial}"

    def create(self, name, allowed=("201",), account=None, domain=None):
        return self.ask("create application", "POST", f"domain/{domain or self.domain}/applications",
                        {"name": name, "cartridges": ["mock"]}, allowed, account)

    # -- races

    def race(self, name, asks, winners, losers):
        """Runs the functions in the same moment; their outcomes must be one of winners and else losers."""
        barrier = threading.Barrier(len(asks))
        outcomes, failures = [], []

        def run(ask):
            try:
                barrier.wait(PATIENCE)
                outcomes.append(ask())
            except Unexpected as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        REPORT.add(f"race: {name}", 0)
        if failures:
            raise failures[0]
        won = [one for one in outcomes if one in winners]
        if len(won) != 1 or any(one not in losers for one in outcomes if one not in winners):
            raise Unexpected(f"race for {name}: {sorted(outcomes)}")

    def race_for_a_domain(self):
        name = self.new_name("r")
        self.race("a domain's name",
                  [lambda account=account: self.ask("create domain", "POST", "domains", {"name": name},
                                                    ("201", "422/103"), account)[0]
                   for account in self.random.sample(self.accounts, RACERS)], ("201",), ("422/103",))
        gone = [self.ask("delete domain", "DELETE", f"domain/{name}", {}, ("200", "404/127"), account)[0]
                for account in self.accounts]
        if gone.count("200") != 1:
            raise Unexpected(f"domain {name} was deleted {gone.count('200')} times")

    def race_for_a_key(self):
        name = self.new_name("key")
        contents = [base64.b64encode(os.urandom(32)).decode().rstrip("=") for _ in range(RACERS)]
        self.race("a key's name",
                  [lambda content=content: self.ask("add key", "POST", "user/keys",
                                                    {"name": name, "type": "ssh-rsa", "content": content},
                                                    ("201", "409/120"))[0] for content in contents],
                  ("201",), ("409/120",))
        self.race("removing a key",
                  [lambda: self.ask("remove key", "DELETE", f"user/keys/{name}", {}, ("200", "404/118"))[0]] * RACERS,
                  ("200",), ("404/118",))

    def race_for_an_application(self):
        name = self.new_name("a")
        self.race("an application's name",
                  [lambda: self.create(name, ("201", "422/100"))[0]] * RACERS, ("201",), ("422/100",))
        self.race("deleting an application",
                  [lambda: self.ask("delete application", "DELETE", f"domain/{self.domain}/application/{name}", {},
                                    ("200", "404/101"))[0]] * RACERS, ("200",), ("404/101",))

    def race_for_the_last_gear(self):
        poor = Account(self.new_name("poor"), "--max-gears", "1")
        domain = self.new_name("p")
        self.race("the last gear",
                  [lambda name=name: self.create(name, ("201", "422/104"), poor, domain)[0]
                   for name in ("one", "two", "three", "four")], ("201",), ("422/104",))
        self.ask("delete domain", "DELETE", f"domain/{domain}", {"force": True}, account=poor)
        control("user", "delete", poor.login)

    def race_for_an_alias(self):
        other = self.new_name("b")
        data = self.create(other)[1]
        alias = f"{self.new_name('www')}.example.org"
        paths = [f"application/{self.application}/aliases", f"application/{data['id']}/aliases"] * (RACERS // 2)
        self.race("an alias", [lambda path=path: self.ask("add alias", "POST", path, {"id": alias},
                                                          ("201", "422/140"))[0] for path in paths],
                  ("201",), ("422/140",))
        self.ask("delete application", "DELETE", f"application/{data['id']}", {})
        self.ask("remove alias", "DELETE", f"application/{self.application}/alias/{alias}", {}, ("200", "404/173"))

    def race_of_a_deletion_against_a_push(self):
        name = self.new_name("g")
        data = self.create(name)[1]
        push = self.clone(data, name)
        pushed = []
        pusher = threading.Thread(target=lambda: pushed.append(push()))
        pusher.start()
        time.sleep(self.random.random())
        self.ask("delete application", "DELETE", f"application/{data['id']}", {})
        pusher.join(PATIENCE)
        REPORT.add("race: a deletion, a push", 0)
        if pusher.is_alive():
            raise Unexpected(f"the push to {name} hangs after its deletion")
        self.ask("show application", "GET", f"application/{data['id']}", None, ("404/101",))
        if (host.GEARS / data["id"]).exists():
            raise Unexpected(f"the gear of {name} is there after its deletion")
        shutil.rmtree(self.workdir, ignore_errors=True)

    def race_of_a_domain_against_its_applications(self):
        domain, name = self.new_name("e"), self.new_name("c")
        self.ask("create domain", "POST", "domains", {"name": domain}, ("201",))
        gone = threading.Thread(target=lambda: self.try_to_delete(domain))
        gone.start()
        self.create(name, ("201", "404/127", "404/101"), None, domain)
        gone.join()
        REPORT.add("race: a domain, an application", 0)
        self.try_to_delete(domain)

    def try_to_delete(self, domain):
        try:
            self.ask("delete domain", "DELETE", f"domain/{domain}", {"force": True}, ("200", "404/127"))
        except Unexpected as error:
            REPORT.problem(str(error))

    # -- everyday work

    def clone(self, application, name):
        """A clone with a commit that is not pushed; the function pushes it."""
        shutil.rmtree(self.workdir, ignore_errors=True)
        self.workdir.mkdir(parents=True)
        ssh = f"ssh -q -i {self.workdir.parent}/user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        environment = {**os.environ, "GIT_SSH_COMMAND": ssh, "HOME": str(self.workdir), "GIT_AUTHOR_NAME": "a",
                       "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}

        def git(*words, where=self.workdir / name):
            return subprocess.run(["git", *words], cwd=where, env=environment, text=True, capture_output=True,
                                  timeout=PATIENCE)

        done = git("clone", "-q", f"ssh://{application['id']}@127.0.0.1/~/git/{name}.git/", name, where=self.workdir)
        if done.returncode != 0:
            raise Unexpected(f"clone of {name}: {done.stderr}")
        (self.workdir / name / "index.txt").write_text(f"{self.number} {self.serial}")
        git("add", "-A")
        git("commit", "-qm", "change")

        def push():
            began = time.monotonic()
            done = git("push", "-q", "origin", "HEAD")
            REPORT.add("push", time.monotonic() - began)
            return done

        return push

    def push(self):
        done = self.clone({"id": self.application}, self.own)()
        if done.returncode != 0:
            raise Unexpected(f"push to {self.own}: {done.stderr}")
        shutil.rmtree(self.workdir)

    def set_variables(self):
        entries = [{"name": f"V{self.random.randrange(5)}", "value": str(self.serial)}]
        self.ask("set variable", "PATCH", f"application/{self.application}/environment-variables",
                 {"environment_variables": entries}, ("201",))

    def run_event(self):
        event = self.random.choice(["restart", "stop", "start", "reload", "tidy", "force-stop"])
        self.ask(f"event {event}", "POST", f"application/{self.application}/events", {"event": event})

    def read(self):
        for path in ("domains", "applications?include=cartridges", f"application/{self.application}",
                     f"application/{self.application}/gear_groups", "user", "cartridges"):
            self.ask("read", "GET", path)

    def change_members(self):
        other = self.random.choice([account for account in self.accounts if account is not self.account])
        role = self.random.choice(["view", "edit", "admin"])
        entry = {"login": other.login, "role": role, "type": "user"}
        self.ask("change member", "PATCH", f"domain/{self.domain}/members", {"members": [entry]})
        self.ask("read", "GET", f"application/{self.application}", account=other)
        self.ask("leave", "DELETE", f"domain/{self.domain}/members/self", {}, account=other)
        self.ask("read", "GET", f"application/{self.application}", None, ("404/101",), other)

    def use_tokens(self):
        data = self.ask("make token", "POST", "user/authorizations", {"scope": "read", "note": self.new_name("t")}, ("201",))[1]
        self.ask("revoke token", "DELETE", f"user/authorization/{data['id']}", {})

    WORK = [(race_for_a_domain, 4), (race_for_a_key, 3), (race_for_an_application, 4), (race_for_the_last_gear, 1),
            (race_for_an_alias, 2), (race_of_a_deletion_against_a_push, 2),
            (race_of_a_domain_against_its_applications, 2), (push, 2), (set_variables, 6), (run_event, 6), (read, 10),
            (change_members, 3), (use_tokens, 3)]

    def run(self):
        self.own = self.new_name("own")
        works, weights = zip(*self.WORK)
        try:
            self.application = self.create(self.own)[1]["id"]
            while time.monotonic() < self.until:
                self.random.choices(works, weights)[0](self)
        except Unexpected as error:
            REPORT.problem(str(error))
        except Exception:  # a mistake of ours is a failure of the run as well
            REPORT.problem(f"client {self.number}: {traceback.format_exc()}")


def check_consistency(accounts):
    """Store, node and router tell the same story; then everything is deleted and nothing is left."""
    for problem in control("check").get("problems", ["no answer"]):
        REPORT.problem(f"admin check: {problem}")
    known = {application["id"]: application for account in accounts for application in account.ask("GET", "applications")[1]["data"]}
    for kind, found in host.gears().items():
        if found != set(known):
            REPORT.problem(f"{kind} differ from the applications: {found ^ set(known)}")
    hosts = {f"{a['name']}-{a['domain_id']}.{suffix}/" for a in known.values() for suffix in ("gearbox.localhost", "localhost")}
    hosts |= {alias["id"] + "/" for a in known.values() for alias in a["aliases"]}
    if set(host.routes()) != hosts:
        REPORT.problem(f"routes differ from the applications: {set(host.routes()) ^ hosts}")
    for account in accounts:
        for domain in account.ask("GET", "domains?owner=@self")[1]["data"]:
            status, reply = account.ask("DELETE", f"domain/{domain['name']}", {"force": True})
            if status != 200:
                REPORT.problem(f"deleting domain {domain['name']} at the end: {outcome(status, reply)}")
    for left in host.remains():
        REPORT.problem(f"left behind: {left}")
    return len(known)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", default=str(random.randrange(10**6)))
    parser.add_argument("--workdir", default="build/stress")
    arguments = parser.parse_args()
    workdir = pathlib.Path(arguments.workdir).resolve()
    shutil.rmtree(workdir, ignore_errors=True)
    workdir.mkdir(parents=True)
    host.prepare()
    machine = host.Host(workdir)
    try:
        stress(machine, workdir, arguments)
    finally:
        machine.stop()
    print("nothing is wrong" if not REPORT.problems else f"{len(REPORT.problems)} problems")
    return 1 if REPORT.problems else 0


def stress(machine, workdir, arguments):
    print(f"{arguments.clients} clients for {arguments.seconds} s, seed {arguments.seed}", flush=True)
    accounts = [Account(f"user{number}") for number in range(USERS)]
    kind, content = (workdir / "user.pub").read_text().split()[:2]
    for account in accounts:
        account.ask("POST", "user/keys", {"name": "stress", "type": kind, "content": content})
    until = time.monotonic() + arguments.seconds
    clients = [Client(number, accounts, arguments.seed, until, workdir) for number in range(arguments.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    idle = machine.memory_mb()
    found = check_consistency(accounts)
    REPORT.print()
    print(f"{found} applications at the end; gearboxd: {idle:.1f} MB, {machine.memory_mb():.1f} MB with none")


if __name__ == "__main__":
    sys.exit(main())
