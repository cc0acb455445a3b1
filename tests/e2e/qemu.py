#!/usr/bin/env python3
"""Boots a Gearbox image under QEMU: the harness of the end-to-end tests and of `make demo`.

    with Machine("build/gearbox.iso", workdir) as machine:
        machine.wait_ssh(timeout=300)
        print(machine.ssh("getenforce").stdout)

The guest reaches nothing but itself (`restrict=on`); ports 22, 53, 80 and 443 are forwarded (TCP) from free
loopback ports. Run as a program it boots an image by hand, see --help.
"""

import argparse
import base64
import collections
import contextlib
import functools
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

QEMU = "qemu-system-x86_64"
GUEST_PORTS = (22, 53, 80, 443)
OPERATOR = "gearbox"
# What packages/emulator keeps where the host's QEMU is an old one.
EMULATOR = pathlib.Path(os.environ.get("GEARBOX_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
                        .expanduser() / "gearbox") / "emulator" / QEMU
# The cheapest model. QEMU 7.2's cmpxchg16b is wrong: guests that use it crash at random.
TCG_CPU = "qemu64,-cx16"
# Code and variables; those with ".ms" have Microsoft's keys and insist on them.
OVMF_PAIRS = {
    "uefi": (("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
             ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd")),
    "uefi-secure": (("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
                    ("/usr/share/OVMF/OVMF_CODE.ms.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd")),
}
FIRMWARES = ("bios", *OVMF_PAIRS)
MEDIA = ("cdrom", "usb", "virtio", "scsi", "ide", "sata")
# Images of disks, and what QEMU calls their formats. Everything else is a medium that is only read.
DISKS = {".raw": "raw", ".qcow2": "qcow2", ".vmdk": "vmdk", ".vdi": "vdi"}


class MachineError(RuntimeError):
    """What went wrong with a machine, with the end of its console."""


class Deadline:
    """Time left, and naps that never sleep past it."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def nap(self, seconds):
        time.sleep(min(seconds, self.left()))


def larger_disk(image, workdir, gibibytes=2):
    """A disk whose first part is the image, which stays as it is."""
    workdir.mkdir(parents=True, exist_ok=True)
    disk, format_of_image = workdir / "disk.qcow2", DISKS[pathlib.Path(image).suffix]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", format_of_image,
                    "-b", str(pathlib.Path(image).resolve()), str(disk)], check=True)
    subprocess.run(["qemu-img", "resize", "-q", str(disk), f"+{gibibytes}G"], check=True)
    return disk


def free_ports(count):
    """Loopback ports nobody listens on right now: all held at once, or the same might come twice."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


@functools.cache
def can_use_kvm():
    """Starts this machine's own kernel under KVM, on the machine and CPU that guests get, until it looks for a root: /dev/kvm
    may be there, even run some code, and yet no kernel (nested virtualization)."""
    kernels = sorted(kernel for kernel in glob.glob("/boot/vmlinuz-*") if os.access(kernel, os.R_OK))
    if not kernels or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    command = [QEMU, "-machine", "q35", *accelerator_arguments(True), "-smp", "2", "-nodefaults", "-display", "none", "-m", "256",
               "-serial", "stdio", "-no-reboot", "-kernel", kernels[-1], "-append", "console=ttyS0 panic=-1"]
    try:
        done = subprocess.run(command, timeout=15, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"Unable to mount root" in done.stdout


def accelerator_arguments(use_kvm):
    if use_kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", TCG_CPU]


def is_disk(image):
    return pathlib.Path(image).suffix in DISKS


def medium_arguments(image, media, keeps=False):
    """A disk's image is written to only if the machine is one that keeps what it does."""
    if is_disk(image):
        access = "" if keeps else ",snapshot=on"
        drive = f"file={image},format={DISKS[pathlib.Path(image).suffix]},if=none,id=medium{access}"
    else:
        drive = f"file={image},format=raw,if=none,id=medium,readonly=on"
    device = {
        "cdrom": ["-device", "ide-cd,drive=medium,bootindex=1"],
        "ide": ["-device", "ide-hd,drive=medium,bootindex=1"],
        "sata": ["-device", "ahci,id=sata", "-device", "ide-hd,bus=sata.0,drive=medium,bootindex=1"],
        "virtio": ["-device", "virtio-blk-pci,drive=medium,bootindex=1"],
        "scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=medium,bootindex=1"],
        "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=medium,bootindex=1"],
    }[media]
    if media in ("ide", "sata"):
        # ide-hd insists on a writable node; snapshot=on keeps the file as it is.
        drive = drive.replace("readonly=on", "snapshot=on")
    return ["-drive", drive] + device


def firmware_arguments(firmware, workdir):
    if firmware == "bios":
        return []
    # The firmware alone writes its variables, in system management mode.
    guarded = ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    for code, variables in OVMF_PAIRS[firmware]:
        if os.path.exists(code) and os.path.exists(variables):
            copy = workdir / "efivars.fd"
            shutil.copyfile(variables, copy)
            return ["-drive", f"if=pflash,format=raw,unit=0,file={code},readonly=on",
                    "-drive", f"if=pflash,format=raw,unit=1,file={copy}",
                    *(guarded if firmware == "uefi-secure" else [])]
    raise MachineError("no UEFI firmware found: install the package 'ovmf'")


def credential_arguments(name, value):
    """Hands a systemd credential to the guest through SMBIOS (systemd.system-credentials(7))."""
    encoded = base64.b64encode(value.encode()).decode()
    return ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={encoded}"]


def make_ssh_key(directory):
    """An ed25519 key pair in the directory, made once. Returns the private half's path."""
    key = pathlib.Path(directory) / "operator_key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(key)],
                       check=True)
    return key


def ppm_to_png(ppm):
    """The P6 picture of QEMU's screendump as PNG bytes."""
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    width, height = int(header[1]), int(header[2])
    pixels = ppm[header.end():]
    rows = b"".join(b"\0" + pixels[y * width * 3:(y + 1) * width * 3] for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


class Qmp:
    """QEMU's control socket: one command at a time, events ignored."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rw", encoding="utf-8")
        json.loads(self.stream.readline())
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.stream.flush()
        while line := self.stream.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MachineError(f"QMP {name}: {answer['error']['desc']}")
        raise MachineError(f"QMP {name}: QEMU has gone")

    def close(self):
        self.stream.close()
        self.socket.close()


class Machine:
    """A virtual machine that boots one image.

    `workdir` gets serial.log, qemu.log, machine.json, known_hosts and the ssh key. A machine that was
    `detach()`ed keeps running; `Machine.attach(workdir)` finds it again.
    """

    def __init__(self, image, workdir, *, firmware="bios", media=None, memory=2048, cpus=1,
                 use_kvm=None, nic="virtio-net-pci", ports=None, operator_key=None, extra=(),
                 kernel_reboots=False, keeps=False):
        self.image = pathlib.Path(image).resolve()
        self.workdir = pathlib.Path(workdir).resolve()
        self.media = media or ("virtio" if is_disk(image) else "cdrom")
        self.firmware, self.memory, self.cpus, self.keeps = firmware, memory, cpus, keeps
        self.use_kvm, self.nic, self.extra = use_kvm, nic, list(extra)
        self.wanted_ports = dict(ports or {})
        self.kernel_reboots = kernel_reboots
        self.operator_key = pathlib.Path(operator_key).resolve() if operator_key else None
        self.ports = {}
        self.pid = None
        self.process = None
        self.started = None
        self._sockets = None
        self._qmp = None
        self._forgotten_denials = 0

    # -- life -------------------------------------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def serial_log(self):
        return self.workdir / "serial.log"

    def arguments(self):
        """The whole command line, for printing too."""
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in self.ports.items())
        public_key = self.operator_key.with_name(self.operator_key.name + ".pub").read_text().strip()
        program = QEMU if self.use_kvm or not EMULATOR.exists() else str(EMULATOR)
        command = [program, "-name", "gearbox", "-machine", "q35", "-nodefaults",
                   *accelerator_arguments(self.use_kvm), "-smp", str(self.cpus), "-m", str(self.memory),
                   *firmware_arguments(self.firmware, self.workdir),
                   *medium_arguments(self.image, self.media, self.keeps),
                   "-netdev", f"user,id=net0,restrict=on{forwards}", "-device", f"{self.nic},netdev=net0",
                   "-device", "virtio-rng-pci", "-vga", "std", "-display", "none",
                   "-chardev", f"socket,id=serial0,path={self._sockets}/serial,server=on,wait=off,"
                               f"logfile={self.serial_log}",
                   "-serial", "chardev:serial0",
                   "-qmp", f"unix:{self._sockets}/qmp,server=on,wait=off",
                   *credential_arguments("gearbox.operator_key", public_key), *self.extra]
        return command if self.kernel_reboots else command + ["-no-reboot"]

    def start(self):
        if not self.image.exists():
            raise MachineError(f"no image at '{self.image}'")
        self.workdir.mkdir(parents=True, exist_ok=True)
        for old in ("serial.log", "known_hosts"):
            (self.workdir / old).unlink(missing_ok=True)
        # A socket's path may have 107 bytes; build directories are longer at times.
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-vm-"))
        self.operator_key = self.operator_key or make_ssh_key(self.workdir)
        self.use_kvm = can_use_kvm() if self.use_kvm is None else self.use_kvm
        # With two processors QEMU 7.2's TCG may run a breakpoint that the other has already patched away
        # ("Oops: int3" in the scheduler, when the first gear's CPU limit switches a static key).
        self.cpus = self.cpus or (2 if self.use_kvm else 1)
        self.ports = {guest: self.wanted_ports.get(guest) or port
                      for guest, port in zip(GUEST_PORTS, free_ports(len(GUEST_PORTS)), strict=True)}
        log = open(self.workdir / "qemu.log", "w", encoding="utf-8")
        with log:
            log.write(" ".join(self.arguments()) + "\n")
            log.flush()
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True)
        self.pid, self.started = self.process.pid, time.time()
        self._save()
        self._await_qmp()
        return self

    def _await_qmp(self):
        deadline = Deadline(20)
        while not (self._sockets / "qmp").exists():
            self._check_alive("starting QEMU")
            if not deadline.left():
                raise MachineError("QEMU made no control socket")
            deadline.nap(0.05)

    def _save(self):
        state = {"pid": self.pid, "ports": self.ports, "sockets": str(self._sockets), "image": str(self.image),
                 "key": str(self.operator_key), "kvm": self.use_kvm, "started": self.started}
        (self.workdir / "machine.json").write_text(json.dumps(state, indent=1) + "\n")

    @classmethod
    def attach(cls, workdir):
        """A machine that an earlier process started, or None if it does not run any more."""
        try:
            state = json.loads((pathlib.Path(workdir) / "machine.json").read_text())
        except (OSError, ValueError):
            return None
        machine = cls(state["image"], workdir, operator_key=state["key"], use_kvm=state["kvm"])
        machine.pid, machine.started = state["pid"], state["started"]
        machine.ports = {int(guest): host for guest, host in state["ports"].items()}
        machine._sockets = pathlib.Path(state["sockets"])
        return machine if machine.is_running() else None

    def detach(self):
        """Leaves the machine running when this process ends."""
        self._close_qmp()
        self.process = None

    def is_running(self):
        if self.process is not None:
            return self.process.poll() is None
        if self.pid is None:
            return False
        with contextlib.suppress(OSError):
            command = pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes()
            return str(self._sockets).encode() in command  # the pid may have been reused
        return False

    def stop(self, timeout=10):
        """Ends the machine at once. Nothing in it is worth a clean shutdown: it lives in RAM."""
        self.end_shared_connection()
        if self.is_running():
            with contextlib.suppress(OSError, MachineError, ValueError):
                self.qmp("quit")
            deadline = Deadline(timeout)
            while self.is_running() and deadline.left():
                deadline.nap(0.05)
            if self.is_running():
                os.kill(self.pid, signal.SIGKILL)
            if self.process is not None:
                self.process.wait()
        self._close_qmp()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        (self.workdir / "machine.json").unlink(missing_ok=True)

    def _check_alive(self, doing):
        if not self.is_running():
            log = (self.workdir / "qemu.log").read_text(errors="replace")[-2000:]
            raise MachineError(f"{doing}: QEMU ended\n{log}\n{self.console_tail()}")

    # -- control ----------------------------------------------------------------------------------

    def qmp(self, name, **arguments):
        if self._qmp is None:
            self._qmp = Qmp(self._sockets / "qmp")
        return self._qmp.command(name, **arguments)

    def _close_qmp(self):
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None

    def screendump(self, path):
        """The screen as a PNG file."""
        with tempfile.TemporaryDirectory() as directory:
            ppm = pathlib.Path(directory) / "screen.ppm"
            self.qmp("screendump", filename=str(ppm))
            pathlib.Path(path).write_bytes(ppm_to_png(ppm.read_bytes()))
        return path

    def send_keys(self, *keys):
        """Presses keys one after the other, by QEMU's names ("ret", "esc", "down", "ctrl-c")."""
        for key in keys:
            chord = [{"type": "qcode", "data": part} for part in key.split("-")]
            self.qmp("send-key", keys=chord)

    def power_button(self):
        self.qmp("system_powerdown")

    def write_serial(self, text):
        """Types on the serial console."""
        with socket.socket(socket.AF_UNIX) as serial:
            serial.connect(str(self._sockets / "serial"))
            serial.sendall(text.encode())
            # QEMU drops what a closed socket still holds; it ends the connection when it has read all.
            serial.shutdown(socket.SHUT_WR)
            while serial.recv(4096):
                pass

    # -- what it says -----------------------------------------------------------------------------

    def console(self):
        """Everything on the serial console so far, without escape sequences."""
        with contextlib.suppress(OSError):
            text = self.serial_log.read_text(errors="replace").replace("\r", "")
            return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>]|\][^\x07]*\x07)", "", text)
        return ""

    def console_tail(self, lines=25):
        return "\n".join(collections.deque(self.console().splitlines(), lines))

    def wait_for(self, pattern, timeout=300, after=0):
        """Waits until the console matches, behind so many characters; returns the match."""
        deadline = Deadline(timeout)
        while True:
            if match := re.compile(pattern, re.MULTILINE).search(self.console(), after):
                return match
            self._check_alive(f"waiting for {pattern!r}")
            if not deadline.left():
                raise MachineError(f"{pattern!r} did not appear in {timeout} s\n{self.console_tail()}")
            deadline.nap(0.2)

    # -- ssh --------------------------------------------------------------------------------------

    def ssh_options(self, key=None):
        return ["-F", "none", "-p", str(self.ports[22]), "-i", str(key or self.operator_key),
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20",
                "-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR",
                "-o", f"UserKnownHostsFile={self.workdir}/known_hosts"]

    def shared_connection(self):
        """One connection for all commands of the operator: under emulation a login takes seconds of the processor."""
        return ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={self._sockets}/ssh"]

    def end_shared_connection(self):
        if self._sockets is not None and (self._sockets / "ssh").exists():
            subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={self._sockets}/ssh", "-O", "exit", "guest"],
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def ssh(self, command, *, user=OPERATOR, key=None, stdin=None, timeout=120, check=True):
        """Runs a command in the guest; returns the CompletedProcess, with streams of bytes if stdin is bytes."""
        shared = self.shared_connection() if (user, key) == (OPERATOR, None) else []
        done = subprocess.run(["ssh", *self.ssh_options(key), *shared, f"{user}@127.0.0.1", command],
                              input=stdin if stdin is not None else "", capture_output=True, timeout=timeout,
                              errors=None if isinstance(stdin, bytes) else "replace")
        if check and done.returncode != 0:
            raise MachineError(f"in the guest, {command!r} returned {done.returncode}\n"
                               f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def sudo(self, command, **options):
        """Runs a shell command in the guest as root."""
        return self.ssh("sudo -n sh -c " + "'" + command.replace("'", "'\\''") + "'", **options)

    def wait_ssh(self, timeout=300):
        """Waits until the operator can log in. Returns the seconds since the start."""
        deadline = Deadline(timeout)
        while True:
            self.end_shared_connection()  # it may be one to the machine before its restart
            self._check_alive("waiting for ssh")
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.ssh("true", check=False, timeout=60).returncode == 0:
                    return time.time() - self.started
            if not deadline.left():
                raise MachineError(f"no ssh login in {timeout} s\n{self.console_tail()}")
            deadline.nap(0.5)

    def write_ssh_config(self, path, host="appliance"):
        """An ssh configuration whose one host is the operator's account of this machine."""
        pathlib.Path(path).write_text(
            f"Host {host}\n    HostName 127.0.0.1\n    Port {self.ports[22]}\n    User {OPERATOR}\n"
            f"    IdentityFile {self.operator_key}\n    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {self.workdir}/known_hosts\n    StrictHostKeyChecking accept-new\n"
            "    LogLevel ERROR\n")

    # -- SELinux ----------------------------------------------------------------------------------

    def denials(self):
        """Every AVC denial in the journal since boot, or since forget_denials(), one line each."""
        text = self.sudo("journalctl -b -o cat --no-pager _TRANSPORT=audit + _TRANSPORT=kernel", timeout=180).stdout
        lines = [line for line in text.splitlines() if re.search(r"avc:\s+denied|SELINUX_ERR|audit.*callbacks suppressed", line)]
        return lines[self._forgotten_denials:]

    def remember_denials(self):
        """After a restart, whose journal is a new one."""
        self._forgotten_denials = 0

    def forget_denials(self):
        """After a test that provoked some on purpose."""
        self._forgotten_denials += len(self.denials())


def main():
    parser = argparse.ArgumentParser(description="Boot a Gearbox image under QEMU.")
    parser.add_argument("image")
    parser.add_argument("--workdir", default="build/vm")
    parser.add_argument("--firmware", choices=FIRMWARES, default="bios")
    parser.add_argument("--media", choices=MEDIA, help="virtio for images of disks, cdrom for others")
    parser.add_argument("--keeps", action="store_true", help="the image of a disk is written to")
    parser.add_argument("--nic", default="virtio-net-pci")
    parser.add_argument("--memory", type=int, default=2048)
    parser.add_argument("--screen", metavar="PNG", help="save a picture of the screen after login is possible")
    parser.add_argument("--stop", action="store_true", help="end it after the report instead of leaving it running")
    arguments = parser.parse_args()
    machine = Machine(arguments.image, arguments.workdir, firmware=arguments.firmware, media=arguments.media,
                      nic=arguments.nic, memory=arguments.memory, keeps=arguments.keeps)
    machine.start()
    try:
        print(f"accelerator: {'kvm' if machine.use_kvm else 'tcg'}; ports {machine.ports}")
        print(f"ssh after {machine.wait_ssh(600):.1f} s; {machine.ssh('/usr/sbin/getenforce').stdout.strip()}")
        denials = machine.denials()
        print(f"{len(denials)} denials", *denials, sep="\n")
        if arguments.screen:
            machine.screendump(arguments.screen)
        machine.write_ssh_config(machine.workdir / "ssh_config")
        print(f"ssh -F {machine.workdir}/ssh_config appliance")
    except MachineError as error:
        print(error, file=sys.stderr)
        machine.stop()
        return 1
    machine.stop() if arguments.stop else machine.detach()
    return 0


if __name__ == "__main__":
    sys.exit(main())
