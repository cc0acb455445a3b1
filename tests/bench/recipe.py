"""What the benches of builds ask of gearbox-build and of the host's apt: the plan of the live medium, the age that lists may have."""

import json
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILDER = str(TOP / "build/bin/gearbox-build")
RECIPE = str(TOP / "kickstart/livecd.ks")


def built_package():
    return sorted((TOP / "build/deb/trixie").glob("gearbox_*.deb"))[0]


def stages(deb):
    """Stage → its options, of the plan for the ISO."""
    plan = subprocess.run([BUILDER, "plan", RECIPE, "--json", "--deb", str(deb)], check=True, stdout=subprocess.PIPE).stdout
    return {stage["stage"]: stage["options"] for stage in json.loads(plan)["stages"]}


def apt_options():
    """Settings of the host's apt without which a mirror may be of no use, as lines of apt.conf(5)."""
    dump = subprocess.run(["apt-config", "dump"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return ['Acquire::Languages "none";', *re.findall(r'^Acquire::Check-Valid-Until "\w+";$', dump, re.MULTILINE)]
