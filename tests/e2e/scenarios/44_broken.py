"""Broken cartridges and repositories: whoever made them reads what is wrong, and nothing of them stays. The tables are
those of tests/functional/broken_test.cpp, in tests/data/broken."""

import pathlib
import re
import shlex
import subprocess
import tomllib

from appliance import CheckFailed, expect, expect_in, expect_true

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
OWNER = "boris"
# Seconds that scripts have in rows that show the end of those without one.
LIMIT = 10
# Not broken: what cartridges of the community do, which fetch their programs to where their scripts are.
UNUSUAL = """mkdir -p env
echo '<%= ENV["OPENSHIFT_APP_NAME"].upcase %>' >env/OPENSHIFT_MOCK_RENDERED.erb
cat >bin/install <<'END'
#!/bin/bash -e
cp /bin/true ${0%/*}/tool
${0%/*}/tool
echo CLIENT_RESULT: it ran for $OPENSHIFT_MOCK_RENDERED
END"""
state = {}


def rows(name, endless):
    """(row, the program with its prelude, what is to be said) of a table."""
    table = tomllib.loads((DATA / f"broken/{name}.toml").read_text())
    (kind,) = (key for key in table if key != "prelude")
    for row in table[kind]:
        says, ends = re.subn(r"did not end within \d+ s", f"did not end within {LIMIT} s", row["says"])
        if endless == (ends > 0):
            yield row, table["prelude"] + row["program"], says


def limit(appliance, seconds):
    """How long scripts may take; None: as it was."""
    setting = f"printf '\\n[node]\\nscript_timeout_seconds = {seconds}\\n'" if seconds else "true"
    appliance.sudo("cd /etc/gearbox && cp -n gearboxd.toml /run/gearboxd.toml.unlimited && "
                   f"{{ cat /run/gearboxd.toml.unlimited; {setting}; }} >gearboxd.toml && systemctl restart gearboxd")


def judge(complaints, what, said, says, step=None, wanted=None):
    """POSIX's dot matches the end of a line, too. A message may stand among others."""
    if step != wanted:
        complaints.append(f"{what}: failed at '{step}', not at '{wanted}': {said}")
    if not re.search(says, said, re.S | re.M):
        complaints.append(f"{what}: {said!r} does not say {says!r}")
    if re.search("[\1\33]", said):
        complaints.append(f"{what}: {said!r} holds what no terminal should see")


def offer(program):
    """A command that makes a cartridge and imports it."""
    return ("rm -rf /root/broken && cp -r /root/mock /root/broken && cd /root/broken && "
            f"sed -i 's/Vendor: redhat/Vendor: acme/' metadata/manifest.yml && bash -ec {shlex.quote(program)} && "
            "{ gearbox admin cartridge import /root/broken || echo refused >&2; }")


def attempt(appliance, user, program):
    """The step that failed, or "", and all that was said."""
    made = appliance.machine.sudo(offer(program))
    said = made.stdout + made.stderr
    if "refused\n" in made.stderr:
        return "import", said
    reply = user.api("POST", f"/domain/{OWNER}/applications", {"name": "victim", "cartridges": ["acme-mock"]})
    said += "\n" + "\n".join(message["text"] for message in reply.messages)
    if reply.status == 201:
        expect(user.api("DELETE", f"/application/{reply.json['data']['id']}").status, 200)
        return "", said
    return "start" if re.search("'(control [a-z-]+|post_install)' of", said) else "add", said


def left(appliance, first="true"):
    """Of gears, after a command: their homes, accounts and programs."""
    return appliance.sudo(f"{first} >/dev/null 2>&1; ls /var/lib/openshift /var/lib/gearbox/cartridges; grep -c gearbox-gears /etc/passwd; pgrep -lx sleep; true")


