"""A host for Vagrant that leaves nothing behind: libvirt in namespaces of its own, whose network ends at loopback."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

# What libvirt writes here goes to the test's own directory.
WRITTEN = ("/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt")
LIBVIRTD = 'unix_sock_group = "root"\nauth_unix_ro = "none"\nauth_unix_rw = "none"\n'
QEMU = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
"""
# Where KVM does not work: what tests/e2e/qemu.py says of QEMU's emulation is true here, too. It is the host's QEMU, since libvirt
# cannot ask the one of packages/emulator what it can do.
EMULATED = """Vagrant.configure("2") do |config|
  config.vm.boot_timeout = 900
  config.vm.provider :libvirt do |machine|
    machine.driver = "qemu"
    machine.cpu_mode = "custom"
    machine.cpu_model = "qemu64"
    machine.cpu_feature name: "cx16", policy: "disable"
    machine.cpus = 1
    machine.nested = false
  end
end
"""


def in_namespaces(*arguments):
    """Runs this program again, with these arguments, in namespaces of its own: all that it starts ends with it.
    bash is process 1 there, since somebody has to wait for the processes that libvirt leaves to it."""
    return subprocess.call(["unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc",
                            "--propagation", "private", "bash", "-c", '"$@"; exit $?', "bash",
                            sys.executable, "-B", sys.argv[0], *arguments])


class Host:
    """libvirt and Vagrant with everything they keep below `workdir`, which is emptied first."""

    def __init__(self, workdir, use_kvm):
        self.workdir = pathlib.Path(workdir).resolve()
        shutil.rmtree(self.workdir, ignore_errors=True)
        self.home = self.workdir / "home"
        (self.home / ".vagrant.d").mkdir(parents=True)
        self.log = open(self.workdir / "vagrant.log", "w", encoding="utf-8")
        self.environment = {**os.environ, "HOME": str(self.home), "VAGRANT_HOME": str(self.home / ".vagrant.d"),
                            "VAGRANT_CHECKPOINT_DISABLE": "1", "VAGRANT_BOX_UPDATE_CHECK_DISABLE": "1",
                            "VAGRANT_DEFAULT_PROVIDER": "libvirt"}
        if not use_kvm:
            (self.home / ".vagrant.d/Vagrantfile").write_text(EMULATED)
        self._start_libvirt()

    def _start_libvirt(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for number, path in enumerate(WRITTEN):
            upper, work = self.workdir / f"libvirt/{number}", self.workdir / f"libvirt/{number}.work"
            upper.mkdir(parents=True)
            work.mkdir()
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={path},upperdir={upper},workdir={work}", path], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        pathlib.Path("/etc/libvirt/qemu.conf").write_text(QEMU)
        settings = self.workdir / "libvirtd.conf"
        settings.write_text(LIBVIRTD)
        with open(self.workdir / "libvirtd.log", "w", encoding="utf-8") as log:
            self.libvirtd = subprocess.Popen(["/usr/sbin/libvirtd", "--config", str(settings), "--pid-file",
                                              "/run/libvirtd.pid"], stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while self.virsh("version", check=False).returncode != 0:
            if self.libvirtd.poll() is not None or time.monotonic() > end:
                raise RuntimeError("libvirtd does not answer: " + (self.workdir / "libvirtd.log").read_text())
            time.sleep(0.2)

    def virsh(self, *words, check=True):
        return subprocess.run(["virsh", "--connect", "qemu:///system", *words], check=check, capture_output=True, text=True)

    def run(self, *words, directory, check=True, timeout=1800):
        """A command as the person at this host would give it; its output goes to the log, too."""
        began = time.monotonic()
        done = subprocess.run(words, cwd=directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout)
        # Progress is written over itself.
        shown = "\n".join(line.rsplit("\r", 1)[-1] for line in done.stdout.splitlines())
        self.log.write(f"$ {' '.join(words)}\n{shown}\n-- {done.returncode}, {time.monotonic() - began:.1f} s\n")
        self.log.flush()
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} returned {done.returncode}\n{shown[-3000:]}")
        return done
