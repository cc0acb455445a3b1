#!/usr/bin/env python3
"""Fails on text that does not belong into the project: paths of somebody's machine, hosts of package
registries, marks of unfinished work.

usage: words.py [SOURCE_DIR]
"""
import pathlib
import re
import subprocess
import sys

# Pattern, why, files where it belongs (prefixes).
RULES = [
    (r"/work/(?:main|shared|build|tmp)", "a path of one machine", ()),
    (r"/home/(?!demo|user|vagrant|gearbox)[a-z]+/", "a path of one machine", ()),
    (r"\b(?:deb|security|snapshot)\.debian\.org", "a registry's host: take the build host's mirror", ()),
    (r"registry\.npmjs", "a registry's host",
     ("runtime/base/settings.cpp", "docs/settings.md", "docs/mirror.md", "tests/functional/registr", "tests/unit/node/")),
    (r"\b(?:FIXME|XXX|HACK)\b", "unfinished work: finish it or write TODO(someday|cleanup)", ()),
    (r"TODO\((?:security|release)\)", "blocks a release", ()),
    (r"<<<<<<<|>>>>>>>", "a merge mark", ()),
]
# These hold the words as data.
EXEMPT = ("tests/lint/", "tests/unit/builder/", "tests/data/", "LICENSE")
TEMPORARY = re.compile(r"XXXXXX")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], check=True,
                            stdout=subprocess.PIPE).stdout.decode().split("\0")
    bad = 0
    for name in filter(None, listed):
        if name.startswith(EXEMPT) or not (root / name).is_file():
            continue
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            line = TEMPORARY.sub("", line)
            for pattern, why, places in RULES:
                if re.search(pattern, line) and not name.startswith(places):
                    print(f"{name}:{number}: {why}: {line.strip()[:80]}")
                    bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
