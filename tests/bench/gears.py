#!/usr/bin/env python3
"""The start of a gear beside crun, bubblewrap and systemd-nspawn running /bin/true, in one run.

Every peer gets the isolation of a gear as far as it has it: own pid, mount, network, IPC, UTS and cgroup namespaces,
/usr read-only, private /tmp, no capability, no_new_privs; crun also the limits and the list of system calls. A gear's
time is that of its whole sandbox with network link, address and port forwarding (which no peer has), plus a program
entering it. Batches of both take turns, as the machine may be busier at one time than at another; a figure is the
median of its batches' medians. Needs root, crun and bubblewrap, and systemd-container for the third
(apt-get install crun bubblewrap systemd-container); builds gear_start.

usage: gears.py [ROUNDS]     in each batch; default 20
"""

import concurrent.futures
import ctypes
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
BATCHES = 5
NAMESPACES = ("pid", "mount", "network", "ipc", "uts", "cgroup")
BINDS = ("/usr", "/etc/alternatives", "/etc/ssl/certs")
LINKS = ("bin", "lib", "lib64", "sbin")


def line(name, value, note=""):
    print(f"{name:<44} {value:>18}   {note}", flush=True)


def allowed_calls():
    """Those that gears may make."""
    return re.findall(r'"([a-z0-9_]+)"', (TOP / "runtime/sys/gear_calls.cpp").read_text(encoding="utf-8").split("namespace {", 1)[1])


def make_bundle(directory, has_limits):
    """An OCI bundle with what a gear has."""
    root = directory / "root"
    for name in ("usr", "proc", "tmp", "dev", "run", "sys", "var", "etc/alternatives", "etc/ssl/certs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in LINKS:
        (root / name).symlink_to(f"usr/{name}")
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "nodev", "noexec"]},
              {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=131072k"]},
              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
              {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance"]}]
    mounts += [{"destination": path, "type": "none", "source": path, "options": ["rbind", "ro", "nosuid", "nodev"]}
               for path in BINDS]
    (directory / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.0", "hostname": "bench", "root": {"path": "root", "readonly": True}, "mounts": mounts,
        "process": {"user": {"uid": 1090, "gid": 1090}, "args": ["/bin/true"], "cwd": "/", "env": ["PATH=/bin"],
                    "noNewPrivileges": True,
                    "capabilities": {k: [] for k in ("bounding", "effective", "inheritable", "permitted", "ambient")},
                    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 4096}]},
        "linux": {"namespaces": [{"type": name} for name in NAMESPACES],
                  **({"resources": {"memory": {"limit": 512 << 20}, "pids": {"limit": 250}}} if has_limits else {}),
                  "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                              "syscalls": [{"names": allowed_calls(), "action": "SCMP_ACT_ALLOW"}]},
                  "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
                  "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"]}}))
    return root


def has_cgroup_v2():
    return pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()


def leave_cgroup_v1():
    """crun refuses a host with both versions: it gets a view with version 2 only, which has no limits there."""
    if has_cgroup_v2():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, private, recursive = 0x20000, 1 << 18, 1 << 14
    libc.unshare(new_mounts)
    libc.mount(b"none", b"/", None, private | recursive, None)
    libc.mount(b"none", b"/sys/fs/cgroup", b"cgroup2", 0, None)


def peers(directory, root):
    binds = [word for path in BINDS for word in ("--ro-bind", path, path)]
    links = [word for name in LINKS for word in ("--symlink", f"usr/{name}", f"/{name}")]
    return {
        "crun": ["crun", "--cgroup-manager=cgroupfs", f"--root={directory}/state", "run", "-b", str(directory), "bench"],
        "bwrap": ["bwrap", "--unshare-all", "--uid", "1090", "--gid", "1090", *binds, *links, "--proc", "/proc", "--dev", "/dev",
                  "--tmpfs", "/tmp", "--cap-drop", "ALL", "/bin/true"],
        "systemd-nspawn": ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "--private-network", "--read-only",
                           f"--directory={root}", *[f"--bind-ro={path}" for path in BINDS], "/bin/true"],
    }


def measure(command):
    """Median in milliseconds and nothing, or nothing and the error."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        times.append((time.perf_counter() - began) * 1000)
        if done.returncode != 0:
            return None, (done.stderr.strip().splitlines() or ["no message"])[-1]
    return statistics.median(times), None


def measure_gear():
    """Medians in milliseconds by part."""
    out = subprocess.run([TOP / "build/host/tests/functional/gear_start", str(ROUNDS)], check=True, capture_output=True, text=True)
    return {part: float(time) for part, time in (row.split("\t") for row in out.stdout.splitlines())}


def main():
    subprocess.run(["ninja", "-C", str(TOP / "build/host"), "gear_start"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="gearbox-bench-") as name, \
            concurrent.futures.ProcessPoolExecutor(1, initializer=leave_cgroup_v1) as elsewhere:
        directory = pathlib.Path(name)
        commands = {peer: command for peer, command in peers(directory, make_bundle(directory, has_cgroup_v2())).items()
                    if shutil.which(command[0])}
        gear, others = [], {peer: [] for peer in commands}
        for _ in range(BATCHES):
            gear.append(measure_gear())
            for peer, command in commands.items():
                others[peer].append(elsewhere.submit(measure, command).result())
    whole = ("start+run", "start", "run", "end")
    for part in (*whole, *sorted(gear[0].keys() - set(whole))):
        median = statistics.median(batch[part] for batch in gear)
        if part in whole or median >= 0.1:
            line(f"gear: {part}" if part in whole else f"      {part}", f"{median:.1f} ms")
    for peer, batches in others.items():
        if error := next((error for _, error in batches if error), None):
            line(peer, "does not run here", error)
            continue
        median = statistics.median(median for median, _ in batches)
        line(f"{peer}: /bin/true", f"{median:.1f} ms")
        line(f"gear start + run / {peer}", f"{statistics.median(batch['start+run'] for batch in gear) / median:.2f} x",
             "goal: 0.8 or less" if peer == "crun" else "")


if __name__ == "__main__":
    main()
