"""The appliance after boot: enforcing, whole, offline, with its own credentials."""

import re

from appliance import expect, expect_in, expect_true
from terminal import Screen


def check_selinux_is_enforcing(appliance):
    expect(appliance.sudo("getenforce").strip(), "Enforcing")
    expect_in("enforcing=1", appliance.sudo("cat /proc/cmdline"))


def check_every_unit_is_up(appliance):
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.sudo("systemctl is-active gearboxd gearbox-router ssh").split(), ["active"] * 3)


def check_the_daemon_complains_of_nothing(appliance):
    expect(appliance.sudo("journalctl -b -u gearboxd -p warning -o cat --no-pager").strip(), "", "warnings")


def check_the_daemon_and_the_router_have_their_domains(appliance):
    processes = appliance.sudo("ps -eo label,comm")
    expect_true(re.search(r":gearboxd_t:\S* +gearboxd", processes), processes)
    expect_true(re.search(r":gearbox_router_t:\S* +haproxy", processes), processes)


def check_the_console_shows_how_to_log_in(appliance):
    console = appliance.machine.console()
    credentials = dict(line.split("=", 1) for line in appliance.sudo("cat /run/gearbox/credentials").split())
    for name in ("OPERATOR", "OPERATOR_PASSWORD", "LOGIN", "PASSWORD"):
        expect_in(credentials[name].strip("'\""), console, f"{name} on the console")


def check_the_console_fits_and_says_what_matters(appliance):
    """80x25 with the prompt for a login; the square for a camera is the address of the broker."""
    screen = Screen(appliance.sudo("script -qec 'agetty --show-issue' /dev/null") + "gearbox login: ")
    address = appliance.sudo("ip -oneline -4 address show scope global | awk '$2 !~ /^gb/ { print $4 }'").split("/")[0]
    shown = [row[:50].rstrip() for row in screen.rows()]
    live = appliance.sudo("ls /run/live/notes 2>/dev/null || true").split()
    for title, text in (("Addresses", address), ("Broker", f"http://{address}/broker"), ("Security", "SELinux enforcing"),
                        ("Memory", r"[█░]{10} \d+ of \d+ [MG]iB"), ("Disk", r"[█░]{10} \d+ of \d+ [MG]iB"),
                        *([("Medium", "verified when it is read")] if "verity" in live else [])):
        expect_true(any(re.fullmatch(rf"  {title} +{text}", row) for row in shown), f"{title}: {text} is not in\n{screen}")
    code = appliance.sudo(f"qrencode -t UTF8 -l L -m 2 http://{address}/broker").splitlines()
    expect(screen.rows(50)[1:1 + len(code)], [row.rstrip() for row in code])


def check_credentials_are_in_no_image(appliance):
    found = appliance.sudo("cd /run/live 2>/dev/null && ls base/etc/ssh base/var/lib/gearbox upper/etc/ssh upper/var/lib/gearbox 2>/dev/null || true")
    expect_true("ssh_host" not in found and "ca.key" not in found, found)


def check_nothing_outside_can_be_reached(appliance):
    tried = appliance.sudo("timeout 5 bash -c '</dev/tcp/10.0.2.2/80' 2>&1 && echo reached || echo closed")
    expect_in("closed", tried)
    expect(appliance.sudo("getent hosts example.org || echo none").strip(), "none")


def check_the_broker_answers_over_http_and_https(appliance):
    for tls in (False, True):
        reply = appliance.http("GET", "/broker/rest/api", headers={"Host": "gearbox.localhost"}, tls=tls)
        expect(reply.status, 200)
        expect(reply.json["type"], "links")


def check_a_full_disk_is_told_and_nothing_grows(appliance):
    user = appliance.make_user("full")
    appliance.sudo("fallocate -l $(($(stat -f -c '%a*%S' /var/lib/openshift))) /var/lib/openshift/filler")
    try:
        reply = user.api("POST", "/domain/full/applications", {"name": "site", "cartridges": ["static"]})
        expect(reply.status, 422, reply.text)
        expect_in("the disk of all applications is full", reply.text)
        appliance.machine.wait_for(r"Disk +FULL: pushes are refused", 60)
    finally:
        appliance.sudo("rm /var/lib/openshift/filler")
    appliance.machine.wait_for(r"Disk +[█░]", 60)


def check_no_denial_since_boot(appliance):
    expect(appliance.machine.denials(), [], "denials")
