#!/usr/bin/env python3
"""A push until the change is served, beside plain git and the web server alone, in one run; the same for a new application.

Ours: `git push` through the real sshd, gear shell, daemon and router of a private host, then requests until the router answers
with what was pushed. The peer: `git push` by the same ssh to a bare repository with an empty hook, plus the start of the same
web server until it answers. Both take turns; figures are medians. Steps are the moments at which the pusher reads of them; where
the peer does the same, its time is beside.
Needs root; run in namespaces of its own: make bench-push.

usage: push.py [ROUNDS] [KIND]…     default: 5 rounds of static, php and nodejs
"""

import http.client
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/stress"))

import host  # noqa: E402
from stress import Account  # noqa: E402

PEER_SSH, PEER_WEB = 2222, 8099
GOAL_MS = 150
# kind → the file that a push changes
FILES = {
    "static": ("index.html", "page %s\n"),
    "php": ("index.php", "<?php echo 'page %s', \"\\n\";\n"),
    "nodejs": ("server.js", "const env = process.env;\nrequire('http').createServer((request, response) => response.end('page %s\\n'))"
                            ".listen(env.OPENSHIFT_NODEJS_PORT, env.OPENSHIFT_NODEJS_IP);\n"),
}
# What the pusher reads → the step that ends with it.
STEPS = (
    (r"Stopping ", "connect, send, begin of the hook"),
    (r"Building git ref", "stop, check out"),
    (r"Preparing build", "build"),
    (r"Activating deployment", "keep the deployment"),
    (r"Starting ", "activate"),
    (r"Git Post-Receive Result", "start"),
)
HTTPD = """
ServerRoot "{work}"
PidFile "{work}/httpd.pid"
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_{mpm}_module /usr/lib/apache2/modules/mod_mpm_{mpm}.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
{more}
User nobody
ErrorLog /dev/null
DocumentRoot "{root}"
DirectoryIndex index.php index.html
"""


def line(name, value, note=""):
    print(f"{name:<58} {value:>14}   {note}", flush=True)


def milliseconds(began):
    return (time.perf_counter() - began) * 1000


def wait_for(text, port, host_name, patience=30):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
            connection.request("GET", "/", headers={"Host": host_name})
            if connection.getresponse().read().decode() == text:
                return
        except OSError:
            pass
        time.sleep(0.002)
    raise SystemExit(f"{host_name}:{port} does not answer {text!r}")


def processes_started():
    """By this machine since its boot, proc_stat(5)."""
    return int(re.search(r"^processes (\d+)", pathlib.Path("/proc/stat").read_text(), re.MULTILINE)[1])


class Tree:
    """A clone that pushes one page after the other."""

    def __init__(self, url, kind, work, key):
        self.kind, self.path, self.serial = kind, work, 0
        ssh = f"ssh -q -i {key} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        self.environment = {**os.environ, "GIT_SSH_COMMAND": ssh, "HOME": str(work.parent), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a",
                            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@a"}
        subprocess.run(["git", "clone", "-q", url, work], check=True, env=self.environment, stderr=subprocess.DEVNULL)
        for path in work.iterdir():  # of a template
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def git(self, *words):
        subprocess.run(["git", *words], cwd=self.path, check=True, env=self.environment, capture_output=True)

    def commit(self):
        """The text that will be served."""
        self.serial += 1
        name, text = FILES[self.kind]
        (self.path / name).write_text(text % self.serial)
        self.git("add", "-A")
        self.git("commit", "-qm", f"page {self.serial}")
        return f"page {self.serial}\n"

    def push(self):
        """Milliseconds in all, and of each step."""
        began = last = time.perf_counter()
        process = subprocess.Popen(["git", "push", "-q", "origin", "HEAD:master"], cwd=self.path, env=self.environment, text=True,
                                   stderr=subprocess.PIPE)
        steps, said = {}, ""
        for text in process.stderr:
            said += text
            for pattern, name in STEPS:
                if name not in steps and re.match(rf"remote: {pattern}", text):
                    now = time.perf_counter()
                    steps[name], last = (now - last) * 1000, now
        if process.wait() != 0 or "result: failure" in said.lower():
            raise SystemExit(f"the push has failed:\n{said}")
        steps["end of the hook, close"] = milliseconds(last)
        return milliseconds(began), steps


