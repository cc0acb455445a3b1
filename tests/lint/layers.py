#!/usr/bin/env python3
"""Fails on an include that the layer table of ARCHITECTURE.md does not allow.

usage: layers.py [SOURCE_DIR]
"""
import pathlib
import re
import sys

# Folder below runtime/ → folders that it may include; "=" means exactly that header.
ALLOWED = {
    "base": set(),
    "model": {"base"},
    "cartridge": {"base", "model"},
    "sys": {"base", "model"},
    "conformance": {"base", "model"},
    "gear-init": {"base", "sys", "model"},
    "gear-deploy": {"base"},
    "node": {"base", "sys", "model", "cartridge"},
    "broker": {"base", "model", "=node/agent.h"},
    "plugins": {"base", "sys", "model", "broker", "=node/security_policy.h"},
    "control": {"base"},
    "rest": {"base", "model", "broker"},
    "cli": {"base", "model", "cartridge", "control", "conformance"},
}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"')


def problems(root):
    for folder, allowed in ALLOWED.items():
        for file in sorted((root / "runtime" / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                header = match.group(1)
                top = header.split("/")[0]
                if top == folder or top in allowed or f"={header}" in allowed:
                    continue
                yield f"{file.relative_to(root)}:{number}: {folder}/ may not include '{header}'"
    for file in sorted((root / "builder").rglob("*")):
        if file.suffix not in (".h", ".cpp"):
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1).split("/")[0] in ("node", "broker", "rest", "control", "cli", "sys"):
                yield f"{file.relative_to(root)}:{number}: builder/ may not include '{match.group(1)}'"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(problems(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
