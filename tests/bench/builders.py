#!/usr/bin/env python3
"""Builds of the same packages with the same compression: gearbox-build, mkosi and live-build, each from nothing in this run.

mkosi packs the tree only (its images have no BIOS boot and no disc); live-build makes a hybrid ISO with its own initramfs.
Neither gets Gearbox's package, policy, labels or settings, nor a reproducible result: all of that is our part. Every tool loads
the packages itself. Then the daemon's package changes by a line, and gearbox-build makes its ISO again. Needs root, mkosi and
live-build; run wholly in a mount namespace of its own (make bench-builders).

usage: builders.py [gearbox|mkosi|live-build]…      default: all
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import recipe

TOP = pathlib.Path(__file__).resolve().parents[2]
WORK = TOP / "build/bench-builders"


def line(name, value, note=""):
    print(f"{name:<44} {value:>16}   {note}", flush=True)


def timed(command, **options):
    os.sync()  # what the one before has left to be written is not ours
    began = time.monotonic()
    with open(WORK / "tools.log", "a", encoding="utf-8") as log:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
    return time.monotonic() - began


def make_plan(deb):
    stages = recipe.stages(deb)
    root = stages["root-tree"]
    return {"suite": root["suite"], "mirror": root["archives"][0].split()[1], "packages": root["packages"],
            "dpkg": "\n".join(root["dpkg"]) + "\n", "level": str(stages["squashfs"]["compression"]),
            "apt": "\n".join(recipe.apt_options()) + "\n"}


def put_settings(plan, tree):
    """What apt and dpkg are told in our tree, for the files of a peer's."""
    for path, text in (("etc/dpkg/dpkg.cfg.d/bench", plan["dpkg"]), ("etc/apt/apt.conf.d/99bench", plan["apt"])):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)


def build_gearbox(_, deb):
    return timed([recipe.BUILDER, "build", recipe.RECIPE, "--deb", str(deb), "--output", str(WORK / "gearbox.iso"), "--cache", str(WORK / "cache")])


def build_mkosi(plan, _):
    folder = WORK / "mkosi"
    folder.mkdir()
    skeleton = folder / "skeleton"
    put_settings(plan, skeleton)
    # It has no word for the level.
    tools = folder / "bin"
    tools.mkdir()
    wrapper = tools / "mksquashfs"
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/mksquashfs "$@" -Xcompression-level {plan["level"]} -b 256K\n')
    wrapper.chmod(0o755)
    # systemd-nspawn, which it uses, wants its directory in a file system in memory.
    mount = "mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && exec \"$@\""
    command = ["unshare", "--mount", "sh", "-ec", mount, "sh", "mkosi", "--force", "--distribution=debian",
               f"--release={plan['suite']}", f"--mirror={plan['mirror']}", "--format=plain_squashfs", "--compress-fs=zstd", f"--skeleton-tree={skeleton}", "--output=image", "--with-docs=no",
               "--bootable=no", "--nspawn-keep-unit=yes", *(f"--package={name}" for name in plan["packages"])]
    return timed(command, cwd=folder, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})


def build_live_build(plan, _):
    folder = WORK / "live-build"
    folder.mkdir()
    mirror = plan["mirror"].rstrip("/") + "/"
    timed(["lb", "config", "--mode", "debian", "--distribution", plan["suite"], "--architecture", "amd64", "--archive-areas", "main",
           *(word for part in ("bootstrap", "chroot", "binary") for word in (f"--mirror-{part}", mirror)),
           "--security", "false", "--updates", "false", "--backports", "false", "--apt-recommends", "false", "--apt-indices", "false",
           "--cache", "false", "--debootstrap-options", "--variant=minbase", "--debian-installer", "none", "--memtest", "none",
           "--win32-loader", "false", "--firmware-chroot", "false", "--firmware-binary", "false", "--binary-images", "iso-hybrid",
           "--chroot-squashfs-compression-type", "zstd", "--chroot-squashfs-compression-level", plan["level"]], cwd=folder)
    (folder / "config/package-lists/bench.list.chroot").write_text("\n".join(plan["packages"]) + "\n")
    put_settings(plan, folder / "config/includes.chroot_before_packages")
    # Those of its own that it needs to install the rest.
    (folder / "config/apt").mkdir(exist_ok=True)
    (folder / "config/apt/apt.conf").write_text(plan["apt"])
    return timed(["lb", "build"], cwd=folder)


def change_a_line(deb):
    """The package with one more line in one of its files."""
    tree = WORK / "changed"
    timed(["dpkg-deb", "--raw-extract", str(deb), str(tree)])
    with open(tree / "usr/sbin/gearboxd", "ab") as program:
        program.write(b"\n")
    sums = tree / "DEBIAN/md5sums"
    digest = subprocess.run(["md5sum", "usr/sbin/gearboxd"], cwd=tree, check=True, stdout=subprocess.PIPE, text=True).stdout
    sums.write_text(re.sub(r".*usr/sbin/gearboxd\n", digest, sums.read_text()))
    timed(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(WORK / deb.name)])
    return WORK / deb.name


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    deb = recipe.built_package()
    plan = make_plan(deb)
    builders = {"gearbox": build_gearbox, "mkosi": build_mkosi, "live-build": build_live_build}
    seconds = {}
    for name in sys.argv[1:] or list(builders):
        seconds[name] = builders[name](plan, deb)
        line(name, f"{seconds[name]:.0f} s")
    if "gearbox" not in seconds:
        return
    peers = [took for name, took in seconds.items() if name != "gearbox"]
    if peers:
        line("gearbox-build to the faster one", f"{seconds['gearbox'] / min(peers):.2f}", "goal: at most 0.6")
    again = build_gearbox(plan, change_a_line(deb))
    line("one line of the daemon changed", f"{again:.0f} s")
    line("to the whole build", f"{again / seconds['gearbox']:.2f}", "goal: at most 0.1")
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
