#!/usr/bin/env python3
"""Asks the compiled SELinux policy whether it keeps what SECURITY.md promises.

    python3 tests/policy/policy_test.py [POLICY-FILE]

The file is the image's /etc/selinux/default/policy/policy.33; it may also be named by GEARBOX_POLICY.
Needs sesearch and seinfo (package setools).
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import unittest

POLICY = os.environ.get("GEARBOX_POLICY", "")
OURS = ("gearboxd_t", "gear_t", "gearbox_router_t", "gearbox_shell_t", "gearbox_firstboot_t", "gearbox_welcome_t")
WRITES = {"write", "append", "create", "unlink", "rename", "link", "setattr", "add_name", "remove_name", "rmdir", "mounton"}
RULE = re.compile(r"^allow (\S+) (\S+):(\S+) (?:\{ (.*?) \}|(\S+?));(?: \[ (.*) \]:(True|False))?$")


def tool(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def rules(**match):
    """Allow rules as (source, target, class, permissions); a disabled condition does not count as absence."""
    options = []
    for name, value in match.items():
        options += [{"source": "-s", "target": "-t", "tclass": "-c", "perms": "-p"}[name], value]
    found = []
    for line in tool("sesearch", POLICY, "-A", *options).splitlines():
        if line.startswith("allow "):
            rule = RULE.match(line.strip())
            found.append((rule[1], rule[2], rule[3], set((rule[4] or rule[5]).split())))
    return found


@functools.lru_cache(maxsize=None)
def types_of(attribute):
    """The types behind a name that may be an attribute."""
    text = tool("seinfo", POLICY, "-a", attribute, "-x")
    return set(re.findall(r"^\t(\w+)$", text, re.MULTILINE)) or {attribute}


@unittest.skipUnless(POLICY and os.path.exists(POLICY), "no compiled policy given (GEARBOX_POLICY)")
@unittest.skipUnless(shutil.which("sesearch"), "setools is not installed")
class PolicyTest(unittest.TestCase):
    def assert_none(self, message, **match):
        self.assertEqual(rules(**match), [], message)

    def test_rules_are_found_at_all(self):
        self.assertTrue(rules(source="gear_t", target="bin_t", tclass="file", perms="execute"))
        self.assertIn("shadow_t", types_of("file_type"))

    def test_no_domain_of_ours_is_permissive(self):
        permissive = tool("seinfo", POLICY, "--permissive")
        for domain in OURS:
            self.assertNotRegex(permissive, rf"\b{domain}\b")

    def test_gears_are_separated_by_category(self):
        self.assertIn("mcs_constrained_type", tool("seinfo", POLICY, "-t", "gear_t", "-x"))
        constraints = tool("seinfo", POLICY, "--constrain")
        for tclass, permission in (("file", "read"), ("file", "write"), ("dir", "search"), ("process", "signal"),
                                   ("process", "ptrace"), ("unix_stream_socket", "connectto")):
            self.assertRegex(constraints, rf"mlsconstrain {tclass} .*\b{permission}\b.*mcs_constrained_type")

    def test_gears_have_no_capability(self):
        for tclass in ("capability", "capability2", "cap_userns", "cap2_userns"):
            self.assert_none(f"gear_t has {tclass}", source="gear_t", tclass=tclass)

    def test_gears_stay_what_they_are(self):
        self.assert_none("leaves its domain or picks a label", source="gear_t", tclass="process",
                         perms="transition,dyntransition,setexec,setfscreate,setcurrent,setsockcreate,setkeycreate")
        self.assert_none("relabels", source="gear_t", perms="relabelfrom,relabelto")
        self.assert_none("makes a user namespace", source="gear_t", tclass="user_namespace")

    def test_gears_cannot_mount_or_reach_the_kernel(self):
        self.assert_none("mounts", source="gear_t", perms="mounton,mount,remount,unmount")
        for tclass in ("bpf", "perf_event", "io_uring", "system", "security", "packet_socket", "rawip_socket", "tun_socket",
                       "netlink_audit_socket", "netlink_netfilter_socket", "blk_file"):
            self.assert_none(f"uses {tclass}", source="gear_t", tclass=tclass)
        self.assert_none("debugs", source="gear_t", tclass="process", perms="ptrace")

    def test_gears_see_no_secret(self):
        for target in ("shadow_t", "gearbox_var_lib_t", "gearbox_router_data_t", "gearbox_runtime_t", "tls_privkey_t",
                       "sshd_key_t", "user_home_t", "ssh_home_t", "security_t", "kmsg_device_t", "memory_device_t",
                       "fixed_disk_device_t", "policy_config_t", "syslogd_runtime_t", "var_log_t"):
            self.assert_none(f"touches {target}", source="gear_t", target=target, tclass="file")
            self.assert_none(f"touches {target}", source="gear_t", target=target, tclass="sock_file")

    def test_gears_write_only_their_own(self):
        own = {"gear_t", "gear_file_t", "gear_tmpfs_t"}
        for tclass in ("file", "dir", "lnk_file", "sock_file"):
            for _, target, _, permissions in rules(source="gear_t", tclass=tclass):
                if permissions & WRITES and not types_of(target) <= own:
                    # Name services: a socket that is not there in a gear's mount namespace.
                    self.assertEqual((target, tclass), ("setrans_runtime_t", "sock_file"),
                                     f"gear_t may {permissions & WRITES} {target}:{tclass}")

    def test_gears_talk_to_nobody_but_themselves(self):
        for _, target, _, _ in rules(source="gear_t", tclass="unix_stream_socket", perms="connectto"):
            self.assertIn(target, ("gear_t", "setrans_t"))
        for _, target, _, permissions in rules(source="gear_t", tclass="process"):
            if target != "gear_t":
                self.assertEqual(permissions, {"sigchld"}, f"gear_t may {permissions} {target}")

    def test_only_the_daemon_and_unconfined_services_start_gears(self):
        for source, _, _, _ in rules(target="gear_t", tclass="process", perms="transition"):
            for name in types_of(source):
                attributes = tool("seinfo", POLICY, "-t", name, "-x")
                self.assertTrue(name == "gearboxd_t" or "unconfined_domain_type" in attributes, name)

    def test_the_welcome_screen_starts_name_servers_only(self):
        for _, target, _, permissions in rules(source="gearbox_welcome_t", tclass="service"):
            self.assertEqual(target, "gearbox_dns_unit_t", permissions)
        self.assert_none("manages the system", source="gearbox_welcome_t", tclass="system", perms="start,stop,reload,reboot")

    def test_the_daemon_cannot_switch_selinux_off(self):
        self.assert_none("changes the policy", source="gearboxd_t", tclass="security",
                         perms="setenforce,load_policy,setbool,setsecparam,setcheckreqprot")
        self.assert_none("loads modules", source="gearboxd_t", tclass="system", perms="module_load")
        self.assert_none("loads modules", source="gearboxd_t", tclass="capability", perms="sys_module,sys_rawio,sys_boot,sys_time")
        self.assert_none("reads kernel memory", source="gearboxd_t", target="memory_device_t", perms="read,write")
        self.assert_none("reads raw disks", source="gearboxd_t", target="fixed_disk_device_t", perms="read,write")

    def test_the_router_has_only_its_certificate(self):
        for target in ("gearbox_var_lib_t", "shadow_t", "gear_file_t", "sshd_key_t", "user_home_t"):
            self.assert_none(f"reads {target}", source="gearbox_router_t", target=target, tclass="file")
        self.assert_none("runs programs", source="gearbox_router_t", target="bin_t", tclass="file", perms="execute")
        self.assert_none("runs a shell", source="gearbox_router_t", target="shell_exec_t", tclass="file", perms="execute")
        self.assert_none("leaves its domain", source="gearbox_router_t", tclass="process", perms="transition,dyntransition")

    def test_ssh_sessions_of_gears_only_ask_the_daemon(self):
        for target in ("bin_t", "shell_exec_t", "gear_file_t", "usr_t"):
            self.assert_none(f"runs {target}", source="gearbox_shell_t", target=target, tclass="file", perms="execute_no_trans")
        self.assert_none("leaves its domain", source="gearbox_shell_t", tclass="process", perms="transition,dyntransition")
        self.assert_none("has a capability", source="gearbox_shell_t", tclass="capability")
        self.assert_none("opens a network socket", source="gearbox_shell_t", tclass="tcp_socket", perms="connect,bind,create")
        self.assert_none("reads gears", source="gearbox_shell_t", target="gear_file_t", tclass="file")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        POLICY = sys.argv.pop(1)
        PolicyTest.__unittest_skip__ = not os.path.exists(POLICY) or not shutil.which("sesearch")
    unittest.main()
