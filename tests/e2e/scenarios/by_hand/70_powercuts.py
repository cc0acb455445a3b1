"""The power goes at any moment, again and again: what an answer has confirmed is there afterwards, and what was under way is there as
a whole or not at all. GEARBOX_CUTS says how often (5), GEARBOX_SEED repeats a run's moments."""

import contextlib
import http.client
import os
import random
import subprocess
import threading
import time

from appliance import User, attach, expect, expect_in, expect_true
from qemu import MachineError

OWN_MACHINES = True
CUTS = int(os.environ.get("GEARBOX_CUTS", "5"))
SEED = os.environ.get("GEARBOX_SEED") or str(random.randrange(1_000_000))
OWNER, PASSWORD = "keeper", "correct horse battery staple"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INDEX = "<?php readfile('note.txt');\n"
state = {}


class Work(threading.Thread):
    """Does its steps until the power goes; what fails before that is a problem."""

    def __init__(self, ledger, appliance, user):
        super().__init__(name=type(ledger).__name__, daemon=True)
        self.ledger, self.appliance, self.user = ledger, appliance, user
        self.cut, self.problem, self.steps = threading.Event(), None, 0

    def run(self):
        try:
            with contextlib.ExitStack() as stack:
                step = self.ledger.begin(self.appliance, self.user, stack)
                while not self.cut.is_set():
                    step()
                    self.steps += 1
        except (OSError, AssertionError, MachineError, http.client.HTTPException, subprocess.SubprocessError) as error:
            if not self.cut.is_set():
                self.problem = f"{self.name}: {error!r}"


class Posts:
    """Of WordPress, in MariaDB."""

    def __init__(self, app):
        self.app, self.confirmed, self.tried = app, set(), 0

    def begin(self, appliance, _user, _stack):
        web = appliance.web(self.app)
        web.get("/wp-login.php")
        expect(web.form("/wp-login.php", log="editor", pwd=PASSWORD, testcookie="1").status, 302, "login")
        nonce = web.get("/wp-admin/admin-ajax.php?action=rest-nonce").text

        def step():
            self.tried += 1
            title = f"post {self.tried}"
            answer = web.request("POST", "/?rest_route=/wp/v2/posts", f"title={title.replace(' ', '+')}&content=text&status=publish",
                                 {**FORM, "X-WP-Nonce": nonce})
            expect(answer.status, 201, answer.text[:500])
            self.confirmed.add(title)
        return step

    def judge(self, appliance, _user):
        web, found, page = appliance.web(self.app), set(), 1
        while True:
            answer = web.get(f"/?rest_route=/wp/v2/posts&per_page=100&page={page}&_fields=title")
            if answer.status == 400 and page > 1:  # that many there are not
                break
            expect(answer.status, 200, answer.text[:500])
            found |= {post["title"]["rendered"] for post in answer.json}
            page += 1
        expect(self.confirmed - found, set(), "posts that are lost")


