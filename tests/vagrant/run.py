#!/usr/bin/env python3
"""The Vagrant box and the Vagrantfile of vagrant/, with Vagrant and libvirt themselves, in namespaces of their own.

usage: tests/vagrant/run.py BOX [--workdir build/vagrant]      ends with `N passed, N failed`
"""

import argparse
import http.client
import pathlib
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))
from host import Host, in_namespaces  # noqa: E402
from appliance import expect, expect_in, expect_not_in, expect_true  # noqa: E402  (found through the path above)
from qemu import can_use_kvm  # noqa: E402

APPLICATION = "myshop-dev.gearbox.localhost"
ADDRESS = "192.168.56.10"
# What a person may add to the Vagrantfile: the machine has a name, and an address that does not change.
MORE = f"""
Vagrant.configure("2") do |config|
  config.vm.hostname = "shop"
  config.vm.network "private_network", ip: "{ADDRESS}"
end
"""


class Project:
    """A directory with the Vagrantfile and a git repository, and what is done in it."""

    def __init__(self, host):
        self.host = host
        self.directory = host.workdir / "my shop"

    def vagrant(self, *words, **options):
        return self.host.run("vagrant", *words, directory=self.directory, **options)

    def git(self, *words):
        return self.host.run("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *words, directory=self.directory)

    def inside(self, command):
        """What a command of the operator prints in the machine."""
        return self.vagrant("ssh", "-c", command).stdout.replace("\r", "")

    def write(self, text):
        (self.directory / "index.php").write_text(f"<?php echo '{text}';\n")

    def page(self, address="localhost", port=8080):
        connection = http.client.HTTPConnection(address, port, timeout=60)
        connection.request("GET", "/", headers={"Host": APPLICATION})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


def check_box_is_added(project, box):
    project.vagrant("box", "add", "--name", "gearbox", str(box))
    expect_in("gearbox (libvirt, 0)", project.vagrant("box", "list").stdout)


def check_up_deploys_the_project(project):
    project.write("what was there")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("add", ".")
    project.git("commit", "--quiet", "--message=A shop")
    shown = project.vagrant("up").stdout
    expect_in("Deployment completed with status: success", shown)
    expect_in(f"http://{APPLICATION}:8080/", shown)
    expect(project.page(), (200, "what was there"))


def check_the_operator_is_in(project):
    expect_in("uid=900(gearbox)", project.inside("id"))
    expect_in("Enforcing", project.inside("/usr/sbin/getenforce"))
    expect_in("myshop", project.inside("gearbox app list"))


def check_the_well_known_key_is_gone(project):
    keys = project.inside("cat ~/.ssh/authorized_keys").splitlines()
    expect(len([line for line in keys if line.startswith(("ssh-", "ecdsa-"))]), 1, "keys of the operator")
    expect_not_in("insecure", "\n".join(keys))
    address = project.vagrant("ssh-config").stdout.split("HostName ")[1].split()[0]
    well_known = project.host.home / ".vagrant.d/insecure_private_key"
    expect(well_known.is_file(), True, "Vagrant's own copy")
    refused = project.host.run("ssh", "-F", "none", "-i", str(well_known), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o",
                               "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", f"gearbox@{address}", "true",
                               directory=project.directory, check=False)
    expect_in("Permission denied", refused.stdout)


def check_the_folder_is_in_the_machine(project):
    expect(project.inside("cat /vagrant/index.php"), (project.directory / "index.php").read_text())
    expect(project.inside("stat -c %U /vagrant/index.php").strip(), "gearbox")


def check_it_has_its_name_and_address(project):
    expect_in("shop", project.inside("uname -n"))
    expect(project.inside("ip -4 -o address show | grep -o ' inet 192[.]168[.]56[.][0-9/]*'").split(), ["inet", f"{ADDRESS}/24"])
    expect(project.page(ADDRESS, 80), (200, "what was there"))


def check_a_push_deploys_the_change(project):
    project.write("a change")
    project.git("commit", "--quiet", "--all", "--message=Change it")
    project.vagrant("rsync")
    expect_in("status: success", project.git("push").stdout)
    expect(project.page(), (200, "a change"))
    expect_in("a change", project.inside("cat /vagrant/index.php"))


def check_the_system_is_well(project):
    expect(project.inside("systemctl is-system-running --wait").strip(), "running")
    journal = project.inside("sudo journalctl -b -o cat --no-pager _TRANSPORT=audit + _TRANSPORT=kernel")
    expect([line for line in journal.splitlines() if "avc:  denied" in line], [], "denials")


def check_halt_and_up_keep_it(project):
    project.vagrant("halt")
    expect_in("shutoff", project.vagrant("status", "--machine-readable").stdout)
    expect_in("Everything up-to-date", project.vagrant("up").stdout)
    expect(project.page(), (200, "a change"))
    expect(project.page(ADDRESS, 80), (200, "a change"))
    expect_not_in("insecure", project.inside("cat ~/.ssh/authorized_keys"))


def check_destroy_leaves_nothing(project):
    domain = project.host.virsh("list", "--all", "--name").stdout.strip()
    expect_in("shop", domain)
    project.vagrant("destroy", "--force")
    expect(project.host.virsh("list", "--all", "--name").stdout.strip(), "", "domains")
    volumes = project.host.virsh("vol-list", "default").stdout
    expect_not_in(domain, volumes)
    # What vagrant-libvirt keeps is the box's disk, for the next machine.
    expect(len([line for line in volumes.splitlines() if ".img" in line]), 1, f"volumes: {volumes}")
    with socket.socket() as client:
        expect_true(client.connect_ex(("127.0.0.1", 8080)) != 0, "nobody listens on the forwarded port")


def run(box, workdir):
    host = Host(workdir, can_use_kvm())
    project = Project(host)
    project.directory.mkdir()
    text = (TOP / "vagrant/Vagrantfile").read_text()
    (project.directory / "Vagrantfile").write_text(text + MORE)
    (project.directory / ".gitignore").write_text(".vagrant/\n")
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    passed = failed = 0
    for check in checks:
        began = time.monotonic()
        verdict = ""
        try:
            check(*([project, box] if check is check_box_is_added else [project]))
        except (AssertionError, OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
            verdict = f"\n{type(error).__name__}: {error}"
        failed, passed = failed + bool(verdict), passed + (not verdict)
        print(f"{'FAIL' if verdict else 'ok  '} {check.__name__[6:].replace('_', ' ')}, {time.monotonic() - began:.0f} s{verdict}",
              flush=True)
        if verdict and check in (check_box_is_added, check_up_deploys_the_project):
            break
    print(f"log: {host.log.name}\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="Try the Vagrant box with Vagrant and libvirt.")
    parser.add_argument("box", type=pathlib.Path)
    parser.add_argument("--workdir", default=str(TOP / "build/vagrant"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        return in_namespaces(str(arguments.box.resolve()), "--workdir", arguments.workdir, "--inside")
    return run(arguments.box, arguments.workdir)


if __name__ == "__main__":
    sys.exit(main())
