"""The package is installed again over itself, as an upgrade does it: gears go on, and new programs look after them."""

import pathlib
import threading

from appliance import expect, expect_true

PACKAGES = pathlib.Path(__file__).resolve().parents[3] / "build/deb/trixie"
DAEMON = "systemctl show -p MainPID --value gearboxd"
state = {}


class Visitor:
    """Asks for a page again and again, and keeps what was wrong."""

    def __init__(self, web):
        self.web, self.wrong, self.count = web, [], 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.visit)

    def visit(self):
        while not self.end.wait(0.2):
            try:
                reply = self.web.get("/")
                if (reply.status, reply.text) != (200, "before\n"):
                    self.wrong.append(f"{reply.status} {reply.text[:80]}")
            except OSError as error:
                self.wrong.append(str(error))
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def first_process(appliance):
    """PID and start of the gear's first process."""
    uid = appliance.facts_of(state["app"])["uid"]
    return appliance.sudo(f"ps -o pid=,lstart=,comm= -u {uid} | grep gear-init | sort -n | head -1").split()


def check_an_upgrade_keeps_the_gears(appliance):
    user = appliance.make_user("ursula")
    made = user.api("POST", "/domain/ursula/applications", {"name": "site", "cartridges": ["static"]})
    expect(made.status, 201, made.text)
    state["app"] = made.json["data"]
    tree = user.clone(state["app"])
    (tree / "index.html").write_text("before\n")
    user.push(tree, "before")
    web = appliance.web(state["app"])
    expect(web.get("/").text, "before\n")
    package, = PACKAGES.glob("gearbox_*.deb")
    appliance.machine.ssh("cat >/tmp/gearbox.deb", stdin=package.read_bytes())
    before = {"daemon": appliance.sudo(DAEMON), "gear": first_process(appliance)}
    expect_true(before["gear"], "the gear's first process was not found")
    with Visitor(web) as visitor:
        # Its programs are to inherit no pipe of sshd's: a domain of SELinux may not use it.
        appliance.sudo("bash -o pipefail -ec 'DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/gearbox.deb </dev/null 2>&1 | cat'; "
                       "rm /tmp/gearbox.deb", timeout=300)
    expect(visitor.wrong, [], "answers meanwhile")
    expect_true(visitor.count > 5, visitor.count)
    expect(first_process(appliance), before["gear"], "the gear is the same")
    expect_true(appliance.sudo(DAEMON) != before["daemon"], "the daemon is the old one")
    expect(appliance.sudo("readlink /proc/$(" + DAEMON + ")/exe").strip(), "/usr/sbin/gearboxd")


def check_the_daemon_knows_its_gears_after_it(appliance):
    user = appliance.users["ursula"]
    reply = user.api("POST", f"/application/{state['app']['id']}/events", {"event": "restart"})
    expect(reply.status, 200, reply.text)
    expect(appliance.web(state["app"]).get("/").text, "before\n")
    expect(user.api("DELETE", f"/application/{state['app']['id']}").status, 200)
    expect(appliance.sudo("systemctl is-system-running || systemctl --failed --no-legend").strip(), "running")
    # systemd-sysusers may not write to a pipe that dpkg was given; on a terminal it writes nothing there either.
    others = [line for line in appliance.machine.denials() if "comm=\"systemd-sysuser\"" not in line or "fifo_file" not in line]
    expect(others, [], "denials of the upgrade")
    appliance.machine.forget_denials()
