"""A machine of one's own around the real daemon, router and sshd: run in new mount and network namespaces.

State, gear homes and accounts are on tmpfs; nothing outlives the namespaces but cgroups, which have a parent of
their own.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = TOP / "build/host/runtime"
STATE = pathlib.Path("/var/lib/gearbox")
GEARS = pathlib.Path("/var/lib/openshift")
RUNTIME = pathlib.Path("/run/gearbox")
LIBEXEC = STATE / "libexec"
ROUTES = STATE / "router/routes.map"
ADMIN_SOCKET = RUNTIME / "router-admin.sock"
CGROUP = "gearbox-stress"


def run(*command, check=True, **options):
    return subprocess.run([str(word) for word in command], check=check, text=True, capture_output=True, **options)


def tmpfs(path):
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", path)


def clear_cgroups():
    """Ends what runs in gears of this or an earlier run and removes their cgroups."""
    for top in pathlib.Path("/sys/fs/cgroup").glob(f"**/{CGROUP}"):
        for path in [*top.glob("gear-*"), top]:
            deadline = time.monotonic() + 10
            while (path / "cgroup.procs").read_text().strip() and time.monotonic() < deadline:
                for pid in (path / "cgroup.procs").read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                time.sleep(0.05)
            path.rmdir()


def check_namespaces():
    """What follows mounts over /etc: never for the machine itself. In a new network namespace even lo is down."""
    if run("ip", "-o", "link", "show", "up").stdout:
        raise SystemExit("this needs namespaces of its own: start it by make, or by "
                         "`unshare --net --mount --propagation private python3 …`")


def prepare():
    """Mounts and files; once, before anything is started."""
    check_namespaces()
    clear_cgroups()
    run("ip", "link", "set", "lo", "up")
    copy = "/run/gearbox-etc"
    tmpfs(copy)
    run("cp", "-a", "/etc/.", copy)
    run("mount", "--bind", copy, "/etc")
    for path in (GEARS, STATE, RUNTIME, "/usr/lib/openshift", "/usr/share/gearbox", "/run/sshd"):
        tmpfs(path)
    (LIBEXEC / "bin").mkdir(parents=True)
    for program in ("gear-init/gear-init", "conformance/gear-probe", "gear-deploy/gear-deploy", "gear-shell", "gear-hook", "gear-fetch"):
        shutil.copy(PROGRAMS / program, LIBEXEC)
    run("cp", "-a", f"{TOP}/cartridges/sdk/bin/.", LIBEXEC / "bin")
    run("cp", "-a", f"{TOP}/cartridges/sdk", "/usr/lib/openshift/cartridge_sdk")
    (STATE / "cartridges").mkdir()
    run("cp", "-a", TOP / "tests/data/cartridges/mock", STATE / "cartridges")
    shutil.copytree(TOP / "runtime/router", "/usr/share/gearbox/router")
    run(TOP / "runtime/systemd/firstboot", env={**os.environ, "GEARBOX_FIRSTBOOT_STEPS": "/nonexistent"})
    run("chown", "-R", "haproxy", STATE / "tls/router.pem")
    (STATE / "initial-users.json").write_text('{"users":[]}')


def control(*words, **options):
    """gearbox admin …, its JSON."""
    done = run(PROGRAMS / "cli/gearbox", "--output", "json", "--config", STATE / "operator", "admin", *words, check=False,
               **options)
    return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr}


class Host:
    """The three programs. With them running: REST and applications at 127.0.0.1:80, ssh at 127.0.0.1:22."""

    def __init__(self, workdir, more_settings=""):
        self.workdir = pathlib.Path(workdir)
        self.logs = {name: open(self.workdir / f"{name}.log", "w") for name in ("gearboxd", "haproxy", "sshd")}
        config = self.workdir / "gearboxd.toml"
        config.write_text(f"""
[broker]
max_gears = 1000
max_domains = 1000
[node]
cartridge_dir = "{STATE}/cartridges"
libexec_dir = "{LIBEXEC}"
cgroup_parent = "{CGROUP}"
script_timeout_seconds = 120
[security]
policy = "none"
{more_settings}""")
        self.router = self.start("haproxy", ["haproxy", "-W", "-f", TOP / "runtime/router/haproxy.cfg"])
        self.daemon = self.start("gearboxd", [PROGRAMS / "gearboxd", "--config", config])
        self.start_sshd()
        deadline = time.monotonic() + 60
        while control("status").get("error") or not self.answers(80):
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"gearboxd or the router did not start, see {self.workdir}")
            time.sleep(0.05)

    def start(self, name, command):
        return subprocess.Popen([str(word) for word in command], stdout=self.logs[name], stderr=self.logs[name])

    def start_sshd(self):
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.workdir / name)
        config = self.workdir / "sshd_config"
        config.write_text(f"Port 22\nListenAddress 127.0.0.1\nHostKey {self.workdir}/host\nPidFile none\nUsePAM no\n"
                          "PasswordAuthentication no\nMaxStartups 200\n")
        self.sshd = self.start("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", config])

    @staticmethod
    def answers(port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def memory_mb(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def stop(self):
        for process in (self.sshd, self.daemon, self.router):
            process.terminate()
        for process in (self.sshd, self.daemon, self.router):
            process.wait(60)
        clear_cgroups()


def routes():
    """What the running router serves: host and path → address."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(ADMIN_SOCKET))
        connection.sendall(f"show map {ROUTES}\n".encode())
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    rows = (line.split() for line in text.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3}


def gears():
    """Ids of the gears by what there is of them: homes, accounts, cgroups."""
    homes = {path.name for path in GEARS.iterdir()}
    accounts = {line.split(":")[0] for line in pathlib.Path("/etc/passwd").read_text().splitlines()
                if f"{GEARS}/" in line}
    cgroups = {path.name.removeprefix("gear-") for path in pathlib.Path("/sys/fs/cgroup").glob(f"**/{CGROUP}/gear-*")}
    return {"homes": homes, "accounts": accounts, "cgroups": cgroups}


def remains():
    """What is left of gears, in words; empty if nothing is."""
    out = [f"{kind}: {', '.join(sorted(found))}" for kind, found in gears().items() if found]
    out += [f"route: {host}" for host in routes()]
    out += [f"link: {line}" for line in run("ip", "-o", "link").stdout.splitlines() if ": gb" in line]
    mounts = pathlib.Path("/proc/self/mounts").read_text().splitlines()
    out += [f"mount: {line}" for line in mounts if f"{GEARS}/" in line]
    return out
