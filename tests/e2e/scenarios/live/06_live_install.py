"""The live medium, checked before it starts, installs itself on a disk, which then starts alone, with the session's application."""

from appliance import KEPT, User, attach, boot, expect, expect_in

OWN_MACHINES = True
state = {}


def check_a_medium_without_fault_starts_after_its_check(bench):
    state["disk"] = bench.make_disk("target", 4096)
    state["appliance"] = appliance = bench.boot(attach(state["disk"], bench.make_disk("small", 512)), menu=("down", "down", "ret"))
    expect_in("Every file of the medium is as it was made", appliance.machine.console())
    expect_in("checked, and verified when read", appliance.sudo("cat /run/issue.d/gearbox.issue"))


def check_what_cannot_be_installed_to_is_refused(bench):
    appliance = state["appliance"]
    install = lambda arguments, **options: appliance.machine.sudo(  # noqa: E731
        f"gearbox admin install-to {arguments}", check=False, **options)
    expect_in("'/dev/vdb' has 512 MiB; at least ", install("/dev/vdb --yes").stderr)
    expect_in("'/dev/loop0' is a loop, and the system needs a whole disk", install("/dev/loop0 --yes").stderr)
    expect_in("'/dev/sr0' is the medium that this system runs from", install("/dev/sr0 --yes").stderr)
    expect_in("there are: /dev/vda", install("/dev/nothing --yes").stderr)
    expect_in("nothing was changed", install("/dev/vda", stdin="/dev/vdb\n").stderr)
    expect(appliance.sudo("blkid -p /dev/vda || true"), "")


def check_a_session_in_memory_has_its_journal_there_and_starts_the_kernel_of_the_medium(bench):
    appliance = state["appliance"]
    expect(appliance.sudo("ls /var/log/journal; journalctl --header | grep -c '^File path: /run/log/journal/'").split(), ["1"])
    said = appliance.sudo("run-parts --arg=$(uname -r) /etc/kernel/postinst.d")
    expect_in("starts with the kernel of the live medium", said)
    expect(appliance.sudo("ls /boot"), "")


def check_the_session_is_installed(bench):
    appliance = state["appliance"]
    user = appliance.make_user("settler")
    reply = user.api("POST", "/domain/settler/applications", {"name": "site", "cartridges": ["static", "postgresql"]})
    expect(reply.status, 201, reply.text)
    state["app"] = app = reply.json["data"]
    appliance.machine.ssh("psql -qc \"CREATE TABLE note (text text); INSERT INTO note VALUES ('installed')\"",
                          user=app["id"], key=user.key)
    state["page"] = appliance.web(app).get("/").text
    state["keys"] = appliance.sudo(KEPT)
    appliance.sudo("echo /dev/vda | gearbox admin install-to /dev/vda", timeout=600)
    expect(appliance.sudo("lsblk --noheadings --output MOUNTPOINTS /dev/vda").split(), [])
    expect(appliance.web(app).get("/").text, state["page"])
    expect(appliance.machine.denials(), [], "denials")


def check_the_disk_starts_alone(bench):
    bench.stop()
    appliance = boot(state["disk"], bench.workdir, firmware="uefi-secure", keeps=True)
    bench.machine = appliance.machine
    app, user = state["app"], User(appliance, "settler", "secret-of-settler")
    expect(appliance.sudo("getenforce").strip(), "Enforcing")
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.sudo(KEPT), state["keys"], "keys and the password for the console")
    expect(appliance.web(app).get("/").text, state["page"])
    rows = appliance.machine.ssh("psql -XAtc 'SELECT text FROM note'", user=app["id"], key=user.key).stdout
    expect(rows.strip(), "installed")
    labels = appliance.sudo(f"stat -c %C / /lost+found /boot/initrd.img-* /var/lib/openshift /var/lib/openshift/{app['id']}").split()
    expect([label.split(":")[2] for label in labels], ["root_t", "lost_found_t", "boot_t", "gear_base_t", "gear_file_t"])
    expect_in("nothing is wrong", appliance.sudo("gearbox admin check"))
    expect(appliance.machine.denials(), [], "denials")


def check_it_starts_by_bios_too(bench):
    bench.stop()
    appliance = boot(state["disk"], bench.workdir, firmware="bios", keeps=True)
    bench.machine = appliance.machine
    expect(appliance.sudo("test -e /sys/firmware/efi || echo bios").strip(), "bios")
    expect(appliance.web(state["app"]).get("/").text, state["page"])
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.machine.denials(), [], "denials")