class Peer:
    """Plain git and the web server."""

    def __init__(self, kind, work, key):
        self.kind, self.work, self.serial, self.key = kind, work, 0, key
        work.mkdir()
        self.tree = Tree(self.make_repository(), kind, work / "tree", key)
        shutil.copytree(self.tree.path, work / "site", ignore=lambda *_: {".git"})

    def make_repository(self):
        self.serial += 1
        path = self.work / f"{self.serial}.git"
        subprocess.run(["git", "init", "-q", "--bare", path], check=True, stderr=subprocess.DEVNULL)
        hook = path / "hooks/post-receive"
        hook.write_text("#!/bin/sh\nexit 0\n")
        hook.chmod(0o755)
        return f"ssh://root@127.0.0.1:{PEER_SSH}{path}"

    def start(self):
        """Milliseconds from the command to the answer; the files are there."""
        name, text = FILES[self.kind]
        (self.work / "site").mkdir(exist_ok=True)
        (self.work / "site" / name).write_text(text % "of the peer")
        if self.kind == "nodejs":
            command = ["node", name]
        else:
            more = "LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so\nTypesConfig /etc/mime.types\n"
            if self.kind == "php":
                module = sorted(pathlib.Path("/usr/lib/apache2/modules").glob("libphp*.so"))[-1]
                more += f"LoadModule php_module {module}\nAddHandler application/x-httpd-php .php\n"
            (self.work / "httpd.conf").write_text(HTTPD.format(work=self.work, port=PEER_WEB, root=self.work / "site", more=more,
                                                               mpm="prefork" if self.kind == "php" else "event"))
            command = ["/usr/sbin/apache2", "-f", self.work / "httpd.conf", "-D", "FOREGROUND"]
        environment = {**os.environ, "OPENSHIFT_NODEJS_PORT": str(PEER_WEB), "OPENSHIFT_NODEJS_IP": "127.0.0.1"}
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.work / "site", env=environment, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("page of the peer\n", PEER_WEB, "localhost")
        took = milliseconds(began)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        return took

    def create(self):
        """Milliseconds: a repository, a first push, the start."""
        began = time.perf_counter()
        url = self.make_repository()
        made = milliseconds(began)
        self.tree.git("remote", "set-url", "origin", url)
        self.tree.commit()
        return made + self.tree.push()[0] + self.start()


def start_peer_sshd(work, key):
    (work / "keys").write_text(pathlib.Path(f"{key}.pub").read_text())
    (work / "peer_sshd").write_text(f"Port {PEER_SSH}\nListenAddress 127.0.0.1\nHostKey {work}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
                                    f"PasswordAuthentication no\nPermitRootLogin prohibit-password\nAuthorizedKeysFile {work}/keys\n")
    return subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", work / "peer_sshd"], stderr=subprocess.DEVNULL)


def create(account, name, kind):
    """The application, and milliseconds until its page is served."""
    began = time.perf_counter()
    status, reply = account.ask("POST", "domain/bench/applications", {"name": name, "cartridges": [kind]})
    if status != 201:
        raise SystemExit(f"creating {name}: {status} {reply['messages']}")
    application = reply["data"]
    web = http.client.HTTPConnection("127.0.0.1", 80, timeout=30)
    web.request("GET", "/", headers={"Host": f"{name}-bench.gearbox.localhost"})
    if web.getresponse().status != 200:
        raise SystemExit(f"{name} does not answer")
    return application, milliseconds(began)


def median_of(rows):
    return statistics.median(rows)


def compare(title, ours, peers):
    own = median_of(ours) - median_of(peers)
    line(f"{title}: ours", f"{median_of(ours):.0f} ms")
    line(f"{title}: plain git and the server's start", f"{median_of(peers):.0f} ms")
    line(f"{title}: ratio", f"{median_of(ours) / median_of(peers):.2f} x")
    line(f"{title}: our own on top", f"{own:.0f} ms", f"goal: at most {GOAL_MS} ms")


