#!/usr/bin/env python3
"""Everything that can fail, in order of its cost; ends with `N passed, N failed, N skipped`.

usage: tests/run.py [SUITE…]      suites: build unit lint sanitize package functional image live disk virtualbox again
e2e fuzz formats powercuts; default: all but the last two and unit
"""

import concurrent.futures
import fnmatch
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
LOGS = TOP / "build/logs"
HOST = TOP / "build/host"
SANITIZE = TOP / "build/sanitize"
JOBS = str(os.cpu_count() or 2)


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # said once more at the end, where they are looked for
        self.lock = threading.Lock()

    def add(self, passed, failed, skipped=0):
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def add_failure(self, text):
        with self.lock:
            self.failures.append(text)


TOTALS = Totals()


def allowed_skips():
    lines = (TOP / "tests/allowed-skips.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def say(text):
    print(text, flush=True)


def run(name, command, environment=None):
    """Runs a command into a log of its own. On failure shows the log's end. True if it succeeded."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    began = time.monotonic()
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                              env={**os.environ, **(environment or {})})
    verdict = "ok" if done.returncode == 0 else f"FAILED ({done.returncode})"
    say(f"-- {name}: {verdict}, {time.monotonic() - began:.0f} s")
    if done.returncode != 0:
        lines = log.read_text(errors="replace").splitlines()
        say("\n".join(failures(lines) + lines[-60:]))
        TOTALS.add_failure("\n".join([f"-- {name} failed:", *failures(lines)]))
    return done.returncode == 0


def failures(lines):
    """What GoogleTest, unittest, CTest and the scenarios say of what failed, which may be far above a log's end; without what
    the daemon says meanwhile."""
    lines = [line for line in lines if not re.match(r"(\d+: )?\d{4}-\d\d-\d\dT\S+ (debug|info|warning) ", line)]
    marks = [number for number, line in enumerate(lines)
             if any(mark in line for mark in (": Failure", "***Exception", "***Timeout", "[  FAILED  ]"))
             or line.lstrip("0123456789: ").startswith(("FAIL: ", "ERROR: ", "FAIL "))]
    shown = sorted({number for mark in marks[:8] for number in range(mark, min(mark + 12, len(lines)))})
    return [lines[number] for number in shown]


def step(name, command, environment=None):
    """A command that counts as one test."""
    good = run(name, command, environment)
    TOTALS.add(int(good), int(not good))
    return good


def ctest(name, directory, label, environment=None):
    """Tests of one label; skips are judged by tests/allowed-skips.txt."""
    report = LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    run(name, ["ctest", "--test-dir", str(directory), "-L", f"^{label}$", "--output-on-failure", "--no-tests=error",
               "-j", JOBS, "--output-junit", str(report)], environment)
    if not report.exists():
        TOTALS.add(0, 1)
        return
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            TOTALS.add(1, 0)
        elif status == "fail":
            TOTALS.add(0, 1)
        else:
            add_skip(case.get("name"))


def add_skip(name):
    allowed = any(fnmatch.fnmatch(name, pattern) for pattern in allowed_skips())
    TOTALS.add(0, int(not allowed), int(allowed))
    say(f"   {'skipped' if allowed else 'UNEXPECTED SKIP'}: {name}")


def suite_build():
    step("build", ["make", "build"])


def suite_unit():
    """Not part of the default: suite_sanitize runs the same tests."""
    if run("unit-build", ["ninja", "-C", str(HOST), "unit_tests"]):
        ctest("unit", HOST, "unit")
    else:
        TOTALS.add(0, 1)


def suite_lint():
    ctest("lint", HOST, "lint")


def build_sanitized(target):
    """Targets share the libraries: one after the other."""
    return (run("sanitize-configure", ["cmake", "--preset", "sanitize"])
            and run(f"sanitize-{target}", ["ninja", "-C", str(SANITIZE), target]))


def suite_sanitize():
    if not build_sanitized("unit_tests"):
        TOTALS.add(0, 1)
        return
    ctest("sanitize", SANITIZE, "unit", {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
                                         "UBSAN_OPTIONS": "print_stacktrace=1"})


FUZZ_SECONDS = 20


def suite_fuzz():
    """Every fuzzer for FUZZ_SECONDS; anything that it finds is a failure, with the input in the log. Low priority: other
    tests run at the same time."""
    if not build_sanitized("fuzzers"):
        TOTALS.add(0, 1)
        return
    for path in sorted((TOP / "tests/data/fuzz").iterdir()):
        good = fuzz_one(path.name)
        TOTALS.add(int(good), int(not good))


def fuzz_one(name):
    found = SANITIZE / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    return run(f"fuzz-{name}", ["nice", str(SANITIZE / f"tests/fuzz/fuzz_{name}"), f"-max_total_time={FUZZ_SECONDS}",
                                "-max_len=4096", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1",
                                f"-artifact_prefix={found}/", str(found), str(TOP / "tests/data/fuzz" / name)])


def suite_functional():
    ctest("functional", HOST, "functional")


def built_package():
    return str(next((TOP / "build/deb/trixie").glob("gearbox_*.deb")))


def suite_package():
    if step("package", ["packages/build-deb", "trixie"]):
        step("lintian", ["lintian", "--fail-on", "error", "--tag-display-limit", "0", "--allow-root", built_package()])


def inspect(image, manifest, kind, recipe):
    """Without a start of it, an image is found to have what its build says of it: kind, recipe, root tree and packages."""
    name = f"inspect-{kind}"
    good = run(name, ["build/bin/gearbox-build", "inspect", "--json", "--packages", image], {"LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"})
    if good:
        found = json.loads((LOGS / f"{name}.log").read_text(errors="replace"))
        built = json.loads((TOP / manifest).read_text())
        expected = {"kind": kind, "recipe": recipe, "tree": built["tree"], "selinux": "enforcing", "packages": built["packages"]}
        wrong = [key for key, value in expected.items() if {**found, **found["about"]}.get(key) != value]
        good = not wrong
        if wrong:
            TOTALS.add_failure(f"-- {name}: {', '.join(wrong)} of {image} are others than {manifest} says")
    TOTALS.add(int(good), int(not good))


def suite_image():
    step("emulator", ["packages/emulator"])
    if step("image", ["make", "iso"]):
        shutil.copy(TOP / "build/gearbox-build.lock", LOCK)
        inspect("build/gearbox.iso", "build/gearbox.iso.manifest.json", "iso", "livecd.ks")


LOCK = TOP / "build/iso.lock"
IMAGE_CACHE = pathlib.Path(os.environ.get("GEARBOX_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
                           / "gearbox") / "image"


def suite_again():
    """The image once more, every stage of it, in another folder, of the packages that its lock file names and the cache has,
    and with nothing but both to write to."""
    if not step("again", ["tests/support/confined", str(IMAGE_CACHE), "build/again", "--", "build/bin/gearbox-build", "build", "kickstart/livecd.ks", "--deb", built_package(), "--lock", str(LOCK),
                          "--offline", "--fresh", "root-tree", "--output", "build/again/gearbox.iso"]):
        return
    step("same-bytes", ["build/bin/gearbox-build", "verify", "build/gearbox.iso", "build/again/gearbox.iso"])


CLAIMS = TOP / "build/e2e-claims"
MACHINE_NUMBERS = itertools.count(1)


def suite_e2e():
    """One machine. Every lane ends with it: what is left to do is shared by those that have the time."""
    number = next(MACHINE_NUMBERS)
    scenarios(f"e2e-{number}", "build/gearbox.iso", "--without", "live", "--machines", "1", "--claims", str(CLAIMS),
              "--workdir", f"build/e2e-{number}")


def suite_live():
    """The scenarios that start machines of their own, one after the other."""
    scenarios("live", "build/gearbox.iso", "--only", "live", "--machines", "1", "--workdir", "build/e2e-live")


def suite_disk():
    """A disk image of the trainer's recipe, which has all of the full one, started by UEFI with Secure Boot; the scenarios that depend on the medium or on its packages."""
    if step("disk-image", ["build/bin/gearbox-build", "build", "kickstart/course.ks", "--format", "qcow2", "--deb", built_package(),
                           "--set", "dns=none", "--set", "auth=open", "--output", "build/gearbox.qcow2"]):
        scenarios("disk", "build/gearbox.qcow2", "--firmware", "uefi-secure", "--only", "10_system,12_disk,13_full,14_course", "--machines", "1",
                  "--workdir", "build/e2e-disk")


def suite_virtualbox():
    """The OVA and the Vagrant box, imported by VirtualBox itself where Debian's archive has that."""
    if step("machines", ["build/bin/gearbox-build", "build", "kickstart/vm.ks", "--format", "ova,vagrant-virtualbox", "--deb",
                         built_package(), "--output", "build/machines/"]):
        (ova,), (box,) = ((TOP / "build/machines").glob(kind) for kind in ("*.ova", "*.box"))
        inspect(str(ova), "build/machines/MANIFEST.json", "ova", "vm.ks")
        verdicts("virtualbox", ["tests/virtualbox/run.py", str(ova), str(box)])


def suite_formats():
    """Not part of a plain run: WordPress, and no denial, on an image of each format, started by BIOS and by UEFI with Secure Boot; gearbox-build's own test."""
    if not step("formats", ["make", "images"]):
        return
    directory = TOP / "build/images"
    images = [image for image in directory.iterdir() if image.suffix in (".iso", ".raw", ".qcow2", ".vmdk", ".vdi")]
    for archive in [*directory.glob("*.ova"), *directory.glob("*.box")]:
        inside = directory / f"in-{archive.name}"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        subprocess.run(["tar", "-xf", archive, "-C", inside], check=True)
        (disk,) = [*inside.glob("*.vmdk"), *inside.glob("box.img")]
        images.append(disk.rename(inside / f"{archive.name}{'.qcow2' if disk.suffix == '.img' else '.vmdk'}"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(scenarios, f"{image.name}-{firmware}", str(image), "--firmware", firmware, "--only", "20_wordpress",
                               "--machines", "1", "--workdir", f"build/e2e-{image.name}-{firmware}")
                   for image in sorted(images) for firmware in ("bios", "uefi-secure")]
        for machine in running:
            machine.result()
    for archive in sorted(directory.glob("*.ova")):
        step("boot-test", ["build/bin/gearbox-build", "test", str(archive), "--output", "build/test"])


def suite_powercuts():
    """Not part of a plain run: the power goes while work is under way, at moments of a seed; and the rest of the boot menu."""
    scenarios("powercuts", "build/gearbox.iso", "--by-hand", "--machines", "1", "--workdir", "build/e2e-powercuts")


def scenarios(name, *arguments):
    verdicts(name, ["tests/e2e/run.py", *arguments])


def verdicts(name, command):
    """A run of a program that says what it tried, and then how many passed and failed; or that it can try nothing here."""
    good = run(name, ["python3", "-B", *command])
    text = (LOGS / f"{name}.log").read_text(errors="replace")
    found = re.search(r"^(\d+) passed, (\d+) failed", text, re.MULTILINE)
    if re.search(r"^SKIPPED: ", text, re.MULTILINE):
        add_skip(name)
    elif found:
        TOTALS.add(int(found[1]), int(found[2]))
    else:
        TOTALS.add(0, 1)
    say("\n".join("   " + line for line in text.splitlines() if line.startswith(("ok ", "FAIL")))
        if good else "")


SUITES = {
    "build": suite_build, "unit": suite_unit, "lint": suite_lint, "sanitize": suite_sanitize, "package": suite_package,
    "functional": suite_functional, "image": suite_image, "live": suite_live, "disk": suite_disk,
    "virtualbox": suite_virtualbox, "again": suite_again, "e2e": suite_e2e, "fuzz": suite_fuzz, "formats": suite_formats,
    "powercuts": suite_powercuts,
}
# By name only: what hosts a plain run does without, what only repeats for each format, and what chance finds.
NOT_PLAIN = ("unit", "formats", "powercuts")
# One step after the other; the lanes of a step beside each other. A machine leaves a quarter of a processor idle: three
# keep two busy. Functional tests have limits of time and share with one lane only.
STEPS = [
    [["build"]], [["unit"]], [["lint"]], [["formats"]], [["powercuts"]],
    [["functional", "sanitize", "fuzz", "e2e"], ["package", "image", "live", "e2e"], ["disk", "virtualbox", "again", "e2e"]],
]
# What must be over, or run by nobody, before a suite begins.
AFTER = {name: ["image", "functional"] for name in ("disk", "virtualbox", "again", "e2e")}
OVER = {name: threading.Event() for name in SUITES}


def run_suites(names):
    for name in OVER.keys() - set(names):
        OVER[name].set()
    shutil.rmtree(CLAIMS, ignore_errors=True)
    CLAIMS.mkdir(parents=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for lanes in STEPS:
            running = [pool.submit(run_lane, [name for name in lane if name in names]) for lane in lanes]
            for lane in running:
                lane.result()


def run_lane(names):
    try:
        for name in names:
            for other in AFTER.get(name, []):
                OVER[other].wait()
            SUITES[name]()
            OVER[name].set()
    finally:
        for name in names:
            OVER[name].set()


def main():
    wanted = sys.argv[1:] or [name for name in SUITES if name not in NOT_PLAIN]
    unknown = [name for name in wanted if name not in SUITES]
    if unknown:
        say(f"unknown suite {unknown[0]!r}; there are: {' '.join(SUITES)}")
        return 2
    began = time.monotonic()
    run_suites(wanted)
    say("\n".join(TOTALS.failures))
    say(f"logs: {LOGS}; {(time.monotonic() - began) / 60:.1f} min")
    say(f"{TOTALS.passed} passed, {TOTALS.failed} failed, {TOTALS.skipped} skipped")
    return 1 if TOTALS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
