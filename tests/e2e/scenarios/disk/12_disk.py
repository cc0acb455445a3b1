"""What only an image of a disk can do: have a larger disk than it was made for, and keep things."""

import contextlib
import subprocess
import time

from appliance import expect, expect_in, expect_true

MIB = 1 << 20
state = {}


def numbers(appliance, command):
    return [int(word) for word in appliance.sudo(command).split()]


def options_of(appliance, point):
    lines = [line.split() for line in appliance.sudo("cat /proc/mounts").splitlines()]
    found = [fields for fields in lines if fields[1] == point]
    expect_true(found, f"{point} is not mounted")
    return found[-1][3].split(",")


def check_secure_boot_is_on_and_the_kernel_locked_down(appliance):
    """Debian's signatures reach from the firmware's keys to the modules of the kernel."""
    variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    expect(numbers(appliance, f"od -An -tu1 -j4 -N1 {variable}"), [1])
    expect_in("Kernel is locked down from EFI Secure Boot", appliance.sudo("journalctl -k -o cat"))
    expect_in("[integrity]", appliance.sudo("cat /sys/kernel/security/lockdown"))


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


def check_the_console_tells_of_files_that_are_not_as_installed(appliance):
    """The timer starts the service once, two minutes after the boot."""
    def await_row(text):
        appliance.machine.wait_for(rf"Files +{text}", 60)

    appliance.sudo("until [ -e /run/gearbox/files ]; do sleep 2; done", timeout=600)
    expect(appliance.sudo("cat /run/gearbox/files"), "")
    await_row("checked, all as installed")
    file = "/usr/bin/bc"
    appliance.sudo(f"cp --archive {file} /root/; printf X | dd of={file} bs=1 seek=5000 conv=notrunc status=none; /usr/libexec/gearbox/files bc")
    expect_in(file, appliance.sudo("cat /run/gearbox/files"))
    await_row(r"not as installed \(1\): sudo cat /run/gearbox/files")
    appliance.sudo(f"cp --archive /root/bc {file}; rm /root/bc; /usr/libexec/gearbox/files bc")
    expect(appliance.sudo("cat /run/gearbox/files"), "")
    expect(appliance.machine.denials(), [], "denials")


def menu_of(appliance):
    """What the boot menu has of kernels: the first, its initramfs, and those behind it."""
    lines = appliance.sudo("grep ^set /boot/grub/kernels.cfg").splitlines()
    values = dict(line.removeprefix("set ").split("=", 1) for line in lines)
    return [values["kernel"], values["initrd"], values["older"].strip('"')]


def check_a_package_of_a_kernel_gets_into_the_boot_menu(appliance):
    """Another version is the running kernel under another name: it takes the modules of its own release."""
    running = appliance.sudo("uname -r").strip()
    state["newer"] = newer = f"{running}-newer"
    said = appliance.sudo(f"""set -e
        cd $(mktemp -d)
        mkdir -p package/DEBIAN package/boot package/usr/lib/modules
        cp /boot/vmlinuz-{running} package/boot/vmlinuz-{newer}
        ln -s {running} package/usr/lib/modules/{newer}
        printf "%s\n" "Package: linux-image-newer" "Version: 1" "Architecture: amd64" "Maintainer: nobody <a@b>" \
            "Description: kernel" >package/DEBIAN/control
        for script in postinst postrm; do
            echo "#!/bin/sh -e" >package/DEBIAN/$script
            echo "linux-run-hooks image $script {newer} /boot/vmlinuz-{newer} -- \"\$@\"" >>package/DEBIAN/$script
            chmod 755 package/DEBIAN/$script
        done
        dpkg-deb --build -Znone package kernel.deb
        apt-get install --yes ./kernel.deb 2>&1""", timeout=300)
    expect_in(f"gearbox: the boot menu has Linux {newer} {running}", said)
    expect(menu_of(appliance), [f"/boot/vmlinuz-{newer}", f"/boot/initrd.img-{newer}", running])
    differences = appliance.sudo(f"""set -e
        cd $(mktemp -d)
        for version in {running} {newer}; do
            mkdir $version
            zstd -dcq /boot/initrd.img-$version | (cd $version && cpio -i --quiet)
        done
        diff -r {running} {newer} || true""")
    expect(differences, "", "what the builder's initramfs and that of the disk do not share")
    labels = appliance.sudo("stat -c '%C %n' /boot/vmlinuz-* /boot/initrd.img-* /boot/grub/*")
    for line in labels.splitlines():
        expect(line.split(":")[2], "boot_t", line)


def check_a_restart_keeps_accounts_keys_and_the_journal(appliance):
    user = appliance.make_user("keeper")
    kept = "cat /etc/ssh/ssh_host_ed25519_key.pub /var/lib/gearbox/tls/ca.crt; grep ^OPERATOR /run/gearbox/credentials"
    keys = appliance.sudo(kept)
    appliance.sudo("systemd-cat --identifier keeper echo kept over the restart")
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
    expect(appliance.sudo(kept), keys, "keys and the password for the console")
    expect(appliance.sudo("journalctl -b -1 -t keeper -o cat").strip(), "kept over the restart")
    expect_in("max 128M", appliance.sudo("journalctl -b -t systemd-journald -o cat"))
    expect([domain["name"] for domain in user.api("GET", "/domains").json["data"]], ["keeper"])
    appliance.machine.remember_denials()
    expect(appliance.machine.denials(), [], "denials")
    expect_in(f"BOOT_IMAGE=/boot/vmlinuz-{state['newer']} ", appliance.sudo("cat /proc/cmdline"))
    expect_in("Start with an older kernel: Linux ", appliance.machine.console())


def check_the_kernel_before_is_started_when_the_newer_one_is_removed(appliance):
    running = appliance.sudo("uname -r").strip()
    appliance.sudo("apt-get remove --yes linux-image-newer", timeout=300)
    expect(menu_of(appliance), [f"/boot/vmlinuz-{running}", f"/boot/initrd.img-{running}", ""])
    expect(appliance.sudo("cd /boot; ls -d vmlinuz-* initrd.img-*").split(), [f"initrd.img-{running}", f"vmlinuz-{running}"])


def check_a_password_that_was_changed_is_neither_replaced_nor_shown(appliance):
    def start_again():
        """What the console would be told at the next start."""
        return appliance.sudo("export GEARBOX_RUNTIME=$(mktemp -d); /usr/libexec/gearbox/firstboot; "
                              "cat $GEARBOX_RUNTIME/credentials")

    before = appliance.sudo("grep ^OPERATOR /run/gearbox/credentials")
    expect(appliance.sudo("stat -c '%a %U' /var/lib/gearbox/operator-password").split(), ["600", "root"])
    expect(start_again(), before)
    appliance.sudo("echo gearbox:my-own-password | chpasswd")
    shadow = appliance.sudo("cat /etc/shadow")
    expect(start_again(), "OPERATOR='gearbox'\nOPERATOR_PASSWORD=''\n")
    expect(appliance.sudo("cat /etc/shadow"), shadow)
