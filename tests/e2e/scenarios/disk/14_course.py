"""What a trainer's recipe adds (kickstart/course.ks): an account for each tenant, a cartridge, packages."""

import pathlib

from appliance import User, expect, expect_in, expect_true
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


def check_no_denial_after_the_course(appliance):
    expect(appliance.machine.denials(), [], "denials")