def try_imports(appliance):
    """What no import takes, all at once."""
    tried = [row for row in rows("cartridges", endless=False) if row[0]["step"] == "import"]
    before, mark = left(appliance), "== the next one =="
    told = appliance.sudo("bash -s", stdin="".join(f"echo '{mark}'; ({offer(program)}) </dev/null 2>&1\n" for _, program, _ in tried),
                          timeout=300).split(f"{mark}\n")[1:]
    complaints = []
    for (row, _, says), said in zip(tried, told, strict=True):
        judge(complaints, row["what"], said, says, "import" if said.endswith("refused\n") else "", "import")
    if (now := left(appliance)) != before:
        complaints.append(f"left over: {now}")
    if complaints:
        raise CheckFailed("\n".join(complaints))


def try_cartridges(appliance, endless):
    user = appliance.make_user(OWNER)
    before = left(appliance)
    complaints = []
    for row, program, says in rows("cartridges", endless):
        if row["step"] == "import":
            continue
        step, said = attempt(appliance, user, program)
        judge(complaints, row["what"], said, says, step, row["step"])
        now = left(appliance, "gearbox admin cartridge remove acme-mock")
        if now != before:
            complaints.append(f"{row['what']}: left over: {now}")
    if complaints:
        raise CheckFailed("\n".join(complaints))


def try_repositories(appliance, endless):
    user, tree = appliance.users[OWNER], state["tree"]
    complaints = []
    for row, program, says in rows("repositories", endless):
        subprocess.run(["git", "rm", "-rqf", "--ignore-unmatch", ".openshift", ".gitmodules"], cwd=tree, check=True)
        subprocess.run(["bash", "-ec", "rm -rf .openshift .gitmodules x\n" + program], cwd=tree, check=True)
        said = user.push(tree, "x").stderr
        judge(complaints, row["what"], said, says)
        expect_in("Result: success" if row.get("deployed") else "Result: failure", said)
        expect(appliance.web(state["app"]).get("/").text, state["page"])
    if complaints:
        raise CheckFailed("\n".join(complaints))


def check_cartridges_that_cannot_be_imported_say_what_is_wrong(appliance):
    archive = subprocess.run(["tar", "-cC", DATA / "cartridges", "mock"], check=True, capture_output=True).stdout
    appliance.machine.sudo("tar -xC /root", stdin=archive)
    try_imports(appliance)


def check_broken_cartridges_say_what_is_wrong_and_leave_nothing(appliance):
    try_cartridges(appliance, endless=False)


def check_an_unusual_cartridge_is_served(appliance):
    step, said = attempt(appliance, appliance.users[OWNER], UNUSUAL)
    expect(step, "", said)
    expect_in("it ran for VICTIM", said)
    appliance.sudo("gearbox admin cartridge remove acme-mock")


def check_broken_repositories_leave_the_version_from_before(appliance):
    user = appliance.users[OWNER]
    appliance.sudo("cd /root/mock && sed -i 's/Vendor: redhat/Vendor: acme/' metadata/manifest.yml && gearbox admin cartridge import /root/mock")
    reply = user.api("POST", f"/domain/{OWNER}/applications", {"name": "host", "cartridges": ["acme-mock"]})
    expect(reply.status, 201, reply.text)
    state["app"] = reply.json["data"]
    expect(user.api("PUT", f"/application/{state['app']['id']}", {"keep_deployments": 2}).status, 200)
    state["page"] = appliance.web(state["app"]).get("/").text
    expect_true(state["page"], "no page")
    state["tree"] = user.clone(state["app"])
    try_repositories(appliance, endless=False)


def check_scripts_without_end_are_ended(appliance):
    limit(appliance, LIMIT)
    try:
        try_repositories(appliance, endless=True)
        expect(appliance.users[OWNER].api("DELETE", f"/application/{state['app']['id']}").status, 200)
        appliance.sudo("gearbox admin cartridge remove acme-mock")
        try_cartridges(appliance, endless=True)
    finally:
        limit(appliance, None)


def check_only_gears_were_denied_anything(appliance):
    others = [line for line in appliance.machine.denials() if not re.search(r"scontext=system_u:system_r:gear_\w+_t|callbacks suppressed", line)]
    expect(others, [], "denials of others")
    appliance.machine.forget_denials()
