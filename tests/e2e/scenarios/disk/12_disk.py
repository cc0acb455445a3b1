"""What only an image of a disk can do: have a larger disk than it was made for, and keep things."""

import contextlib
import subprocess
import time

from appliance import expect, expect_in, expect_true

MIB = 1 << 20


def numbers(appliance, command):
    return [int(word) for word in appliance.sudo(command).split()]


def options_of(appliance, point):
    lines = [line.split() for line in appliance.sudo("cat /proc/mounts").splitlines()]
    found = [fields for fields in lines if fields[1] == point]
    expect_true(found, f"{point} is not mounted")
    return found[-1][3].split(",")


def check_the_root_has_the_whole_disk(appliance):
    part = appliance.sudo("basename $(awk '$2 == \"/\" { print $1 }' /proc/mounts)").strip()
    disk, start, size = numbers(appliance, f"cd /sys/class/block/{part}; cat ../size start size")
    expect_true(disk - start - size <= 4 * MIB // 512, f"{disk - start - size} sectors are not used")
    (usable,) = numbers(appliance, "df -B1 --output=size / | tail -n 1")
    expect_true(usable > 0.9 * size * 512, f"the file system has {usable} of {size * 512} bytes")


def check_files_of_gears_have_quotas_and_give_no_rights(appliance):
    for option in ("usrquota", "prjquota"):
        expect_in(option, options_of(appliance, "/"))
    for option in ("nosuid", "nodev"):
        expect_in(option, options_of(appliance, "/var/lib/openshift"))


def check_a_restart_keeps_accounts_and_keys(appliance):
    user = appliance.make_user("keeper")
    keys = appliance.sudo("cat /etc/ssh/ssh_host_ed25519_key.pub /var/lib/gearbox/tls/ca.crt")
    before = appliance.sudo("cat /proc/sys/kernel/random/boot_id")
    appliance.sudo("systemd-run --quiet --on-active=1 systemctl reboot")
    deadline = time.monotonic() + 600
    while True:
        appliance.machine.wait_ssh(600)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it went down while we were in it
            if appliance.machine.sudo("cat /proc/sys/kernel/random/boot_id", check=False, timeout=60).stdout not in ("", before):
                break
        expect_true(time.monotonic() < deadline, "the machine did not restart")
        time.sleep(1)
    appliance.sudo("systemctl is-system-running --wait || true", timeout=600)
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.sudo("getenforce").strip(), "Enforcing")
    expect(appliance.sudo("cat /etc/ssh/ssh_host_ed25519_key.pub /var/lib/gearbox/tls/ca.crt"), keys, "keys")
    expect([domain["name"] for domain in user.api("GET", "/domains").json["data"]], ["keeper"])
    appliance.machine.remember_denials()
    expect(appliance.machine.denials(), [], "denials")
