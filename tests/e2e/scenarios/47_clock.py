"""The machine sleeps, and its clock is set years ahead and back, as by one whose battery is empty: everything goes on."""

import time

from appliance import expect, expect_in, expect_true

BROKER = "https://localhost/broker/rest/api"
state = {}


def wait_for_a_valid_certificate(appliance):
    """Of the broker, as the guest's own clock sees it."""
    ask = f"curl -sS -o /dev/null --max-time 20 --cacert /var/lib/gearbox/tls/ca.crt {BROKER}"
    end = time.monotonic() + 120
    while (done := appliance.machine.sudo(ask, check=False)).returncode != 0:
        expect_true(time.monotonic() < end, f"{done.stderr}; {appliance.sudo('journalctl -n 30 -o cat -u gearbox-certificates')}")
        time.sleep(1)


def expect_work(appliance):
    reply = appliance.users["chronos"].api("POST", f"/application/{state['app']['id']}/events", {"event": "restart"})
    expect(reply.status, 200, reply.text)
    expect(appliance.web(state["app"]).get("/").status, 200)


def check_a_sleep(appliance):
    """To memory (ACPI S3), as when a laptop is closed."""
    user = appliance.make_user("chronos")
    made = user.api("POST", "/domain/chronos/applications", {"name": "site", "cartridges": ["static"]})
    expect(made.status, 201, made.text)
    state["app"] = made.json["data"]
    machine = appliance.machine
    appliance.sudo("systemctl suspend")
    end = time.monotonic() + 60
    while (status := machine.qmp("query-status")["status"]) != "suspended":
        expect_true(time.monotonic() < end, f"the machine is {status}")
        time.sleep(0.5)
    time.sleep(5)
    machine.qmp("system_wakeup")
    expect(appliance.web(state["app"]).get("/", timeout=60).status, 200)
    expect_in("PM: suspend exit", appliance.sudo("journalctl --dmesg --output cat --since -5min"))
    clock = int(appliance.sudo("date +%s"))
    expect_true(abs(clock - time.time()) < 10, f"the guest's clock says {clock}")
    expect_work(appliance)


def check_three_years_later(appliance):
    expect(appliance.sudo("systemctl is-active gearbox-certificates.timer").strip(), "active")
    wait_for_a_valid_certificate(appliance)
    appliance.sudo("date --set '3 years'")
    wait_for_a_valid_certificate(appliance)
    expect_work(appliance)


def check_and_back(appliance):
    """What was made three years later has not begun."""
    appliance.sudo(f"date --set @{int(time.time())}")
    wait_for_a_valid_certificate(appliance)
    expect_work(appliance)
    expect(appliance.users["chronos"].api("DELETE", f"/application/{state['app']['id']}").status, 200)
    expect(appliance.sudo("systemctl is-system-running || systemctl --failed --no-legend").strip(), "running")
    expect(appliance.machine.denials(), [])