def bench(kind, rounds, account, work, key):
    application, _ = create(account, f"{kind}0", kind)
    address = f"{kind}0-bench.gearbox.localhost"
    tree = Tree(f"ssh://{application['id']}@127.0.0.1/~/git/{kind}0.git/", kind, work / f"{kind}-tree", key)
    peer = Peer(kind, work / f"{kind}-peer", key)
    ours, peers, pushes, steps, created, peer_created, started, peer_started = [], [], [], {}, [], [], [], []
    peer_pushes, peer_starts, on_top = [], [], []
    for number in range(rounds + 1):
        text = tree.commit()
        before = processes_started()
        began = time.perf_counter()
        pushed, parts = tree.push()
        wait_for(text, 80, address)
        served = milliseconds(began)
        our_processes = processes_started() - before
        peer.tree.commit()
        before = processes_started()
        plain, start = peer.tree.push()[0], peer.start()
        peer_processes = processes_started() - before
        _, made = create(account, f"{kind}{number + 1}", kind)
        peer_made = peer.create()
        if number == 0:
            continue  # caches are cold
        ours.append(served)
        peers.append(plain + start)
        peer_pushes.append(plain)
        peer_starts.append(start)
        on_top.append(served - plain - start)
        pushes.append(pushed)
        started.append(our_processes)
        peer_started.append(peer_processes)
        created.append(made)
        peer_created.append(peer_made)
        for name, took in parts.items():
            steps.setdefault(name, []).append(took)
    beside = {STEPS[0][1]: f"plain git, to its end: {median_of(peer_pushes):.0f} ms",
              STEPS[-1][1]: f"the server alone: {median_of(peer_starts):.0f} ms"}
    for name, took in steps.items():
        line(f"{kind}: push: {name}", f"{median_of(took):.0f} ms", beside.get(name, ""))
    line(f"{kind}: push until git ends", f"{median_of(pushes):.0f} ms")
    compare(f"{kind}: push to served", ours, peers)
    line(f"{kind}: push to served: on top, by pairs of pushes", f"{min(on_top):.0f} … {max(on_top):.0f} ms", f"median {median_of(on_top):.0f} ms")
    line(f"{kind}: push: processes and threads started, and by the peer", f"{median_of(started):.0f}, {median_of(peer_started):.0f}")
    compare(f"{kind}: create to served", created, peer_created)


def quiet_shell_of_root():
    """The peer's pushes go through root's shell: what that does at its start is not git's. In this mount namespace only."""
    path = pathlib.Path.home() / ".bashrc"
    if path.exists():
        subprocess.run(["mount", "--bind", "/dev/null", path], check=True)


def without_packages(manifest):
    """The programs are asked, not dpkg: a Node.js of somebody else is as good for this."""
    manifest.write_text(re.sub(r"^Native-Requires:\n(- .*\n)*", "", manifest.read_text(), flags=re.MULTILINE))


def main():
    words = sys.argv[1:]
    rounds = int(words.pop(0)) if words and words[0].isdigit() else 5
    host.prepare()
    quiet_shell_of_root()
    for kind in words or FILES:
        subprocess.run(["cp", "-rL", TOP / "cartridges" / kind, host.STATE / "cartridges"], check=True)
    nodejs = host.STATE / "cartridges/nodejs/metadata/manifest.yml"
    if nodejs.exists():
        without_packages(nodejs)
    subprocess.run(["chmod", "-R", "a+rX", host.STATE / "cartridges"], check=True)
    with tempfile.TemporaryDirectory(prefix="gearbox-push-") as name:
        work = pathlib.Path(name)
        work.chmod(0o755)
        machine = host.Host(work)
        peer_sshd = start_peer_sshd(work, work / "user")
        try:
            account = Account("bench")
            account.ask("POST", "domains", {"name": "bench"})
            key = (work / "user.pub").read_text().split()
            account.ask("POST", "user/keys", {"name": "key", "type": key[0], "content": key[1]})
            for kind in words or FILES:
                bench(kind, rounds, account, work, work / "user")
        finally:
            peer_sshd.terminate()
            machine.stop()


if __name__ == "__main__":
    main()
