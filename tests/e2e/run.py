#!/usr/bin/env python3
"""Runs the scenarios against a booted image.

A scenario is a file in scenarios/; its functions named check_… run in the order of the file, with the
appliance as argument. All scenarios share one boot; a failed check fails the run and the next one goes on.

usage: run.py ISO [--workdir DIR] [--only WORD] [--firmware bios|uefi] [--keep]
"""

import argparse
import importlib.util
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from appliance import CheckFailed, boot  # noqa: E402


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checks_of(module):
    return [(name, value) for name, value in vars(module).items()
            if name.startswith("check_") and callable(value) and value.__module__ == module.__name__]


def run_check(label, check, appliance):
    began = time.monotonic()
    try:
        check(appliance)
    except Exception as error:  # the report is the point: every failure, with its text
        print(f"FAIL {label} ({time.monotonic() - began:.1f} s)")
        text = str(error) if isinstance(error, CheckFailed) else traceback.format_exc()
        print("     " + text.strip().replace("\n", "\n     "), flush=True)
        return False
    print(f"ok   {label} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image")
    parser.add_argument("--workdir", default="build/e2e")
    parser.add_argument("--only", default="", help="scenarios whose file name holds this word")
    parser.add_argument("--firmware", choices=("bios", "uefi"), default="bios")
    parser.add_argument("--keep", action="store_true", help="leave the machine running")
    arguments = parser.parse_args()
    workdir = pathlib.Path(arguments.workdir).resolve()
    workdir.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        appliance = boot(arguments.image, workdir, firmware=arguments.firmware)
    except Exception:
        traceback.print_exc()
        print("0 passed, 1 failed, 0 skipped (boot)")
        return 1
    print(f"ok   boot ({time.monotonic() - began:.1f} s)", flush=True)
    passed, failed = 1, 0
    try:
        for path in sorted((HERE / "scenarios").glob("*.py")):
            if arguments.only not in path.stem:
                continue
            for name, check in checks_of(load(path)):
                label = f"{path.stem}: {name.removeprefix('check_').replace('_', ' ')}"
                if run_check(label, check, appliance):
                    passed += 1
                else:
                    failed += 1
    finally:
        try:
            journal = appliance.sudo("journalctl -b --no-pager -o short-monotonic", timeout=180)
            (workdir / "journal.log").write_text(journal)
        finally:
            if arguments.keep:
                appliance.machine.detach()
            else:
                appliance.machine.stop()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