class Rows:
    """Of PostgreSQL."""

    def __init__(self, app):
        self.app, self.confirmed, self.tried = app, 0, 0

    def begin(self, appliance, user, stack):
        machine = appliance.machine
        session = subprocess.Popen(["ssh", *machine.ssh_options(user.key), f"{self.app['id']}@127.0.0.1", "psql -XAtq"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        stack.callback(session.wait)
        stack.callback(session.kill)

        def step():
            self.tried += 1
            session.stdin.write(f"INSERT INTO note VALUES ({self.tried}) RETURNING number;\n")
            session.stdin.flush()
            expect(session.stdout.readline(), f"{self.tried}\n", "PostgreSQL's answer")
            self.confirmed = self.tried
        return step

    def judge(self, appliance, user):
        rows = appliance.machine.ssh("psql -XAtc 'SELECT number FROM note'", user=self.app["id"], key=user.key).stdout
        expect(set(range(1, self.confirmed + 1)) - {int(row) for row in rows.split()}, set(), "rows that are lost")
        self.confirmed = self.tried  # the last one may be there or not
        appliance.machine.ssh(f"psql -qc 'INSERT INTO note SELECT generate_series(1, {self.tried}) EXCEPT SELECT number FROM note'",
                              user=self.app["id"], key=user.key)


class Pushes:
    """Of a repository, which is served."""

    def __init__(self, app):
        self.app, self.confirmed, self.tried = app, 0, 0

    def begin(self, _appliance, user, _stack):
        tree = user.clone(self.app)

        def step():
            self.tried += 1
            (tree / "index.php").write_text(INDEX)
            (tree / "note.txt").write_text(f"version {self.tried}\n")
            expect_in("success", user.push(tree, f"Version {self.tried}").stderr.lower())
            self.confirmed = self.tried
        return step

    def judge(self, appliance, user):
        versions = {f"version {number}\n" for number in range(self.confirmed, self.tried + 1)} if self.confirmed else None
        tree = user.clone(self.app)
        user.git("fsck", "--full", cwd=tree)
        found = appliance.machine.ssh(f"git -C git/{self.app['name']}.git fsck --full --no-dangling 2>&1 || true", user=self.app["id"],
                                      key=user.key).stdout
        expect(found.strip(), "", "what git finds in the repository")
        served = appliance.web(self.app).get("/")
        expect(served.status, 200, served.text[:500])
        if versions:
            expect_in(served.text, versions, "what is served")
            expect_in((tree / "note.txt").read_text(), versions, "what is in the repository")


class Applications:
    """That come and go."""

    def __init__(self):
        self.confirmed, self.going, self.tried = {}, set(), 0

    def begin(self, appliance, user, _stack):
        def step():
            self.tried += 1
            name = f"app{self.tried}"
            made = user.api("POST", f"/domain/{OWNER}/applications", {"name": name, "cartridges": ["static"]})
            expect(made.status, 201, made.text)
            self.confirmed[name] = made.json["data"]
            expect(appliance.web(self.confirmed[name]).get("/").status, 200, name)
            if len(self.confirmed) > 2:
                first = next(iter(self.confirmed))
                app = self.confirmed.pop(first)
                self.going.add(first)
                expect(user.api("DELETE", f"/application/{app['id']}").status, 200, f"deletion of {first}")
                self.going.discard(first)
        return step

    def judge(self, appliance, user):
        there = {app["name"]: app for app in user.api("GET", "/applications").json["data"] if app["name"].startswith("app")}
        expect(set(self.confirmed) - set(there), set(), "applications that are lost")
        expect(set(there) - set(self.confirmed) - self.going - {f"app{self.tried}"}, set(), "applications that are back")
        for name, app in there.items():
            answer = appliance.web(app).get("/")
            expect(answer.status, 200, f"{name}: {answer.text[:500]}")
            expect_true(answer.text, f"{name} serves nothing")
        self.confirmed, self.going = there, set()


def create(user, name, cartridges, **more):
    reply = user.api("POST", f"/domain/{OWNER}/applications", {"name": name, "cartridges": cartridges, **more}, timeout=1200)
    expect(reply.status, 201, reply.text)
    return reply.json["data"]


def await_start(appliance, user):
    """Applications start one after the other, when the broker answers already."""
    end = time.monotonic() + 600
    for app in user.api("GET", "/applications").json["data"]:
        while appliance.web(app).get("/").status == 503 and time.monotonic() < end:
            time.sleep(1)


def judge(appliance, user):
    """All that is wrong, one line each."""
    problems = []

    def attempt(what, look):
        try:
            look()
        except (AssertionError, OSError, MachineError, subprocess.SubprocessError, KeyError, ValueError) as error:
            problems.append(f"{what}: {error}")

    attempt("broker", lambda: expect(user.api("GET", "/domains").status, 200))
    attempt("start", lambda: await_start(appliance, user))
    attempt("check", lambda: expect_in("nothing is wrong", appliance.machine.sudo("gearbox admin check", check=False).stdout))
    attempt("units", lambda: expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), ""))
    attempt("console", lambda: expect_in("kept on /dev/vda", appliance.machine.console()))
    for ledger in state["ledgers"]:
        attempt(type(ledger).__name__, lambda ledger=ledger: ledger.judge(appliance, user))
    attempt("denials", lambda: expect(appliance.machine.denials(), []))
    return problems


def check_applications_are_made_on_a_data_disk(bench):
    print(f"     GEARBOX_SEED={SEED} GEARBOX_CUTS={CUTS}", flush=True)
    state["disk"] = bench.make_data_disk("data", 4096)
    state["appliance"] = appliance = bench.boot(attach(state["disk"]))
    user = appliance.make_user(OWNER)
    offered = user.api("GET", "/quickstarts").json["data"]
    url = next(q["quickstart"]["initial_git_url"] for q in offered if q["quickstart"]["id"] == "wordpress")
    blog = create(user, "blog", ["php", "mysql"], initial_git_url=url)
    page = appliance.web(blog).form("/wp-admin/install.php?step=2", weblog_title="Site", user_name="editor", admin_password=PASSWORD,
                                    admin_password2=PASSWORD, pw_weak="on", admin_email="editor@example.org", blog_public="0",
                                    Submit="Install", language="")
    expect_in("Success!", page.text)
    table = create(user, "table", ["static", "postgresql"])
    appliance.machine.ssh("psql -qc 'CREATE TABLE note (number integer PRIMARY KEY)'", user=table["id"], key=user.key)
    state["ledgers"] = [Posts(blog), Rows(table), Pushes(create(user, "site", ["php"])), Applications()]


def work_until_the_cut(bench, appliance, user, seconds):
    """Problems from before the cut."""
    works = [Work(ledger, appliance, user) for ledger in state["ledgers"]]
    for work in works:
        work.start()
    time.sleep(seconds)
    for work in works:
        work.cut.set()
    bench.cut_power()
    for work in works:
        work.join()
    print(f"     cut after {seconds:.1f} s: " + ", ".join(f"{work.name} {work.steps}" for work in works), flush=True)
    return [work.problem for work in works if work.problem]


def check_the_power_goes_again_and_again(bench):
    moments = random.Random(SEED)
    appliance, user = state["appliance"], state["appliance"].users[OWNER]
    for number in range(1, CUTS + 1):
        expect(work_until_the_cut(bench, appliance, user, moments.uniform(1, 45)), [], f"before cut {number}")
        if number % 2 == 0:  # and once more while it starts
            seconds = moments.uniform(5, 60)
            bench.start(bench.image, attach(state["disk"]))
            time.sleep(seconds)
            bench.cut_power()
            print(f"     and {seconds:.1f} s after the next start", flush=True)
        appliance = bench.boot(attach(state["disk"]))
        user = User(appliance, OWNER, f"secret-of-{OWNER}")
        expect("\n".join(judge(appliance, user)), "", f"after cut {number}")
        print(f"     after cut {number} everything is there", flush=True)
