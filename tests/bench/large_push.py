#!/usr/bin/env python3
"""Memory that a large push takes: files that cannot be compressed, through the real sshd, gear shell, daemon and git of a private host.

Prints the peak of the daemon and of each program of the gear (VmHWM in proc_pid_status(5)), and fails if one of them grows with
the push: by more than 128 MiB, or anything was killed for want of memory. The gear is of the default size. Homes are on the disk of WORK:
on a tmpfs files would count as memory of their gear. Needs root; run in namespaces of its own: make bench-large-push.

usage: large_push.py [MIB] [WORK]     default: 500, /var/tmp
"""

import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stress"))

import host  # noqa: E402
from push import Tree, create, line  # noqa: E402
from stress import Account  # noqa: E402

FILES = 5
MOST_MIB = 128


class Watch(threading.Thread):
    """Peaks of the programs of an account, and of what they have together."""

    def __init__(self, uid):
        super().__init__(daemon=True)
        self.uid, self.peaks, self.together, self.ended = str(uid), collections.Counter(), 0, False

    def run(self):
        while not self.ended:
            together = 0
            for path in pathlib.Path("/proc").glob("[0-9]*/status"):
                try:
                    rows = dict(row.split(":\t", 1) for row in path.read_text().splitlines() if ":\t" in row)
                    name = (path.parent / "cmdline").read_bytes().split(b"\0")
                except (OSError, ProcessLookupError):
                    continue
                if rows["Uid"].split()[0] == self.uid and "VmHWM" in rows:
                    what = " ".join(word.decode() for word in name[:3] if not word.startswith(b"-"))[:40] or rows["Name"]
                    self.peaks[what] = max(self.peaks[what], int(rows["VmHWM"].split()[0]))
                    together += int(rows["VmRSS"].split()[0])
            self.together = max(self.together, together)
            time.sleep(0.02)


def main(mib=500, base="/var/tmp"):
    with tempfile.TemporaryDirectory(dir=base) as name:
        work = pathlib.Path(name)
        work.chmod(0o755)
        host.prepare()
        (work / "homes").mkdir()
        host.run("mount", "--bind", work / "homes", host.GEARS)
        machine = host.Host(work)
        try:
            measure(machine, mib, work)
        finally:
            machine.stop()
            host.run("umount", host.GEARS)


def measure(machine, mib, work):
    account = Account("bench")
    account.ask("POST", "domains", {"name": "bench"})
    account.ask("POST", "user/keys", {"name": "k", "type": "ssh-ed25519", "content": (work / "user.pub").read_text().split()[1]})
    application, _ = create(account, "large", "mock-1.0")
    tree = Tree(f"ssh://{application['id']}@127.0.0.1/~/git/large.git/", "static", work / "tree", work / "user")
    for number in range(FILES):
        with open(work / f"tree/file{number}", "wb") as file:
            for _ in range(mib // FILES):
                file.write(os.urandom(1 << 20))
    tree.commit()
    # Starts the count of the daemon's peak anew (proc_pid_clear_refs(5)).
    pathlib.Path(f"/proc/{machine.daemon.pid}/clear_refs").write_text("5")
    before = machine.memory_mb()
    watch = Watch(next(row.split(":")[2] for row in pathlib.Path("/etc/passwd").read_text().splitlines() if row.startswith(application["id"])))
    watch.start()
    took, _ = tree.push()
    again = time.perf_counter()
    subprocess.run(["git", "clone", "-q", f"ssh://{application['id']}@127.0.0.1/~/git/large.git/", work / "again"], check=True, env=tree.environment)
    fetched = time.perf_counter() - again
    watch.ended = True
    watch.join()
    status = pathlib.Path(f"/proc/{machine.daemon.pid}/status").read_text()
    peak = next(int(row.split()[1]) / 1024 for row in status.splitlines() if row.startswith("VmHWM"))
    line(f"a push of {mib} MiB in {FILES} files", f"{took / 1000:.1f} s", f"a clone of it afterwards: {fetched:.1f} s")
    line("gearboxd: resident before, peak", f"{before:.0f}, {peak:.0f} MiB")
    for what, kilobytes in watch.peaks.most_common(6):
        line(f"in the gear: {what}", f"{kilobytes / 1024:.0f} MiB")
    line("all programs of the gear at once", f"{watch.together / 1024:.0f} MiB", "the default size has 512 MiB")
    if peak - before > MOST_MIB or max(watch.peaks.values()) / 1024 > MOST_MIB:
        raise SystemExit(f"something has taken more than {MOST_MIB} MiB for a push of {mib} MiB")


if __name__ == "__main__":
    main(*(int(word) if word.isdigit() else word for word in sys.argv[1:]))
