"""What a trainer's recipe adds (kickstart/course.ks): an account for each tenant, a cartridge, packages; and what 'dns = none' and
'auth = open' do, which tests/run.py builds it with."""

import pathlib

from appliance import User, expect, expect_in, expect_not_in, expect_true
from cartridge_life import assert_page

RECIPE = pathlib.Path(__file__).resolve().parents[4] / "kickstart/course.ks"
state = {}


def lines_of_recipe():
    return RECIPE.read_text().splitlines()


def check_every_tenant_has_an_account(appliance):
    (count,) = [int(line.split()[2]) for line in lines_of_recipe() if line.startswith("tenants = ")]
    expect(appliance.sudo("stat -c '%a %U' /var/lib/gearbox/tenants").split(), ["600", "root"])
    state.update(line.split() for line in appliance.sudo("cat /var/lib/gearbox/tenants").splitlines())
    expect(list(state), [f"student{number:02}" for number in range(1, count + 1)])
    expect(len(set(state.values())), count, "passwords")
    accounts = appliance.sudo("gearbox admin user list")
    for login in state:
        expect_in(login, accounts)
    expect_in("sudo cat /var/lib/gearbox/tenants", appliance.sudo("cat /run/issue.d/gearbox.issue"))


def check_a_tenant_makes_an_application_of_the_trainers_cartridge(appliance):
    user = User(appliance, "student30", state["student30"])
    expect(user.api("POST", "/domains", {"name": "student30"}).status, 201)
    made = user.api("POST", "/domain/student30/applications", {"name": "hi", "cartridges": ["course-hello"]})
    expect(made.status, 201, made.text)
    application = made.json["data"]
    assert_page(appliance, application, ["Hello, course!"])
    expect(user.api("DELETE", f"/application/{application['id']}").status, 200)
    expect(User(appliance, "student30", state["student01"]).api("GET", "/domains").status, 401)


def check_the_packages_are_there(appliance):
    lines = lines_of_recipe()
    packages = lines[lines.index("%packages") + 1:lines.index("%end")]
    expect_true(packages, "the recipe has no packages")
    appliance.sudo("dpkg-query --show " + " ".join(packages))


def check_a_login_that_is_not_known_yet_gets_an_account(appliance):
    user = User(appliance, "latecomer", "own-password")
    expect(user.api("POST", "/domains", {"name": "latecomer"}).status, 201)
    expect(User(appliance, "latecomer", "other-password").api("GET", "/domains").status, 401)


def check_nothing_here_answers_for_names(appliance):
    units = appliance.sudo("systemctl is-active gearbox-dns@127.0.0.1 gearbox-dns@10.0.2.15 avahi-daemon || true").split()
    expect(units, ["inactive"] * 3)
    leased = "/run/systemd/netif/leases/test"  # QEMU names no server
    found = appliance.sudo(f"echo DNS=192.0.2.53 >{leased}; systemctl start gearbox-welcome; cat /etc/resolv.conf; rm {leased}")
    expect(found, "nameserver 192.0.2.53\n")
    shown = appliance.sudo("cat /run/issue.d/gearbox.issue")
    expect_in("in /etc/hosts:", shown)
    for name in ("DNS at", "mDNS"):
        expect_not_in(name, shown)


def check_no_denial_after_the_course(appliance):
    expect(appliance.machine.denials(), [], "denials")
