#!/usr/bin/env python3
"""Runs the scenarios against a booted image.

A scenario is a file in scenarios/; its functions named check_… run in the order of the file, with the
appliance as argument (those with OWN_MACHINES = True start theirs: they get a Bench). A failed check fails the run and
the next one goes on. Each machine (one processor, one boot) takes the next scenario when it has done with its last one;
scenarios need nothing of each other. An image of a disk (.raw, .qcow2, .vmdk, .vdi) gets those of scenarios/disk/ too,
and any other those of scenarios/live/. With --by-hand it gets those of scenarios/by_hand/ and no others. Runs that share a
directory of claims share the scenarios.

usage: run.py IMAGE [--workdir DIR] [--only WORD[,WORD…]] [--without WORD] [--machines N] [--claims DIR]
              [--firmware bios|uefi|uefi-secure] [--by-hand] [--keep]
"""

import argparse
import concurrent.futures
import importlib.util
import os
import pathlib
import queue
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from appliance import Bench, CheckFailed, boot  # noqa: E402
from qemu import FIRMWARES, MEDIA, is_disk, larger_disk  # noqa: E402


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checks_of(module):
    return [(name, value) for name, value in vars(module).items()
            if name.startswith("check_") and callable(value) and value.__module__ == module.__name__]


class Verdicts:
    """What has been counted; every line is printed at once and whole."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, label, seconds, complaint=None):
        if complaint is None:
            self.passed += 1
            print(f"ok   {label} ({seconds:.1f} s)\n", end="", flush=True)
        else:
            self.failed += 1
            text = complaint.strip().replace("\n", "\n     ")
            print(f"FAIL {label} ({seconds:.1f} s)\n     {text}\n", end="", flush=True)


def attempt(verdicts, label, action):
    """What the action returns; None if it failed, which is counted and told."""
    began = time.monotonic()
    try:
        result = action()
    except Exception as error:  # the report is the point: every failure, with its text
        text = str(error) if isinstance(error, CheckFailed) else traceback.format_exc()
        verdicts.add(label, time.monotonic() - began, text)
        return None
    verdicts.add(label, time.monotonic() - began)
    return result


def boot_image(arguments, workdir):
    """An image of a disk gets a disk that is larger than itself, and may restart."""
    options = {"firmware": arguments.firmware, "media": arguments.media, "nic": arguments.nic}
    if not is_disk(arguments.image):
        return boot(arguments.image, workdir, **options)
    return boot(larger_disk(arguments.image, workdir), workdir, keeps=True, kernel_reboots=True, **options)


# The machine as it has started; then those that take minutes, so that no machine ends long after the others.
FIRST = ("10_system", "44_broken", "39_languages", "39_quickstarts", "37_databases", "50_crashes", "41_registries", "38_cartridges", "36_layers", "20_wordpress")


def turn(path):
    return FIRST.index(path.stem) if path.stem in FIRST else len(FIRST), path.name


class Scenarios:
    """Those that are left, of this run and of the others that share its claims."""

    def __init__(self, paths, claims):
        self.claims = claims and pathlib.Path(claims)
        self.left = queue.SimpleQueue()
        for path in paths:
            self.left.put(path)

    def next(self):
        """None if there is none."""
        try:
            while not self._claim(path := self.left.get_nowait()):
                pass
            return path
        except queue.Empty:
            return None

    def _claim(self, path):
        try:
            if self.claims:
                (self.claims / path.stem).touch(exist_ok=False)
            return True
        except FileExistsError:
            return False


def run_checks(verdicts, path, module, subject):
    for name, check in checks_of(module):
        label = f"{path.stem}: {name.removeprefix('check_').replace('_', ' ')}"
        attempt(verdicts, label, lambda check=check: check(subject))


def run_machine(arguments, workdir, scenarios, verdicts):
    """Boots one machine and runs scenarios in it until none is left; before that, those that boot their own."""
    workdir.mkdir(parents=True, exist_ok=True)
    path = scenarios.next()
    while path is not None and getattr(load(path), "OWN_MACHINES", False):
        bench = Bench(arguments.image, workdir / path.stem, firmware=arguments.firmware, nic=arguments.nic)
        try:
            run_checks(verdicts, path, load(path), bench)
        finally:
            bench.stop()
        path = scenarios.next()
    if path is None:
        return
    appliance = attempt(verdicts, f"boot of {workdir.name}",
                        lambda: boot_image(arguments, workdir))
    if appliance is None:
        verdicts.add(path.stem, 0, "not run: no machine")
        return
    try:
        while path is not None:
            run_checks(verdicts, path, load(path), appliance)
            path = scenarios.next()
    finally:
        try:
            if verdicts.failed:
                journal = appliance.sudo("journalctl -b --no-pager -o short-monotonic", timeout=180)
                (workdir / "journal.log").write_text(journal)
        finally:
            if arguments.keep:
                appliance.machine.detach()
            else:
                appliance.machine.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image")
    parser.add_argument("--workdir", default="build/e2e")
    parser.add_argument("--only", default="", help="scenarios whose file name holds one of these words")
    parser.add_argument("--without", help="not those whose file name holds this word")
    parser.add_argument("--machines", type=int, default=min(2, os.cpu_count() or 1), help="how many at once")
    parser.add_argument("--claims", help="a directory: no scenario is run that another run with the same one has begun")
    parser.add_argument("--firmware", choices=FIRMWARES, default="bios")
    parser.add_argument("--media", choices=MEDIA, help="virtio for images of disks, cdrom for others")
    parser.add_argument("--nic", default="virtio-net-pci", help="QEMU's name of the network card")
    parser.add_argument("--by-hand", action="store_true", help="the scenarios that no plain run has")
    parser.add_argument("--keep", action="store_true", help="leave the machines running")
    arguments = parser.parse_args()
    folders = ("scenarios", "scenarios/disk" if is_disk(arguments.image) else "scenarios/live")
    if arguments.by_hand:
        folders = ("scenarios/by_hand",)
    paths = sorted((path for folder in folders for path in (HERE / folder).glob("*.py")), key=turn)
    wanted = [path for path in paths if any(word in path.stem for word in arguments.only.split(","))
              and not (arguments.without and arguments.without in path.stem)]
    scenarios, verdicts = Scenarios(wanted, arguments.claims), Verdicts()
    machines = max(1, min(arguments.machines, len(wanted)))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = [pool.submit(run_machine, arguments, pathlib.Path(arguments.workdir).resolve() / f"machine-{number}",
                               scenarios, verdicts) for number in range(1, machines + 1)]
        for machine in running:
            machine.result()
    while (path := scenarios.next()) is not None:
        verdicts.add(path.stem, 0, "not run: no machine")
    print(f"{verdicts.passed} passed, {verdicts.failed} failed, 0 skipped")
    return 1 if verdicts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
