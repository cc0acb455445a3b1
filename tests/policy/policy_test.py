#!/usr/bin/env python3
"""Asks the compiled SELinux policy whether it keeps what SECURITY.md promises.

    python3 tests/policy/policy_test.py [POLICY-FILE]

The file is the image's /etc/selinux/default/policy/policy.33; it may also be named by GEARBOX_POLICY. Needs the
package setools. What may never be allowed stands in runtime/selinux/gearbox-promises.cil and is checked when a policy
is built; here stand the exact tables of who may do what, and what that language cannot say.
"""

import functools
import os
import sys
import unittest

try:
    import setools
except ImportError:
    setools = None

POLICY = os.environ.get("GEARBOX_POLICY", "")
PROGRAMS = ("gear_t", "gear_db_t", "gear_build_t", "gear_session_t", "gear_git_t")
GEAR = PROGRAMS + ("gear_init_t",)
OURS = GEAR + ("gear_setup_t", "gearboxd_t", "gearbox_router_t", "gearbox_mirror_t", "gearbox_shell_t", "gearbox_firstboot_t", "gearbox_welcome_t")
CONTENT = ("gear_file_t", "gear_cartridge_t", "gear_db_file_t", "gear_repository_t", "gear_log_t", "gear_tmpfs_t")
WRITES = {"write", "append", "create", "unlink", "rename", "link", "setattr", "add_name", "remove_name", "rmdir", "mounton"}

# What each may do with files of its gear: r(ead), w(rite), x (start as a program).
FILES = {
    #                  file   cartridge db_file repository log   tmpfs
    "gear_t":         ("rwx", "rx",    "",     "r",       "rw", "rw"),
    "gear_db_t":      ("rw",  "rx",    "rwx",  "",        "rw", "rw"),
    "gear_build_t":   ("rwx", "rwx",   "rwx",  "rw",      "rw", "rw"),
    "gear_session_t": ("rwx", "rwx",   "rwx",  "rwx",     "rw", "rw"),
    "gear_git_t":     ("r",   "",      "",     "rwx",     "",   "rw"),
    "gear_init_t":    ("",    "",      "",     "",        "",   ""),
    "gear_setup_t":   ("rw",  "r",     "r",    "r",       "r",  "r"),
}

# To the processes of which other domains: k(ill), c(onnect by a socket in the file system), l(ook into /proc).
PROCESSES = {
    #                  gear_t db_t   build_t session_t git_t init_t
    "gear_t":         ("",    "c",   "ckl",  "ckl",    "",   ""),
    "gear_db_t":      ("",    "",    "kl",   "kl",     "",   ""),
    "gear_build_t":   ("ckl", "c",   "",     "",       "",   ""),
    "gear_session_t": ("ckl", "ckl", "ckl",  "",       "kl", "l"),
    "gear_git_t":     ("",    "",    "",     "",       "",   ""),
    "gear_init_t":    ("",    "",    "",     "",       "",   ""),
}

# TCP ports: c(onnect to), l(isten at).
PORTS = ("http_port_t", "http_cache_port_t", "mysqld_port_t", "gear_document_port_t", "unreserved_port_t", "smtp_port_t")
NETWORK = {
    #                  http  8080  3306  27017 other 25
    "gear_t":         ("cl", "cl", "cl", "cl", "cl", "cl"),
    "gear_db_t":      ("",   "",   "cl", "cl", "l",  "l"),
    "gear_build_t":   ("c",  "c",  "c",  "c",  "cl", "cl"),
    "gear_session_t": ("cl", "cl", "cl", "cl", "cl", "cl"),
    "gear_git_t":     ("",   "",   "",   "",   "",   ""),
    "gear_init_t":    ("",   "",   "",   "",   "",   ""),
}


@functools.lru_cache(maxsize=None)
def policy():
    return setools.SELinuxPolicy(POLICY)


@functools.lru_cache(maxsize=None)
def rules_from(source):
    """(target, class, permissions) of every allow rule, by types, not attributes; a condition counts as true."""
    found = []
    for rule in setools.TERuleQuery(policy(), ruletype=["allow"], source=source).results():
        targets = {str(t) for t in rule.target.expand()}
        found.append((targets, str(rule.tclass), {str(p) for p in rule.perms}))
    return found


def attributes_of(name):
    return {str(a) for a in policy().lookup_type(name).attributes()}


def rules(source, target=None, tclass=None, perms=None):
    """The matching rules as text, for a message; permissions are separated by commas."""
    wanted = set(perms.split(",")) if perms else None
    return [f"{source} {sorted(targets)[:3]}:{c} {sorted(p & wanted if wanted else p)}" for targets, c, p in rules_from(source)
            if (target is None or target in targets) and (tclass is None or tclass == c) and (wanted is None or wanted & p)]


def allowed(source, target, tclass):
    return set().union(*(p for targets, c, p in rules_from(source) if target in targets and c == tclass))


def letters(source, target, table):
    """The letters of a table of letter → (class, permission) that the policy allows."""
    return "".join(letter for letter, (tclass, permission) in table if permission in allowed(source, target, tclass))


