"""The clock is set years ahead and back, as by a machine that slept, or one whose battery is empty: everything goes on."""

import time

from appliance import expect, expect_true

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


def check_three_years_later(appliance):
    user = appliance.make_user("chronos")
    made = user.api("POST", "/domain/chronos/applications", {"name": "site", "cartridges": ["static"]})
    expect(made.status, 201, made.text)
    state["app"] = made.json["data"]
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
