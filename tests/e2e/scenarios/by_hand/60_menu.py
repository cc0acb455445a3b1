"""The entries of the boot menu that no other scenario chooses."""

import hashlib

from appliance import attach, expect, expect_in, expect_not_in

OWN_MACHINES = True
DOWN = "down"
state = {}


def started(bench, presses, *disks):
    """The appliance by the entry that is so many below the first, and its kernel's line."""
    appliance = bench.boot(attach(*disks), menu=(DOWN,) * presses + ("ret",))
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.machine.denials(), [], "denials")
    return appliance, appliance.sudo("cat /proc/cmdline").split()


def digest(disk):
    return hashlib.sha256(disk.read_bytes()).hexdigest()


def check_without_the_data_disk(bench):
    disk = bench.make_data_disk("data", 256)
    before = digest(disk)
    appliance, line = started(bench, 1, disk)
    expect_in("gearbox.data=no", line)
    expect_in("nothing is kept", appliance.machine.console())
    expect(appliance.sudo("lsblk --noheadings --output MOUNTPOINTS /dev/vda").split(), [])
    bench.stop()
    expect(digest(disk), before, "the data disk")


def check_safe_graphics(bench):
    appliance, line = started(bench, 3)
    expect_in("nomodeset", line)
    drivers = appliance.sudo("cat /proc/fb; basename -a $(readlink -f /sys/class/drm/card*/device/driver) 2>/dev/null || true")
    expect_not_in("bochs", drivers, "drivers of the screen")
    expect_not_in("[  OK  ]", appliance.machine.console())


def check_every_message_on_the_serial_console(bench):
    appliance, line = started(bench, 4)
    expect_in("systemd.show_status=true", line)
    expect_in("[  OK  ] Reached target", appliance.machine.console())
    expect_in("Linux version", appliance.machine.console())
