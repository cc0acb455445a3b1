#!/usr/bin/env python3
"""Fails on calls that the house style bans, and on sizes that it limits.

A line that has to break a rule says why in a comment `// allowed: reason` on it or on the line before.

usage: banned.py [SOURCE_DIR]
"""
import pathlib
import re
import sys

# Pattern, why it is banned, files where it belongs (prefixes).
RULES = [
    (r"\b(?:std::)?system\(", "a shell string; use run_tool with argv", ()),
    (r"\bpopen\(", "a shell string; use run_tool with argv", ()),
    (r"(?<![\w.])(?:::)?v?fork\(\)", "use sys::clone3; a threaded process must not fork freely",
     ("runtime/sys/", "runtime/gear-init/", "runtime/conformance/probe/")),
    (r"\bstd::sto(?:i|l|ul|ll|ull|f|d)\(", "use std::from_chars: sto* accepts trailing text", ()),
    (r"\[=\]", "captures everything by value, pointers included", ()),
    (r"\bsetenv\(|\bputenv\(", "not thread-safe; build the child's environment instead",
     ("runtime/gear-init/", "tests/")),
    (r"\bchdir\(", "moves every thread", ("runtime/gear-init/", "runtime/gear-deploy/", "runtime/cli/", "builder/", "runtime/sys/")),
    (r"\bsleep_for\(", "wait for an event with a deadline", ("runtime/cli/",)),
]
MAX_LINES = 500


def source_files(root):
    for top in ("runtime", "builder", "tests"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in (".h", ".cpp"):
                yield file


def problems(root):
    for file in source_files(root):
        name = str(file.relative_to(root))
        lines = file.read_text().splitlines()
        if len(lines) > MAX_LINES:
            yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            before = lines[number - 2] if number > 1 else ""
            if "// allowed:" in line or "// allowed:" in before:
                continue
            for pattern, why, places in RULES:
                if re.search(pattern, code) and not name.startswith(tuple(places) or ("\0",)):
                    yield f"{name}:{number}: banned: {why}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(problems(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
