#!/usr/bin/env python3
"""Sizes of the live medium and times of its start, against others of the same tree. Needs root and build/gearbox.iso.

usage: media.py [--rounds N] [size|boot|packing]…      default: 3 rounds, all
  size     the ISO beside the installed size of the packages that are on it
  boot     the ISO beside a disk image of the same tree, from power-on until the broker answers
  packing  root images by squashfs (xz, zstd) and EROFS (lz4hc, zstd): seconds to make, size, and the start with each: the same
           kernel and initramfs started by QEMU itself, without dm-verity

Starts alternate and figures are medians; the processor time of the whole machine is the steadier figure.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))

import recipe  # noqa: E402
from qemu import Machine  # noqa: E402

ISO = TOP / "build/gearbox.iso"
WORK = TOP / "build/bench-media"
# Name, and the program's options. EROFS is packed by the release's own program, which knows more ways than an older host's.
SQUASHFS = {
    "squashfs xz 256K": "-comp xz -b 256K",
    "squashfs zstd 3 256K": "-comp zstd -Xcompression-level 3 -b 256K",
    "squashfs zstd 7 128K": "-comp zstd -Xcompression-level 7 -b 128K",
    "squashfs zstd 7 256K": "-comp zstd -Xcompression-level 7 -b 256K",
    "squashfs zstd 9 512K": "-comp zstd -Xcompression-level 9 -b 512K",
    "squashfs zstd 15 256K": "-comp zstd -Xcompression-level 15 -b 256K",
}
EROFS = {
    "erofs lz4hc 64K": "-zlz4hc,9 -C65536 -Efragments,dedupe,ztailpacking",
    "erofs zstd 7 256K": "-zzstd,7 -C262144 -Efragments,dedupe,ztailpacking",
}


def line(name, value, note=""):
    print(f"{name:<44} {value:>28}   {note}", flush=True)


def run(command, **options):
    with open(WORK / "tools.log", "a", encoding="utf-8") as log:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)


def from_medium(name, to):
    run(["xorriso", "-osirrox", "on", "-indev", str(ISO), "-extract", name, str(to)])
    os.chmod(to, 0o600)
    return to


def bench_size(_):
    upper = from_medium("/live/upper.squashfs", WORK / "upper.squashfs")
    status = subprocess.run(["unsquashfs", "-cat", str(upper), "var/lib/dpkg/status"], check=True, stdout=subprocess.PIPE, text=True).stdout
    kibibytes = [int(size) for size in re.findall(r"^Installed-Size: (\d+)$", status, re.MULTILINE)]
    installed = sum(kibibytes) * 1024
    line("packages on the medium", len(kibibytes), f"{installed / 1e6:.0f} MB installed")
    line("the ISO", f"{ISO.stat().st_size / 1e6:.0f} MB")
    line("ratio to the installed size", f"{ISO.stat().st_size / installed:.3f}", "goal: at most 0.28")


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answers(port):
    """Not longer than a second: what comes before the guest has a network QEMU keeps for long, and figures would be as coarse."""
    with contextlib.suppress(OSError, http.client.HTTPException), \
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
        connection.request("GET", "/broker/rest/api", headers={"Accept": "application/json"})
        return connection.getresponse().status == 200
    return False


def start(image, name, extra=()):
    """Seconds and processor seconds from power-on until the broker answers, and megabytes read from the medium."""
    with Machine(image, WORK / f"machine-{name}", extra=extra) as machine:
        began = time.monotonic()
        while not answers(machine.ports[80]):
            if time.monotonic() - began > 600 or not machine.is_running():
                raise TimeoutError(f"no broker: {machine.serial_log}")
            time.sleep(0.1)
        took, used = time.monotonic() - began, processor_seconds(machine.pid)
        drives = machine.qmp("query-blockstats")
        return took, used, max(drive["stats"]["rd_bytes"] for drive in drives) / 1e6


def compare(machines, rounds):
    """machines: name → (image, extra). The first is what the others are compared to."""
    seen = {name: [] for name in machines}
    for round_number in range(rounds):
        for name in list(machines)[::-1 if round_number % 2 else 1]:
            image, extra = machines[name]
            seen[name].append(start(image, re.sub(r"\W+", "-", name), extra))
    medians = {name: [statistics.median(column) for column in zip(*starts)] for name, starts in seen.items()}
    first = next(iter(medians.values()))
    for name, (took, used, read) in medians.items():
        line(name, f"{took:.1f} s, {used:.1f} s of processor", f"{read:.0f} MB read; ratios {took / first[0]:.2f}, {used / first[1]:.2f}")
    return medians


def bench_boot(rounds):
    run([recipe.BUILDER, "build", recipe.RECIPE, "--format", "iso,qcow2", "--deb", str(recipe.built_package()),
         "--output", str(WORK / "same") + "/"])
    images = {path.suffix: path for path in (WORK / "same").iterdir()}
    medians = compare({"disk image": (images[".qcow2"], ()), "ISO": (images[".iso"], ())}, rounds)
    line("ISO to disk image", f"{medians['ISO'][0] / medians['disk image'][0]:.2f}", "goal: at most 1.15")


def pack_erofs(tree, image, options):
    chroot = subprocess.run([str(TOP / "packages/chroot"), "trixie", "erofs", "erofs-utils"], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    program = ["mkfs.erofs", *options.split(), "-T0", f"/mnt/{image.name}", f"/mnt/{tree.name}"]
    run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", 'mount --bind "$1" "$2/mnt"; shift; exec chroot "$@"', "sh",
         str(WORK), chroot, *program])


def bench_packing(rounds):
    kernel, initrd = from_medium("/live/vmlinuz", WORK / "vmlinuz"), from_medium("/live/initrd.img", WORK / "initrd.img")
    tree = WORK / "tree"
    for name in ("base", "upper"):
        image = from_medium(f"/live/{name}.squashfs", WORK / f"{name}.squashfs")
        run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", str(tree), str(image)])
    line("files, unpacked", f"{int(subprocess.check_output(['du', '-s', '--block-size=1000000', str(tree)]).split()[0])} MB")
    machines = {}
    for name, options in {**SQUASHFS, **EROFS}.items():
        medium = WORK / re.sub(r"\W+", "-", name)
        (medium / "live").mkdir(parents=True)
        file_system = name.split()[0]
        image = WORK / f"root.{file_system}.new"
        began = time.monotonic()
        if name in EROFS:
            pack_erofs(tree, image, options)
        else:
            run(["mksquashfs", str(tree), str(image), *options.split(), "-noappend", "-no-progress", "-quiet"])
        took = time.monotonic() - began
        size = image.stat().st_size
        image.rename(medium / f"live/root.{file_system}")
        iso = medium.with_suffix(".iso")
        run(["xorriso", "-as", "mkisofs", "-r", "-iso-level", "3", "-V", "GEARBOX", "-o", str(iso), str(medium)])
        shutil.rmtree(medium)
        line(name, f"{size / 1e6:.0f} MB", f"packed in {took:.0f} s")
        machines[name] = (iso, ("-kernel", str(kernel), "-initrd", str(initrd), "-append",
                                "security=selinux enforcing=1 systemd.gpt_auto=0 console=ttyS0,115200 quiet "
                                f"gearbox.label=GEARBOX gearbox.images=/live/root.{file_system}"))
    chosen = "squashfs zstd 7 256K"
    compare({chosen: machines.pop(chosen), **machines}, rounds)


def main():
    parts = {"size": bench_size, "boot": bench_boot, "packing": bench_packing}
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("parts", nargs="*", choices=[*parts, []])
    arguments = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for name in arguments.parts or parts:
        parts[name](arguments.rounds)
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
