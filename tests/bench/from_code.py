#!/usr/bin/env python3
"""WordPress from its source until the page of its installation is served, beside the same steps done by hand, in one run.

Ours: one request that creates an application with php and mysql from a repository in the shape of openshift/wordpress-example, whose
build fetches WordPress from the mirror; by the real daemon, router and Apache of a private host. The peer: by_hand.sh. Both take
turns; figures are medians. Needs root, mod_php, MariaDB and Debian's package wordpress; run in namespaces of its own:
make bench-from-code.

usage: from_code.py [ROUNDS]     default: 3
"""

import http.client
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/stress"))

import host  # noqa: E402
from push import line  # noqa: E402
from stress import Account  # noqa: E402

GOAL = 1.2
MIRROR = host.STATE / "mirror"
# A quickstart, as only those have addresses on the node.
SOURCE = pathlib.Path("/usr/share/gearbox/quickstarts/shape/shape.git")
FORM = 'name="user_name"'


def make_repository(work):
    SOURCE.parent.mkdir(parents=True)
    (SOURCE.parent / "quickstart.toml").write_text('id = "shape"\nname = "Shape"\nsummary = "WordPress"\ncartridges = ["php", "mysql"]\n')
    tree = work / "tree"
    shutil.copytree(TOP / "tests/data/applications/wordpress-shape", tree)
    identity = ("-c", "user.name=a", "-c", "user.email=a@a")
    for command in (("init", "-q", "-b", "master"), ("add", "-f", "-A"), (*identity, "commit", "-qm", "x"),
                    ("clone", "-q", "--bare", ".", SOURCE)):
        host.run("git", *command, cwd=tree)


def start_mirror(work):
    shutil.copytree(TOP / "runtime/mirror", "/usr/share/gearbox", dirs_exist_ok=True)
    host.run(TOP / "runtime/mirror/mirror-wordpress")
    runtime = work / "mirror"
    runtime.mkdir()
    shutil.chown(runtime, "gearbox-mirror")
    return subprocess.Popen(["setpriv", "--reuid", "gearbox-mirror", "--regid", "gearbox-mirror", "--clear-groups", "apache2", "-D",
                             "FOREGROUND", "-f", "/usr/share/gearbox/mirror.conf"], env={**os.environ, "RUNTIME_DIRECTORY": str(runtime)})


def ours(account, number):
    """Milliseconds of the request and in all; the application is gone afterwards."""
    name = f"blog{number}"
    began = time.perf_counter()
    status, reply = account.ask("POST", "domain/bench/applications", {
        "name": name, "cartridges": ["php", "mysql"], "initial_git_url": f"file://{SOURCE}"})
    created = time.perf_counter()
    if status != 201:
        raise SystemExit(f"creating {name}: {status} {reply['messages']}")
    web = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    web.request("GET", "/wp-admin/install.php", headers={"Host": f"{name}-bench.gearbox.localhost"})
    page = web.getresponse().read().decode()
    if FORM not in page:
        raise SystemExit(f"{name} serves no form: {page[:500]}")
    served = time.perf_counter()
    account.ask("DELETE", f"application/{reply['data']['id']}")
    return {"create the application": (created - began) * 1000, "first page": (served - created) * 1000}


def peer(version):
    """Milliseconds of each step of by_hand.sh, in memory as the gears are."""
    place = host.GEARS / ".by_hand"
    place.mkdir(mode=0o755)
    done = subprocess.run([TOP / "tests/bench/by_hand.sh", place, SOURCE, version, FORM], text=True, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(place)
    rows = (row.rsplit(" ", 1) for row in done.stdout.splitlines())
    return {name: float(took) for name, took in rows}


def show(who, rows):
    for name in rows[0]:
        line(f"{who}: {name}", f"{statistics.median(row[name] for row in rows):.0f} ms")
    total = statistics.median(sum(row.values()) for row in rows)
    line(f"{who}: in all", f"{total:.0f} ms")
    return total


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    host.prepare()
    # Without a network, and without waiting for one: WordPress asks for news at its first page.
    pathlib.Path("/etc/resolv.conf").write_text("")
    host.run("sh", "-c", "getent passwd gearbox-mirror || useradd --system --no-create-home gearbox-mirror")
    for kind in ("php", "mysql"):
        host.run("cp", "-rL", TOP / "cartridges" / kind, host.STATE / "cartridges")
    host.run("chmod", "-R", "a+rX", host.STATE / "cartridges")
    with tempfile.TemporaryDirectory(prefix="gearbox-from-code-") as name:
        work = pathlib.Path(name)
        work.chmod(0o755)
        make_repository(work)
        mirror = start_mirror(work)
        version = pathlib.Path("/etc/openshift/env/install_version").read_text().strip()
        files = subprocess.Popen(["python3", "-m", "http.server", "8088", "--bind", "127.0.0.1"], cwd=MIRROR / "wordpress.org",
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        machine = host.Host(work, "[mirror]\nenabled = true\n")
        try:
            account = Account("bench")
            account.ask("POST", "domains", {"name": "bench"})
            rows = [(ours(account, number), peer(version)) for number in range(rounds + 1)][1:]  # caches are cold
            total, plain = show("ours", [row[0] for row in rows]), show("by hand", [row[1] for row in rows])
            line("ratio", f"{total / plain:.2f} x", f"goal: at most {GOAL} x")
        finally:
            files.terminate()
            mirror.terminate()
            machine.stop()


if __name__ == "__main__":
    main()
