"""The booted appliance as its users see it: REST, web, git and ssh, all through the forwarded ports."""

import base64
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import ssl
import subprocess
import urllib.parse

from qemu import Machine, MachineError, make_ssh_key

CLOUD_DOMAIN = "gearbox.localhost"
DATA_LABEL = "GEARBOX-DATA"


class Reply:
    """An HTTP reply: status, headers (lower case), body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def messages(self):
        return self.json.get("messages", [])


class Web:
    """A browser's worth of HTTP: Host of the site at the forwarded port, cookies, forms."""

    def __init__(self, appliance, host, tls=False):
        self.appliance, self.host, self.tls = appliance, host, tls
        self.cookies = {}

    @property
    def authority(self):
        return f"{self.host}:{self.appliance.ports[443 if self.tls else 80]}"

    def request(self, method, path, body=None, headers=None, timeout=240):
        reply = self.appliance.http(method, path, body, {
            "Host": self.authority,
            **({"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}),
            **(headers or {})}, tls=self.tls, timeout=timeout)
        for line in reply.headers.get("set-cookie", "").split("\n"):
            if match := re.match(r"([^=;]+)=([^;]*)", line):
                self.cookies[match[1]] = match[2]
        return reply

    def get(self, path="/", **options):
        return self.request("GET", path, **options)

    def form(self, path, **fields):
        return self.request("POST", path, urllib.parse.urlencode(fields),
                            {"Content-Type": "application/x-www-form-urlencoded"})


class User:
    """A broker account with its ssh key, its own known_hosts and its clones."""

    def __init__(self, appliance, login, password):
        self.appliance, self.login, self.password = appliance, login, password
        self.directory = appliance.workdir / f"user-{login}"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key = self.directory / "id_ed25519"
        if not self.key.exists():
            make_ssh_key(self.directory)
            made = next(p for p in self.directory.iterdir() if p.suffix == ".pub")
            made.with_suffix("").rename(self.key)
            made.rename(self.key.with_name(self.key.name + ".pub"))

    def api(self, method, path, body=None, *, raw=None, headers=None, timeout=600):
        """A request to the broker; body goes as JSON, raw as it is."""
        token = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        data = raw if raw is not None else None if body is None else json.dumps(body)
        return self.appliance.http(method, "/broker/rest" + path, data, {
            "Authorization": f"Basic {token}", "Accept": "application/json;version=1.7",
            "Content-Type": "application/json", **(headers or {})}, timeout=timeout)

    def add_key(self):
        kind, content = self.key.with_name(self.key.name + ".pub").read_text().split()[:2]
        return self.api("POST", "/user/keys", {"name": "test", "type": kind, "content": content})

    def git(self, *arguments, cwd=None, check=True, timeout=900):
        command = shlex.join(["ssh", "-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes",
                              "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
                              "-o", "LogLevel=ERROR", "-o", f"UserKnownHostsFile={self.directory}/known_hosts"])
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, text=True, errors="replace", capture_output=True, timeout=timeout,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "GIT_SSH_COMMAND": command,
                 "GIT_AUTHOR_NAME": self.login, "GIT_AUTHOR_EMAIL": "t@example.org",
                 "GIT_COMMITTER_NAME": self.login, "GIT_COMMITTER_EMAIL": "t@example.org"})
        if check and done.returncode != 0:
            raise MachineError(f"git {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def clone(self, application):
        """A fresh working tree of the application."""
        target = self.directory / application["name"]
        subprocess.run(["rm", "-rf", str(target)], check=True)
        url = (f"ssh://{application['id']}@127.0.0.1:{self.appliance.ports[22]}"
               f"/~/git/{application['name']}.git/")
        self.git("clone", "--quiet", url, str(target))
        return target

    def push(self, tree, message, check=True):
        self.git("add", "-A", cwd=tree)
        self.git("commit", "--quiet", "--allow-empty", "-m", message, cwd=tree)
        return self.git("push", "origin", "HEAD:master", cwd=tree, check=check)


class Appliance:
    """The machine with what a test needs of it."""

    def __init__(self, machine, workdir):
        self.machine, self.workdir = machine, pathlib.Path(workdir)
        self.ports = machine.ports
        self.users = {}
        self.ca = None

    def http(self, method, path, body=None, headers=None, tls=False, timeout=240):
        if tls:
            context = ssl.create_default_context(cadata=self.ca)
            context.check_hostname = False  # by address here; the name is checked where it matters
            connection = http.client.HTTPSConnection("127.0.0.1", self.ports[443], timeout=timeout,
                                                     context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[80], timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            fields = {}
            for name, value in response.getheaders():
                name = name.lower()
                fields[name] = f"{fields[name]}\n{value}" if name in fields else value
            return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def sudo(self, command, **options):
        return self.machine.sudo(command, **options).stdout

    def make_user(self, login):
        """An account made by the operator, with a domain of the same name and an ssh key."""
        if login not in self.users:
            password = f"secret-of-{login}"
            self.machine.sudo(f"gearbox admin user create {login} --password-stdin", stdin=password + "\n")
            user = User(self, login, password)
            expect(user.api("POST", "/domains", {"name": login}).status, 201)
            expect(user.add_key().status, 201)
            self.users[login] = user
        return self.users[login]

    def web(self, application, tls=False):
        return Web(self, f"{application['name']}-{application['domain_id']}.{CLOUD_DOMAIN}", tls)

    def facts_of(self, application):
        """uid, level and so on of an application's gear, as the system has them."""
        gear = application["id"]
        uid = int(self.sudo(f"id -u {gear}"))
        return {"gear": gear, "uid": uid, "home": f"/var/lib/openshift/{gear}"}


class CheckFailed(AssertionError):
    pass


def expect(actual, wanted, what=""):
    if actual != wanted:
        raise CheckFailed(f"{what or 'value'}: expected {wanted!r:.3000}, got {actual!r:.3000}")


def expect_in(part, whole, what=""):
    if part not in whole:
        raise CheckFailed(f"{what or 'text'}: {part!r} is not in\n{whole[-3000:]}")


def expect_not_in(part, whole, what=""):
    if part in whole:
        raise CheckFailed(f"{what or 'text'}: {part!r} is in\n{whole[-3000:]}")


def expect_true(condition, what):
    if not condition:
        raise CheckFailed(what)


# Prints what has to be the same after a restart from something that keeps it.
KEPT = ("cat /etc/ssh/ssh_host_ed25519_key.pub /var/lib/gearbox/tls/ca.crt /etc/machine-id; "
        "grep ^OPERATOR /run/gearbox/credentials")


class Bench:
    """For scenarios that start machines of their own, one at a time."""

    def __init__(self, image, workdir, **options):
        self.image, self.workdir, self.options = pathlib.Path(image), pathlib.Path(workdir), options
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.machine = None

    def make_disk(self, name, mebibytes):
        """An empty disk, for attach()."""
        disk = self.workdir / f"{name}.raw"
        disk.unlink(missing_ok=True)
        disk.touch()
        os.truncate(disk, mebibytes << 20)
        return disk

    def make_data_disk(self, name, mebibytes):
        """One that the live medium keeps everything on."""
        disk = self.make_disk(name, mebibytes)
        subprocess.run(["mke2fs", "-q", "-F", "-L", DATA_LABEL, "-t", "ext4", str(disk)], check=True)
        return disk

    def start(self, image, extra=()):
        """A machine that has just been switched on; the one before is switched off."""
        self.stop()
        self.machine = Machine(image, self.workdir, extra=extra, **self.options)
        return self.machine.start()

    def boot(self, extra=(), image=None, menu=()):
        """The appliance, ready, as boot() gives it; from another image if one is named."""
        self.stop()
        appliance = boot(image or self.image, self.workdir, menu, extra=extra, **self.options)
        self.machine = appliance.machine
        return appliance

    def stop(self):
        if self.machine is not None:
            self.machine.stop()

    def cut_power(self):
        """What the machine had in its memory is lost; what it has written is on its disks."""
        os.kill(self.machine.pid, signal.SIGKILL)
        self.machine.stop()


def attach(*disks):
    """What QEMU has to be told of disks: /dev/vda and so on, where the image is no disk itself."""
    return [word for number, disk in enumerate(disks) for word in (
        "-drive", f"file={disk},format=raw,if=none,id=data{number}", "-device", f"virtio-blk-pci,drive=data{number}")]


def boot(image, workdir, menu=(), **options):
    """Boots the image, by these keys in its boot menu, and waits until the broker answers."""
    machine = Machine(image, workdir, **options)
    machine.start()
    try:
        if menu:
            machine.wait_for("Check the medium", 60)
            machine.send_keys(*menu)
        machine.wait_ssh(900)
        appliance = Appliance(machine, workdir)
        machine.sudo("systemctl is-system-running --wait; systemctl is-active gearboxd gearbox-router", timeout=600)
        appliance.ca = machine.sudo("cat /var/lib/gearbox/tls/ca.crt").stdout
        return appliance
    except BaseException:
        machine.stop()
        raise
