#!/usr/bin/env python3
"""Fails for an attempt of the conformance table that no test shows to succeed where its layers are off.

usage: attempts.py [SOURCE_DIR]
"""
import ast
import pathlib
import re
import sys

# Attempts that nothing shows to succeed, and why.
REASONS = {
    **dict.fromkeys(("files/hard-link-by-descriptor", "files/hard-link-to-setuid", "files/hard-link-to-system", "archives/hard-link-outside"),
                    "homes are on another file system than the system, and where they were not, a mount of their own"),
    **dict.fromkeys(("labels/user-map", "labels/group-map", "labels/setgroups-switch"),
                    "the kernel lets nobody write those of the user namespace that it begins with"),
    "kernel/call-x32": "the kernel is built without, or started without (syscall.x32)",
    "kernel/directory-cookie": "the kernel has not had the call for some versions",
    "kernel/finit-module": "SELinux lets root load no module from such a file; its sister init-module comes through",
    "network/other-gear-loopback": "127.0.0.0/8 does not leave a network namespace",
    "network/host-loopback-by-device": "the kernel drops it on the way out and on the way in (route_localnet)",
    "network/foreign-low-port": "an address must be the gear's first; address-add and low-port come through",
    "network/spoofed-source": "an address must be the gear's first; address-add comes through",
    "network/ipv4-broadcast": "the host has nobody who would answer; the rule is the one of host-udp",
    **dict.fromkeys(("network/ipv6-all-nodes", "network/ipv6-link-local"), "the links of gears have no IPv6 that a layer could switch off"),
    **dict.fromkeys(("network/rds", "network/tipc"), "families that neither kernel loads by itself"),
    "resources/core-handler": "dumps are files of who crashes; another handler would be the machine's",
}


def shown_by_layers_test(text):
    """What must come through, in its lists: group/attempt."""
    lists = re.findall(r"(?:Layer::\w+,\s*|IsSupersetOf\(|Names(?: \w+ =)? ?)\{([^}]*)\}", text)
    return set(re.findall(r'"([\w-]+/[\w-]+)"', " ".join(lists)))


def shown_by_scenario(text):
    """The same of 36_layers.py, whose lists have names without groups."""
    words = set()
    for node in ast.walk(ast.parse(text)):
        parts = ast.walk(node) if isinstance(node, (ast.Set, ast.Tuple, ast.List, ast.Dict)) else []
        if isinstance(node, ast.Attribute) and node.attr == "split":
            parts = [node.value]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                words.update(part.value.split())
    return words


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    rows = re.findall(r"^ATTEMPT\((\w+), (\w+),", (root / "runtime/conformance/attempts.def").read_text(), re.M)
    table = {f"{group}/{name}".replace("_", "-") for group, name in rows}
    shown = shown_by_layers_test((root / "tests/functional/layers_test.cpp").read_text())
    words = shown_by_scenario((root / "tests/e2e/scenarios/36_layers.py").read_text())
    shown |= {name for name in table if name.split("/")[1] in words}
    wrong = [f"{name}: no test shows that it can succeed, and tests/lint/attempts.py has no reason" for name in table - shown - REASONS.keys()]
    wrong += [f"{name}: a test shows that it can succeed, in spite of its reason in tests/lint/attempts.py" for name in shown & REASONS.keys()]
    wrong += [f"{name}: has a reason in tests/lint/attempts.py and is no attempt" for name in REASONS.keys() - table]
    print("\n".join(sorted(wrong)), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
