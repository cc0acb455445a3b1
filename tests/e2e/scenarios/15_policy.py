"""The loaded policy: what SECURITY.md promises, that no rule can break it, and that two gears' categories keep them apart."""

import base64
import os
import pathlib
import shutil
import subprocess

from appliance import expect, expect_in, expect_true

POLICY_TESTS = pathlib.Path(__file__).resolve().parents[2] / "policy"


def check_the_policy_keeps_its_promises(appliance):
    expect_true(shutil.which("sesearch"), "setools is missing: install the package")
    policy = appliance.workdir / "policy.33"
    policy.write_bytes(base64.b64decode(appliance.sudo("base64 -w0 /etc/selinux/default/policy/policy.33")))
    run_test("policy_test.py", {"GEARBOX_POLICY": str(policy)})


def check_a_rule_that_breaks_a_promise_does_not_compile(appliance):
    expect_true(shutil.which("secilc"), "secilc is missing: install the package")
    modules = appliance.workdir / "policy-modules"
    shutil.rmtree(modules, ignore_errors=True)
    modules.mkdir()
    packed = appliance.sudo("tar -C /var/lib/selinux/default/active/modules --exclude=hll -cf - . | base64 -w0", timeout=180)
    subprocess.run(["tar", "-C", str(modules), "-xf", "-"], input=base64.b64decode(packed), check=True)
    run_test("promises_test.py", {"GEARBOX_POLICY_MODULES": str(modules)})
    expect_in("expand-check = 1", appliance.sudo("cat /etc/selinux/semanage.conf"))


def run_test(name, environment):
    # Debian's own interpreter: setools is a package of its.
    done = subprocess.run(["/usr/bin/python3", "-B", str(POLICY_TESTS / name)], capture_output=True, text=True,
                          env={**os.environ, **environment})
    expect(done.returncode, 0, done.stderr[-3000:])
    expect_true("skipped" not in done.stderr, done.stderr[-300:])


def may_read(appliance, subject_level, object_level):
    """Asks the kernel (selinuxfs 'access': allowed bits in hex come first)."""
    script = f"""
        class=/sys/fs/selinux/class/file
        exec 3<>/sys/fs/selinux/access
        printf 'system_u:system_r:gear_t:{subject_level} system_u:object_r:gear_file_t:{object_level} %s' \
            "$(cat $class/index)" >&3
        read -r allowed rest <&3
        echo $(( (0x$allowed >> ($(cat $class/perms/read) - 1)) & 1 ))"""
    return appliance.sudo(f"bash -c {shell_quoted(script)}").strip() == "1"


def shell_quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def check_a_gear_reads_its_own_files_and_no_other(appliance):
    own, other = "s0:c0,c1000", "s0:c0,c1001"
    expect(may_read(appliance, own, own), True)
    expect(may_read(appliance, own, other), False)
    expect(may_read(appliance, own, "s0:c1,c1000"), False)