@unittest.skipUnless(POLICY and os.path.exists(POLICY), "no compiled policy given (GEARBOX_POLICY)")
@unittest.skipUnless(setools, "setools is not installed")
class PolicyTest(unittest.TestCase):
    def assert_none(self, message, source, **match):
        self.assertEqual(rules(source, **match), [], f"{source} {message}")

    def assert_table(self, table, columns, meaning):
        for source, row in table.items():
            actual = tuple(letters(source, target, meaning) if target != source else "" for target in columns)
            self.assertEqual(dict(zip(columns, actual)), dict(zip(columns, row)), source)

    def test_rules_are_found_at_all(self):
        self.assertTrue(rules("gear_t", target="bin_t", tclass="file", perms="execute"))
        self.assertTrue(rules("gearboxd_t", target="shadow_t", tclass="file", perms="write"))

    def test_no_domain_of_ours_is_permissive(self):
        permissive = {str(t) for t in policy().types() if t.ispermissive}
        self.assertEqual(permissive & set(OURS), set())

    def test_the_table_of_files(self):
        self.assert_table(FILES, CONTENT, (("r", ("file", "read")), ("w", ("file", "write")), ("x", ("file", "execute_no_trans"))))

    def test_the_table_of_processes(self):
        self.assert_table(PROCESSES, GEAR, (("c", ("unix_stream_socket", "connectto")), ("k", ("process", "sigkill")),
                                            ("l", ("file", "read"))))

    def test_the_table_of_ports(self):
        self.assert_table(NETWORK, PORTS, (("c", ("tcp_socket", "name_connect")), ("l", ("tcp_socket", "name_bind"))))

    def test_gears_are_separated_by_category(self):
        for domain in GEAR:
            self.assertIn("mcs_constrained_type", attributes_of(domain))
        constraints = "\n".join(str(c) for c in policy().constraints() if "mcs_constrained_type" in str(c))
        for tclass, permission in (("file", "read"), ("file", "write"), ("dir", "search"), ("process", "signal"),
                                   ("process", "ptrace"), ("unix_stream_socket", "connectto")):
            self.assertRegex(constraints, rf"mlsconstrain {tclass} .*\b{permission}\b")

    def test_gears_have_no_capability(self):
        for domain in GEAR:
            for tclass in ("capability", "capability2", "cap_userns", "cap2_userns"):
                self.assert_none(f"has {tclass}", domain, tclass=tclass)

    def test_gears_stay_what_they_are(self):
        for domain in GEAR:
            self.assert_none("leaves its domain or picks a label", domain, tclass="process",
                             perms="transition,dyntransition,setexec,setfscreate,setcurrent,setsockcreate,setkeycreate")
            self.assert_none("relabels", domain, perms="relabelfrom,relabelto")
            self.assert_none("makes a user namespace", domain, tclass="user_namespace")

    def test_gears_cannot_mount_or_reach_the_kernel(self):
        for domain in GEAR:
            self.assert_none("mounts", domain, perms="mounton,mount,remount,unmount")
            for tclass in ("bpf", "perf_event", "io_uring", "system", "security", "packet_socket", "rawip_socket", "tun_socket",
                           "netlink_audit_socket", "netlink_netfilter_socket", "blk_file"):
                self.assert_none(f"uses {tclass}", domain, tclass=tclass)
            self.assert_none("debugs", domain, tclass="process", perms="ptrace")

    def test_gears_see_no_secret(self):
        for domain in GEAR:
            for target in ("shadow_t", "gearbox_var_lib_t", "gearbox_router_data_t", "gearbox_runtime_t", "tls_privkey_t",
                           "sshd_key_t", "user_home_t", "ssh_home_t", "security_t", "kmsg_device_t", "memory_device_t",
                           "fixed_disk_device_t", "policy_config_t", "syslogd_runtime_t", "var_log_t"):
                self.assert_none(f"touches {target}", domain, target=target, tclass="file")
                self.assert_none(f"touches {target}", domain, target=target, tclass="sock_file")

    def test_gears_write_only_their_own(self):
        for domain in GEAR:
            for tclass in ("file", "dir", "lnk_file", "sock_file"):
                for targets, c, permissions in rules_from(domain):
                    if c == tclass and permissions & WRITES:
                        # Of libselinux: a socket that is not there in a gear's mount namespace.
                        foreign = targets - set(GEAR) - set(CONTENT) - {"setrans_runtime_t"}
                        self.assertEqual(foreign, set(), f"{domain} may {permissions & WRITES} {c}")

    def test_gears_talk_to_nobody_but_themselves(self):
        for domain in GEAR:
            for targets, tclass, permissions in rules_from(domain):
                if tclass == "unix_stream_socket" and "connectto" in permissions:
                    self.assertLessEqual(targets, {*GEAR, "setrans_t"}, domain)
                if tclass == "process" and not targets <= set(GEAR):
                    self.assertEqual(permissions, {"sigchld"}, f"{domain} {targets}")

    def test_only_gear_init_and_unconfined_services_start_gears(self):
        for domain in GEAR:
            query = setools.TERuleQuery(policy(), ruletype=["allow"], target=domain, tclass=["process"], perms=["transition"])
            for source in {str(t) for rule in query.results() for t in rule.source.expand()}:
                self.assertTrue(source == "gear_setup_t" or "unconfined_domain_type" in attributes_of(source), source)

    def test_the_set_up_of_a_gear_leads_into_it_only(self):
        for targets, tclass, permissions in rules_from("gear_setup_t"):
            if tclass == "process" and permissions & {"transition", "dyntransition"}:
                self.assertLessEqual(targets, set(GEAR))
        self.assert_none("runs a program as itself", "gear_setup_t", perms="execute_no_trans")
        self.assert_none("listens or connects", "gear_setup_t", tclass="tcp_socket", perms="create,connect,bind")

    def test_files_inherit_the_type_of_their_directory(self):
        """No rule gives what a gear's programs make another type than the directory's, but for memory files."""
        for domain in PROGRAMS:
            found = {str(r.target) for r in setools.TERuleQuery(policy(), ruletype=["type_transition"], source=domain).results()}
            self.assertEqual(found, {"tmpfs_t"}, domain)

    def test_the_welcome_screen_starts_name_servers_only(self):
        for targets, tclass, permissions in rules_from("gearbox_welcome_t"):
            if tclass == "service":
                self.assertEqual(targets, {"gearbox_dns_unit_t"}, permissions)
        self.assert_none("manages the system", "gearbox_welcome_t", tclass="system", perms="start,stop,reload,reboot")

    def test_the_daemon_cannot_switch_selinux_off(self):
        self.assert_none("changes the policy", "gearboxd_t", tclass="security",
                         perms="setenforce,load_policy,setbool,setsecparam,setcheckreqprot")
        self.assert_none("loads modules", "gearboxd_t", tclass="system", perms="module_load")
        self.assert_none("has a capability too much", "gearboxd_t", tclass="capability",
                         perms="sys_module,sys_rawio,sys_boot,sys_time,sys_chroot,mknod")
        self.assert_none("reads kernel memory", "gearboxd_t", target="memory_device_t", perms="read,write")
        self.assert_none("reads raw disks", "gearboxd_t", target="fixed_disk_device_t", perms="read,write")

    def test_the_daemon_mounts_nothing_and_enters_no_gear(self):
        self.assert_none("mounts", "gearboxd_t", perms="mounton,mount,remount,unmount")
        self.assert_none("chooses a domain", "gearboxd_t", tclass="process", perms="setexec,setcurrent,dyntransition,ptrace")
        for targets, tclass, permissions in rules_from("gearboxd_t"):
            if tclass == "process" and "transition" in permissions:
                self.assertEqual(targets, {"gear_setup_t"})
        for target in CONTENT:
            self.assert_none("runs a gear's file", "gearboxd_t", target=target, tclass="file", perms="execute,execute_no_trans")

    def test_the_daemon_changes_the_limits_of_gears_only(self):
        limited = set().union(*(t for t, tclass, permissions in rules_from("gearboxd_t") if tclass == "process" and "setrlimit" in permissions))
        self.assertEqual(limited, {*GEAR, "gearboxd_t"})
        for domain in GEAR:
            self.assertLessEqual({"signal", "sigkill", "getrlimit", "setrlimit"}, allowed("gearboxd_t", domain, "process"), domain)

    def test_the_router_has_only_its_certificate(self):
        for target in ("gearbox_var_lib_t", "shadow_t", "sshd_key_t", "user_home_t", *CONTENT):
            self.assert_none(f"reads {target}", "gearbox_router_t", target=target, tclass="file")
        self.assert_none("runs programs", "gearbox_router_t", target="bin_t", tclass="file", perms="execute")
        self.assert_none("runs a shell", "gearbox_router_t", target="shell_exec_t", tclass="file", perms="execute")
        self.assert_none("leaves its domain", "gearbox_router_t", tclass="process", perms="transition,dyntransition")

    def test_the_router_connects_to_no_service_of_the_host(self):
        self.assertIn("name_connect", allowed("gearbox_router_t", "http_cache_port_t", "tcp_socket"), "where gears listen")
        for targets, tclass, permissions in rules_from("gearbox_router_t"):
            if "name_connect" in permissions:
                self.assertEqual({t for t in targets if "reserved_port_type" in attributes_of(t)}, set())

    def test_ssh_sessions_of_gears_only_ask_the_daemon(self):
        for target in ("bin_t", "shell_exec_t", "usr_t", *CONTENT):
            self.assert_none(f"runs {target}", "gearbox_shell_t", target=target, tclass="file", perms="execute_no_trans")
            if target.startswith("gear"):
                self.assert_none("reads gears", "gearbox_shell_t", target=target, tclass="file")
        self.assert_none("leaves its domain", "gearbox_shell_t", tclass="process", perms="transition,dyntransition")
        self.assert_none("has a capability", "gearbox_shell_t", tclass="capability")
        self.assert_none("opens a network socket", "gearbox_shell_t", tclass="tcp_socket", perms="connect,bind,create")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        POLICY = sys.argv.pop(1)
        PolicyTest.__unittest_skip__ = not os.path.exists(POLICY) or not setools
    unittest.main()
