#!/usr/bin/env python3
"""Does a rule that breaks a promise stop the build of the policy?

    python3 tests/policy/promises_test.py [MODULES]

MODULES is an image's /var/lib/selinux/default/active/modules (or GEARBOX_POLICY_MODULES names it). They are compiled
together with a rule that must not be, by secilc (package secilc), which checks neverallow rules as semodule does with
expand-check = 1.
"""

import bz2
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

MODULES = os.environ.get("GEARBOX_POLICY_MODULES", "")

# What a careless change could add, and the subject of the promise that names it. Groups: what is compiled together, as one
# promise is told with one of its culprits.
BROKEN = (
    {
        "a privilege": ("(allow gear_db_t self (capability (sys_admin)))", "gear_domain"),
        "a way out": ("(allow gear_session_t unconfined_t (process (transition)))", "gear_domain"),
        "a secret": ("(allow gear_git_t shadow_t (file (read)))", "gear_domain"),
        "a service that changes what is deployed": ("(allow gear_t gear_repository_t (file (write)))", "gear_t"),
        "a service that reads a database's files": ("(allow gear_t gear_db_file_t (file (read)))", "gear_t"),
        "a database on the web": ("(allow gear_db_t http_port_t (tcp_socket (name_connect)))", "gear_db_t"),
        "git on the network": ("(allow gear_git_t self (tcp_socket (create connect)))", "gear_git_t"),
        "a build in the place of a service": ("(allow gear_build_t http_cache_port_t (tcp_socket (name_bind)))", "gear_build_t"),
        "a log that is a program": ("(allow gear_t gear_log_t (file (execute)))", "gear_domain"),
        "another way into gears": ("(allow sshd_t gear_session_t (process (transition)))", "promise_not_setup"),
        "a daemon that mounts": ("(allow gearboxd_t root_t (dir (mounton)))", "gearboxd_t"),
        "a daemon that switches SELinux off": ("(allow gearboxd_t security_t (security (setenforce)))", "gearboxd_t"),
        "a daemon that limits others than gears": ("(allow gearboxd_t sshd_t (process (setrlimit)))", "gearboxd_t"),
        "a router with a shell": ("(allow gearbox_router_t shell_exec_t (file (execute)))", "gearbox_router_t"),
        "a router that connects to the host's services": ("(allow gearbox_router_t ssh_port_t (tcp_socket (name_connect)))", "gearbox_router_t"),
    },
    {
        "a label of its own choice": ("(allow gear_build_t gear_file_t (file (relabelto)))", "gear_domain"),
        "what a profile may keep, in a type of the platform's": ("(allow gear_build_t self (capability (net_raw)))", "promise_ours"),
    },
    {"a file of the system": ("(allow gear_t etc_t (file (write)))", "gear_domain")},
    {"a file of the system, by an attribute": ("(typeattributeset files_unconfined_type (gear_session_t))", "gear_domain")},
)


def enabled_modules(directory):
    """Their text in CIL. Which of two places declares a role is no matter to newer compilers; 3.4 counts it an error."""
    declared, texts = set(), []
    for module in sorted(directory.glob("[0-9]*/*/cil")):
        if (directory / "disabled" / module.parent.name).exists():
            continue
        data = module.read_bytes()
        lines = (bz2.decompress(data) if data.startswith(b"BZh") else data).decode().splitlines()
        kept = [line for line in lines if not re.match(r"\((role|roleattribute) \w+\)$", line) or line not in declared]
        declared.update(lines)
        texts.append((module.parent.name, "\n".join(kept)))
    return texts


@unittest.skipUnless(MODULES and os.path.isdir(MODULES), "no policy modules given (GEARBOX_POLICY_MODULES)")
@unittest.skipUnless(shutil.which("secilc"), "secilc is not installed")
class PromisesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-policy-"))
        for name, text in enabled_modules(pathlib.Path(MODULES)):
            (cls.folder / f"{name}.cil").write_text(text)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def compile(self, rules):
        bad = self.folder / "zz-bad.cil"
        bad.write_text("\n".join(rules) + "\n")
        return subprocess.run(["secilc", "-m", "-M", "true", "-c", "33", "-o", self.folder / "policy", "-f", "/dev/null",
                               *sorted(self.folder.glob("*.cil"))], capture_output=True, text=True)

    def test_the_policy_itself_keeps_them(self):
        done = self.compile([])
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_a_rule_that_breaks_one_is_named(self):
        for group in BROKEN:
            done = self.compile([rule for rule, _ in group.values()])
            self.assertNotEqual(done.returncode, 0, f"{group} is let through")
            for what, (rule, subject) in group.items():
                with self.subTest(what):
                    self.assertRegex(done.stderr, rf"neverallow check failed .*\n  \(neverallow {subject} ")
                    if rule.startswith("(allow"):
                        self.assertIn(rule, done.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        MODULES = sys.argv.pop(1)
        PromisesTest.__unittest_skip__ = not os.path.isdir(MODULES) or not shutil.which("secilc")
    unittest.main()
