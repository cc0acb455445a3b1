#!/usr/bin/env python3
"""The OVA and the box for VirtualBox, as VirtualBox sees them: imported by its own VBoxManage, without its kernel modules.

usage: tests/virtualbox/run.py OVA BOX     ends with `N passed, N failed`, or with a line that begins with
`SKIPPED: ` if VirtualBox cannot be had
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))
from appliance import expect, expect_in, expect_not_in  # noqa: E402  (found through the path above)

MANAGE = "/usr/lib/virtualbox/VBoxManage"  # the one in PATH warns about the modules
OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
# Process ids, network and devices of its own: no server of VirtualBox outlives the command, none sees another's machines.
ENTER = ["unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--propagation", "private", "sh", "-ec", """
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
for device in null zero random urandom tty; do touch "$1/dev/$device"; mount --bind "/dev/$device" "$1/dev/$device"; done
mkdir "$1/dev/shm" "$1/tmp/files"
mkdir -p "$2/home"
ln -s /proc/self/fd "$1/dev/fd"
mount --bind "$2" "$1/tmp/files"
mount --bind "$2/home" "$1/root"
ip link set lo up
exec env HOME=/root chroot "$1" sh -ec "cd /tmp/files; $3"
""", "sh"]


class VirtualBox:
    """Commands in the chroot, with a registry of machines that is empty at first, in a directory of the files to look at."""

    def __init__(self, chroot, files):
        self.chroot, self.files = chroot, files

    def run(self, commands):
        done = subprocess.run([*ENTER, self.chroot, str(self.files), commands], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
        expect(done.returncode, 0, f"status of {commands}: {done.stdout}")
        return done.stdout


def describe(text):
    """The OVF's statements about its disk: file, its size, the disk's capacity in bytes."""
    root = xml.etree.ElementTree.fromstring(text)
    file, disk = root.find(f".//{OVF}File"), root.find(f".//{OVF}Disk")
    return file.get(f"{OVF}href"), int(file.get(f"{OVF}size")), int(disk.get(f"{OVF}capacity"))


def check_disk(directory, ovf):
    """What no importer checks."""
    name, size, capacity = describe((directory / ovf).read_text())
    expect((directory / name).stat().st_size, size, "ovf:size")
    shown = subprocess.run(["qemu-img", "info", str(directory / name)], check=True, capture_output=True, text=True).stdout
    expect_in(f"({capacity} bytes)", shown, "ovf:capacity")
    expect_in("create type: streamOptimized", shown)
    return name


def check_import(virtualbox, file, disk):
    """Imports it without a warning; the machine and the disk are what they shall be."""
    shown = virtualbox.run(f"{MANAGE} import --dry-run {file}; {MANAGE} import {file}; {MANAGE} list vms; "
                           f"{MANAGE} showvminfo --machinereadable $({MANAGE} list vms | cut -d'{{' -f2 | tr -d '}}')")
    expect_not_in("warning", shown.lower(), "what import says")
    expect_in("Successfully imported the appliance", shown)
    about = dict(re.findall(r'^"?([^"=\n]+)"?="?([^"\n]*)"?$', shown, re.MULTILINE))
    expect({name: about[name] for name in ("ostype", "memory", "cpus", "firmware", "nic1", "nictype1", "storagecontrollertype0",
                                           "graphicscontroller")},
           {"ostype": "Debian (64-bit)", "memory": "2048", "cpus": "2", "firmware": "BIOS", "nic1": "nat", "nictype1": "82540EM",
            "storagecontrollertype0": "IntelAhci", "graphicscontroller": "vmsvga"})
    expect(sorted(value for name, value in about.items() if name.startswith("Forwarding")),
           ["http,tcp,127.0.0.1,8080,,80", "https,tcp,127.0.0.1,8443,,443", "ssh,tcp,127.0.0.1,2222,,22"])
    medium = virtualbox.run(f"{MANAGE} showmediuminfo {disk}")
    expect_in("State:          created", medium)


def unpack(archive, directory):
    subprocess.run(["tar", "-xf", str(archive), "-C", str(directory)], check=True)


def check_ova(virtualbox, ova):
    with tarfile.open(ova, "r:") as archive:
        members = archive.getmembers()
        expect([pathlib.Path(member.name).suffix for member in members], [".ovf", ".mf", ".vmdk"], "DSP0243's order")
        expect([member.pax_headers for member in members], [{}, {}, {}], "VirtualBox reads no PAX headers")
    unpack(ova, virtualbox.files)
    shutil.copyfile(ova, virtualbox.files / "machine.ova")
    disk = check_disk(virtualbox.files, members[0].name)
    sums = (virtualbox.files / members[1].name).read_text()
    for member in (members[0].name, disk):
        expect_in(subprocess.run(["sha256sum", str(virtualbox.files / member)], check=True, capture_output=True,
                                 text=True).stdout.split()[0], sums)
    check_import(virtualbox, "machine.ova", disk)


def check_box(virtualbox, box):
    unpack(box, virtualbox.files)
    check_import(virtualbox, "box.ovf", check_disk(virtualbox.files, "box.ovf"))
    # Importing makes a new address; Vagrant sets the one that its box says.
    address = re.search(r' MACAddress="(\w+)"', (virtualbox.files / "box.ovf").read_text())[1]
    expect_in(f'base_mac = "{address}"', (virtualbox.files / "Vagrantfile").read_text())


def main():
    parser = argparse.ArgumentParser(description="Import the OVA and the Vagrant box into VirtualBox.")
    parser.add_argument("ova", type=pathlib.Path)
    parser.add_argument("box", type=pathlib.Path)
    arguments = parser.parse_args()
    made = subprocess.run([str(TOP / "packages/chroot-virtualbox")], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode == 77:
        print("SKIPPED: VirtualBox cannot be had from Debian's archive")
    if made.returncode != 0:
        return int(made.returncode != 77)
    failed = 0
    for check, file in ((check_ova, arguments.ova), (check_box, arguments.box)):
        with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
            problem = ""
            try:
                check(VirtualBox(made.stdout.strip(), pathlib.Path(folder)), file)
            except (AssertionError, OSError, KeyError, tarfile.TarError, subprocess.SubprocessError) as error:
                problem, failed = f"\n{type(error).__name__}: {error}", failed + 1
        print(f"{'FAIL' if problem else 'ok  '} {check.__name__[6:]}{problem}", flush=True)
    print(f"{2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
