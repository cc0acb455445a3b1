"""The live medium on its own machines: a session in memory that moves to a disk picked at the console, which keeps everything,
over a power cut, too; disks that cannot; a medium with a wrong byte, and one that gets a wrong byte while it runs."""

import re
import shutil
import subprocess
import threading

from appliance import DATA_LABEL, KEPT, User, attach, expect, expect_in, expect_not_in, expect_true

OWN_MACHINES = True
PROMPT = r"gearbox@gearbox:~\$ "
QUESTION = "Number of the disk, or Enter for none: "
state = {}


def flip_a_bit(file, offset):
    with open(file, "r+b") as medium:
        medium.seek(offset)
        byte = medium.read(1)
        medium.seek(offset)
        medium.write(bytes([byte[0] ^ 1]))


def check_a_wrong_byte_in_the_medium_is_found(bench):
    copy = bench.workdir / "damaged.iso"
    shutil.copyfile(bench.image, copy)
    flip_a_bit(copy, copy.stat().st_size * 2 // 3)  # in the root image, the last and by far the largest file
    machine = bench.start(copy)
    try:
        machine.wait_for(r"Check the medium", 60)
        machine.send_keys("down", "down", "ret")
        found = machine.wait_for(r"The medium is (damaged: .*)|Every file of the medium", 300)
        expect((found[1] or "").split(), ["damaged:", "live/base.squashfs"])
    finally:
        machine.stop()
        copy.unlink()


def check_a_data_disk_that_needs_repair_is_not_used_and_that_is_told(bench):
    disk = bench.make_data_disk("broken", 64)
    subprocess.run(["debugfs", "-w", "-R", "clri <2>", str(disk)], check=True, capture_output=True)
    subprocess.run(["debugfs", "-w", "-R", "set_super_value state 0", str(disk)], check=True, capture_output=True)
    machine = bench.start(bench.image, attach(disk))
    try:
        machine.wait_for(r"The data disk is not used: /dev/vda is damaged", 120)
        machine.wait_for(r"The appliance starts without it and keeps nothing", 10)
    finally:
        machine.stop()


class Visitor(threading.Thread):
    """Asks for a page all the time until told to leave; what was answered is in `seen`."""

    def __init__(self, site):
        super().__init__()
        self.site, self.seen, self.leaving = site, [], threading.Event()

    def run(self):
        while not self.leaving.is_set():
            try:
                self.seen.append(self.site.get("/", timeout=60).status)
            except OSError as error:
                self.seen.append(str(error))
            self.leaving.wait(0.1)

    def leave(self):
        self.leaving.set()
        self.join()
        return self.seen


def persist(appliance, arguments, before=""):
    return appliance.machine.sudo(f"{before} gearbox admin persist {arguments}", check=False, timeout=600)


def check_a_session_is_in_memory_and_moves_to_no_disk_that_is_too_small_or_holds_data(bench):
    state["disk"] = bench.make_disk("data", 3072)
    state["appliance"] = appliance = bench.boot(attach(state["disk"], bench.make_disk("small", 512)))
    state["user"] = user = appliance.make_user("keeper")
    expect_in("nothing is kept", appliance.machine.console())
    reply = user.api("POST", "/domain/keeper/applications", {"name": "site", "cartridges": ["static", "postgresql"]})
    expect(reply.status, 201, reply.text)
    state["app"] = reply.json["data"]
    expect_in("there are: /dev/vda", persist(appliance, "/dev/nothing").stderr)
    expect_in("nobody can be asked here: gearbox admin persist DISK; there are:\n   1  /dev/vda", persist(appliance, "").stderr)
    expect_in("'/dev/loop0' is in use", persist(appliance, "/dev/loop0").stderr)
    expect_in("'/dev/vdb' has 512 MiB; at least ", persist(appliance, "/dev/vdb").stderr)
    appliance.sudo("mke2fs -q -F -t ext4 -L PHOTOS /dev/vda")
    expect_in("'/dev/vda' is not empty (ext4 PHOTOS)", persist(appliance, "/dev/vda").stderr)
    appliance.sudo("wipefs --quiet --all /dev/vda; echo something | dd of=/dev/vda conv=notrunc status=none")
    expect_in("'/dev/vda' is not empty (data of an unknown kind)", persist(appliance, "/dev/vda").stderr)
    # Interrupted, it leaves all in memory.
    expect(persist(appliance, "/dev/vda --erase", before="timeout 1").returncode, 124)
    expect(appliance.sudo("dmsetup table gearbox-data").split()[2:4], ["linear", "7:7"])
    expect(appliance.sudo("blkid -o value -s LABEL /dev/vda || true").strip(), "")


def type_on_console(machine, text, wanted, timeout=60):
    """Types on the serial console and waits for what it has to say; returns all that it said up to there."""
    before = len(machine.console())
    machine.write_serial(text)
    found = machine.wait_for(wanted, timeout, after=before)
    return found.string[before:found.end()]


def log_in_on_console(appliance, wanted):
    password = appliance.sudo(". /run/gearbox/credentials; echo $OPERATOR_PASSWORD")
    type_on_console(appliance.machine, "gearbox\n", "Password: ")
    return type_on_console(appliance.machine, password, wanted)


def check_disks_are_offered_to_who_logs_in_at_the_console_until_one_declines(bench):
    appliance = state["appliance"]
    appliance.sudo("wipefs --quiet --all /dev/vda; echo something | dd of=/dev/vda conv=notrunc status=none")
    shown = log_in_on_console(appliance, QUESTION)
    for row in (r"   1  /dev/vda +3G +data of an unknown kind", r"   -  /dev/vdb +512M  has 512 MiB; at least \d+ MiB are needed"):
        expect_true(re.search(f"^{row}$", shown, re.MULTILINE), shown)
    type_on_console(appliance.machine, "2\n", f"there is no number '2'\n{QUESTION}")
    type_on_console(appliance.machine, "\n", f"nothing was changed.*\n{PROMPT}")
    type_on_console(appliance.machine, "exit\n", "login: ")
    expect_not_in("/dev/vda", log_in_on_console(appliance, PROMPT))


def check_what_a_disk_holds_is_lost_only_if_that_is_said(bench):
    machine = state["appliance"].machine
    type_on_console(machine, "sudo gearbox admin persist\n", QUESTION)
    type_on_console(machine, "1\n", "/dev/vda has data of an unknown kind. Type ERASE to go on: ")
    type_on_console(machine, "erase\n", f"nothing was changed\n{PROMPT}")
    type_on_console(machine, "sudo gearbox admin persist\n", QUESTION)
    type_on_console(machine, "\x03", PROMPT)
    expect(state["appliance"].sudo("dmsetup table gearbox-data; head -c 10 /dev/vda").split()[2:],
           ["linear", "7:7", "0", "something"])


def check_the_session_moves_to_a_disk_while_its_application_serves(bench):
    appliance, user, app = state["appliance"], state["user"], state["app"]
    visitor = Visitor(appliance.web(app))
    visitor.start()
    appliance.sudo("dd if=/dev/zero of=/dev/vda bs=1M count=1 conv=notrunc status=none")  # what is empty is not asked about
    expect_in(" empty\n", type_on_console(appliance.machine, "sudo gearbox admin persist\n", QUESTION))
    type_on_console(appliance.machine, "1\n", rf"This session is on /dev/vda now(?s:.*){PROMPT}", 600)
    seen = visitor.leave()
    expect(set(seen), {200}, "what a visitor saw")
    # What somebody has read of /dev/vda itself before may be old.
    device = appliance.sudo("lsblk --noheadings --nodeps --output MAJ:MIN /dev/vda").strip()
    expect(appliance.sudo("dmsetup table gearbox-data").split()[2:], ["linear", device, "0"])
    expect(appliance.sudo("blkid -o value -s LABEL -s TYPE /dev/mapper/gearbox-data").split(), [DATA_LABEL, "ext4"])
    mebibytes, memory = appliance.sudo("df -m --output=size /var/lib/openshift | tail -n 1; ls -A /run/live/memory").split("\n", 1)
    expect(int(mebibytes) > 2500, True, mebibytes)  # as large as the disk
    expect(memory.strip(), "")
    type_on_console(appliance.machine, "exit\n", "kept on /dev/vda")
    expect_in("kept on a disk already (on /dev/vda)", persist(appliance, "/dev/vdb").stderr)
    tree = user.clone(app)
    (tree / "index.html").write_text("kept by git\n")
    user.push(tree, "Say what is kept")
    expect(appliance.web(app).get("/").text, "kept by git\n")
    appliance.sudo("systemd-cat --identifier keeper echo kept over the power cut; journalctl --sync; sync")
    state["keys"] = appliance.sudo(KEPT)
    expect(appliance.machine.denials(), [], "denials")
    # The last thing before the power goes.
    appliance.machine.ssh("psql -qc \"CREATE TABLE note (text text); INSERT INTO note VALUES ('kept by postgresql')\"",
                          user=app["id"], key=user.key)
    bench.cut_power()


def check_everything_is_there_after_the_power_cut(bench):
    state["medium"] = bench.workdir / "medium.iso"  # for the last check
    shutil.copyfile(bench.image, state["medium"])
    state["appliance"] = appliance = bench.boot(attach(state["disk"]), image=state["medium"])
    expect_in("kept on /dev/vda", appliance.machine.console())
    app, user = state["app"], User(appliance, "keeper", "secret-of-keeper")
    expect(appliance.sudo("getenforce").strip(), "Enforcing")
    expect(appliance.sudo("systemctl --failed --no-legend --plain").strip(), "", "failed units")
    expect(appliance.sudo(KEPT), state["keys"], "keys and the password for the console")
    expect(appliance.sudo("journalctl -b -1 -t keeper -o cat").strip(), "kept over the power cut")
    expect(appliance.web(app).get("/").text, "kept by git\n")
    rows = appliance.machine.ssh("psql -XAtc 'SELECT text FROM note'", user=app["id"], key=user.key).stdout
    expect(rows.strip(), "kept by postgresql")
    expect([key["name"] for key in user.api("GET", "/user/keys").json["data"]], ["test"])
    tree = user.clone(app)
    (tree / "index.html").write_text("pushed after the power cut\n")
    user.push(tree, "Go on")
    expect(appliance.web(app).get("/").text, "pushed after the power cut\n")
    expect_in("nothing is wrong", appliance.sudo("gearbox admin check"))


def check_quotas_and_labels_hold_there(bench):
    appliance, gear = state["appliance"], state["app"]["id"]
    mounts = [line.split() for line in appliance.sudo("cat /proc/mounts").splitlines()]
    options = next(fields[3].split(",") for fields in mounts if fields[1] == "/var/lib/openshift")
    for option in ("usrquota", "prjquota", "nosuid", "nodev"):
        expect_in(option, options)
    full = appliance.machine.ssh("cd app-root/data; head -c 8G /dev/zero >big; rm big", user=gear, check=False, timeout=600,
                                 key=User(appliance, "keeper", "").key)
    expect_in("Disk quota exceeded", full.stdout + full.stderr)
    labels = appliance.sudo(f"stat -c %C / /var/lib/openshift /var/lib/openshift/{gear}").split()
    expect([label.split(":")[2] for label in labels], ["root_t", "gear_base_t", "gear_file_t"])
    expect(appliance.machine.denials(), [], "denials")


def check_the_console_tells_of_a_medium_that_gets_damaged(bench):
    appliance, medium, root = state["appliance"], state["medium"], "/dev/mapper/gearbox-base"
    before = appliance.sudo(f"systemctl is-active gearbox-medium.timer; blockdev --getsize64 {root}; "
                            "grep -a Medium /run/issue.d/gearbox.issue").split("\n", 2)
    expect(before[0], "active")
    expect_in("verified when it is read", before[2])
    found = subprocess.run(["xorriso", "-indev", str(medium), "-find", "/live/base.squashfs", "-exec", "report_lba"], check=True,
                           capture_output=True, text=True).stdout
    start = 2048 * int(re.search(r"^File data lba: +0 , +(\d+) ", found, re.MULTILINE)[1])
    block = int(before[1]) // 4096 * 2 // 3
    flip_a_bit(medium, start + 4096 * block)
    # The service is what the timer starts once a minute.
    done = appliance.machine.sudo("echo 3 >/proc/sys/vm/drop_caches; "
                                  f"dd if={root} of=/dev/null bs=4096 skip={block} count=1 iflag=direct; "
                                  "systemctl start gearbox-medium.service")
    expect_in("Input/output error", done.stderr)
    appliance.machine.wait_for(r"Medium +DAMAGED: write it again", 60)
    medium.unlink()
