#!/usr/bin/env python3
"""A thousand idle gears: what number 10, 100 and 1,000 take to be made and started, and what all take of memory.

The gears are made three times; times are medians of the 40 gears up to the number (of all ten for 10), part by part.
Memory: private memory of a gear's PID 1, what the gears' cgroups are charged for, and what the machine has less
available. Needs root; builds gear_density.

usage: density.py [GEARS]
"""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
GEARS = sys.argv[1] if len(sys.argv) > 1 else "1000"


def line(name, value, note=""):
    print(f"{name:<44} {value:>18}   {note}", flush=True)


def main():
    subprocess.run(["ninja", "-C", str(TOP / "build/host"), "gear_density"], check=True, stdout=subprocess.DEVNULL)
    out = subprocess.run([TOP / "build/host/tests/functional/gear_density", GEARS], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    values = {name: float(value) for name, value in (row.split() for row in out.splitlines())}
    marks = sorted({int(name.split(":")[0]) for name in values if ":" in name})
    parts = {name.split(":")[1] for name in values if ":" in name}
    line("gear number", " ".join(f"{mark:>8}" for mark in marks), "ms; growth from the first to the last")
    for part in sorted(parts, key=lambda part: (part not in ("create+start", "create", "start", "run", "control"), part)):
        times = [values.get(f"{mark}:{part}", 0) for mark in marks]
        growth = f"{(times[-1] / times[0] - 1) * 100:+.0f} %" if times[0] else ""
        if max(times) >= 0.5:
            line(f"  {part}", " ".join(f"{time:8.1f}" for time in times),
                 growth + ("   goal: at most +10 %" if part == "create+start" else ""))
    line("private memory of a gear's PID 1 (median)", f"{values['init-private-kib'] / 1024:.2f} MB", "goal: at most 1 MB")
    line("                               (largest)", f"{values['init-private-most-kib'] / 1024:.2f} MB")
    line(f"{GEARS} idle gears, charged to their cgroups", f"{values['cgroups-mib'] / 1024:.2f} GB")
    line(f"{GEARS} idle gears, MemAvailable less by", f"{values['available-mib'] / 1024:.2f} GB",
         "goal: at most 4 GB for 1,000")


if __name__ == "__main__":
    main()
