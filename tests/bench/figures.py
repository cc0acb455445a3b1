#!/usr/bin/env python3
"""Prints the figures that the project watches. Nothing is asserted: the goals stand beside the figures.

usage: figures.py [image|appliance]…      default: both
  image      a build from nothing against bare mmdebstrap + mksquashfs of the same tree, in this run
  appliance  size, memory, boot and application times of the booted image
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import uuid

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))

import recipe  # noqa: E402
from appliance import boot, expect  # noqa: E402

ISO = TOP / "build/gearbox.iso"
WORK = TOP / "build/bench"


def line(name, value, goal=""):
    print(f"{name:<58} {value:>16}   {goal}", flush=True)


def timed(command):
    began = time.monotonic()
    with open(WORK / "tools.log", "a", encoding="utf-8") as log:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                       env={**os.environ, "INITRD": "No"})
    return time.monotonic() - began


def bare_build(stages):
    """The tools alone: the recipe's packages unpacked, the tree packed at the recipe's level."""
    tree, packed = WORK / "tree", WORK / "tree.squashfs"
    options = stages["root-tree"]
    unpack = timed(["mmdebstrap", "--mode=root", "--format=directory", f"--variant={options['variant']}",
                    *(f"--aptopt={option.rstrip(';')}" for option in recipe.apt_options()), '--aptopt=APT::Install-Recommends "false"',
                    *(f"--dpkgopt={rule}" for rule in options["dpkg"]), "--include=" + ",".join(options["packages"]),
                    options["suite"], str(tree), *options["archives"]])
    level = str(stages["squashfs"]["compression"])
    pack = timed(["mksquashfs", str(tree), str(packed), "-comp", "zstd", "-Xcompression-level", level, "-b", "256K",
                  "-noappend", "-no-progress", "-quiet"])
    return unpack, pack


def bench_image():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    deb = recipe.built_package()
    whole = timed([recipe.BUILDER, "build", recipe.RECIPE, "--deb", str(deb), "--output", str(WORK / "gearbox.iso"),
                   "--cache", str(WORK / "cache"), "--report", str(WORK / "stages.json")])
    for stage in json.loads((WORK / "stages.json").read_text())["stages"]:
        line(f"image: stage {stage['stage']}", f"{stage['seconds']:.1f} s")
    unpack, pack = bare_build(recipe.stages(deb))
    line("image: gearbox-build from nothing", f"{whole:.1f} s")
    line("image: bare mmdebstrap + mksquashfs", f"{unpack:.1f} + {pack:.1f} s")
    line("image: ratio to the bare tools", f"{whole / (unpack + pack):.2f}", "goal: at most 1.25")
    again = timed([recipe.BUILDER, "build", recipe.RECIPE, "--deb", str(deb), "--output", str(WORK / "again.iso"),
                   "--cache", str(WORK / "cache")])
    line("image: second build, nothing changed", f"{again:.1f} s")
    shutil.rmtree(WORK, ignore_errors=True)


def seconds_of(appliance, unit, field):
    value = appliance.sudo(f"systemctl show -p {field} --value {unit}").strip()
    return int(value) / 1e6


def bench_boot(appliance):
    line("ISO size", f"{ISO.stat().st_size / 1e6:.0f} MB", "goal: at most 400 MB")
    memory = appliance.sudo("cat /proc/meminfo")
    total, available = (int(re.search(rf"{name}: +(\d+)", memory)[1]) / 1024 for name in ("MemTotal", "MemAvailable"))
    line("guest memory in use before the first application", f"{total - available:.0f} MB", "goal: at most 200 MB")
    status = appliance.sudo("cat /proc/$(systemctl show -p MainPID --value gearboxd)/status")
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    line("gearboxd resident", f"{resident:.1f} MB", "goal: at most 24 MB")
    broker = seconds_of(appliance, "gearboxd", "ActiveEnterTimestampMonotonic")
    target = seconds_of(appliance, "multi-user.target", "ActiveEnterTimestampMonotonic")
    line("boot to broker ready (kernel start = 0)", f"{broker:.1f} s")
    line("boot to multi-user.target", f"{target:.1f} s")
    line("broker against multi-user.target", f"{broker / target:.2f}", "goal: at most 1.00")


def create_with_steps(appliance, user, name):
    """The application, seconds, and the steps with their times as the journal has them."""
    request_id = uuid.uuid4().hex
    quickstart = next(q["quickstart"] for q in user.api("GET", "/quickstarts").json["data"]
                      if q["quickstart"]["id"] == "wordpress")
    began = time.monotonic()
    reply = user.api("POST", f"/domain/{user.login}/applications",
                     {"name": name, "cartridges": ["php", "mysql"], "initial_git_url": quickstart["initial_git_url"]},
                     headers={"X-Request-Id": request_id}, timeout=1200)
    took = time.monotonic() - began
    expect(reply.status, 201, reply.text)
    steps = user.api("GET", f"/operations/{request_id}").json["data"]["steps"]
    return reply.json["data"], took, steps


def bench_application(appliance):
    user = appliance.make_user("bench")
    app, took, steps = create_with_steps(appliance, user, "blog")
    for step in steps:
        line(f"create WordPress: {step['title']}", f"{step['elapsed_ms'] / 1000:.2f} s")
    line("create WordPress, request to reply", f"{took:.1f} s")
    tree = user.clone(app)
    pushes, served = [], []
    for number in range(3):
        page = tree / ".openshift/themes/gearbox/footer.php"
        page.write_text(page.read_text() + f"<!-- push {number} -->\n")
        began = time.monotonic()
        user.push(tree, f"Push {number}")
        pushes.append(time.monotonic() - began)
        expect(appliance.web(app).get("/").status, 302)  # not installed yet: its form
        served.append(time.monotonic() - began)
    line("git push, start to end (median of 3)", f"{statistics.median(pushes):.1f} s")
    line("git push, start to served (median of 3)", f"{statistics.median(served):.1f} s")
    restart = time.monotonic()
    expect(user.api("POST", f"/application/{app['id']}/events", {"event": "restart"}).status, 200)
    line("restart of the application", f"{time.monotonic() - restart:.1f} s")


def bench_appliance():
    appliance = boot(ISO, TOP / "build/bench-vm")
    try:
        line("accelerator", "KVM" if appliance.machine.use_kvm else "TCG")
        bench_boot(appliance)
        bench_application(appliance)
    finally:
        appliance.machine.stop()


def main():
    parts = {"image": bench_image, "appliance": bench_appliance}
    for name in sys.argv[1:] or list(parts):
        parts[name]()


if __name__ == "__main__":
    main()
