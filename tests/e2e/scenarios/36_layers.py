"""Every layer is necessary: with one of them switched off for a throw-away gear, attempts listed for it come through.

Each wall is the only one left: those that stand in front of it are taken away first, from outside, as the guest's root.
The same, attempt by attempt, where there is no SELinux: tests/functional/layers_test.cpp.
"""

import concurrent.futures
import ipaddress
import json
import pathlib
import re
import shlex

from appliance import expect, expect_in, expect_true

SELINUX = pathlib.Path(__file__).resolve().parents[3] / "runtime/selinux"
PROBE = "/usr/libexec/gearbox/gear-probe"
# The domain that ssh sessions, and so the probe, run in.
PERMISSIVE = "(typepermissive gear_session_t)"
# quotactl_fd(fd, QCMD(Q_SETQUOTA, USRQUOTA), uid, dqblk without limits), dqb_valid = QIF_LIMITS
NO_QUOTA = ("sysopen(my $d, '/var/lib/openshift', 0200000) or die $!; my $q = pack('Q8LL', (0) x 8, 5, 0); "
            "syscall(443, fileno($d), 0x80000800, %d, $q) == 0 or die $!")
# The modules, and what is made of them.
POLICY = "/var/lib/selinux/default /etc/selinux/default"
state = {}


def command_of(group, names=(), targets=None, *words):
    """The probe's, with all attempts of a group or with those named."""
    chosen = [word for name in sorted(names) for word in ("--attempt", name)]
    return shlex.join([PROBE, "--group", group, *chosen, *words, *(["--targets", json.dumps(targets)] if targets else [])])


def probe(appliance, *arguments):
    """{attempt: (result, errno)} of command_of(…), tried over ssh in the first gear."""
    return ask(appliance, command_of(*arguments))


def ask(appliance, command, number=0):
    app = state["apps"][number]
    return facts_of(appliance.machine.ssh(command, user=app["id"], key=appliance.users[app["domain_id"]].key, timeout=300).stdout)


def facts_of(text):
    facts = [json.loads(line) for line in text.splitlines()]
    return {fact["name"]: (fact["result"], fact["errno"]) for fact in facts if "name" in fact}


def through(facts):
    return {name for name, (result, _) in facts.items() if result == "succeeded"}


def check_two_gears(appliance):
    state["apps"] = []
    for login in ("erin", "frank"):
        reply = appliance.make_user(login).api("POST", f"/domain/{login}/applications",
                                               {"name": "wall", "cartridges": ["php"]})
        expect(reply.status, 201, reply.text)
        state["apps"].append(reply.json["data"])
    state["facts"] = [appliance.facts_of(app) for app in state["apps"]]
    expect(appliance.machine.denials(), [], "denials before")


def check_a_neighbour_that_is_there_is_out_of_reach(appliance):
    """With what a gear could only guess: the neighbour's home, first process, address and port."""
    other = state["facts"][1]
    number = rf"ip -4 -o addr show gb{other['uid']} | sed -E 's/.*inet ([0-9.]+)\/31.*/\1/'"
    host_end = ipaddress.ip_address(appliance.sudo(number).strip())
    state["targets"] = targets = {
        "other_uid": other["uid"], "other_home": other["home"], "other_address": str(ipaddress.ip_address(int(host_end) ^ 1)),
        "other_pid": int(appliance.sudo(f"pgrep -U {other['uid']} -x gear-init")),
        "other_port": int(re.search(r'"proxy_port":\s*(\d+)', appliance.sudo(f"cat /var/lib/gearbox/gears/{other['gear']}.json"))[1]),
    }
    appliance.sudo(f"curl -sf http://{targets['other_address']}:{targets['other_port']}/ >/dev/null")
    for group in ("files", "processes", "network"):
        facts = probe(appliance, group, (), targets)
        expect(through(facts), set(), group)
        expect_true(len(facts) > 20, f"{group}: {len(facts)}")


# Where the gear's mounts are not its own /proc is the host's, too.
OF_NAMESPACES = {
    "ipc": ("processes", {"foreign-shared-memory", "foreign-semaphores"}),
    "pid": ("processes", {"pidfd-open", "priority-of-other", "kill-everything"}),
    "net": ("network", {"host-sshd", "host-http", "host-daemon"}),
    "mount": ("files", {"passwd-of-host", "other-homes-walk", "foreign-temporary-files", "sysfs"}),
}


def without(appliance, namespace, group, names):
    """What comes through in the gear's namespaces but one, as its user: without SELinux, filter, limits and cgroup."""
    own = state["facts"][0]
    entered = " ".join(f"--{name}" for name in OF_NAMESPACES if name != namespace)
    return through(facts_of(appliance.sudo(
        f"init=$(pgrep -U {own['uid']} -x gear-init) && echo $$ >/sys/fs/cgroup/cgroup.procs && exec nsenter -t $init "
        f"{entered} prlimit --nproc=unlimited setpriv --reuid {own['uid']} --regid {own['uid']} --clear-groups --bounding-set=-all --inh-caps=-all "
        f"--no-new-privs env -i PATH=/usr/bin HOME={own['home']} "
        + command_of(group, names, {**state["targets"], "memory_mb": 64}), timeout=300)))


def check_only_namespaces_hide_processes_memory_the_network_and_files(appliance):
    appliance.sudo("ipcmk --shmem 4096 && ipcmk --semaphore 1")
    for namespace, (group, names) in OF_NAMESPACES.items():
        expect(without(appliance, None, group, names), set(), f"with the namespace {namespace}")
        expect(without(appliance, namespace, group, names), names, f"without the namespace {namespace}")
    appliance.sudo("ipcrm --all=shm && ipcrm --all=sem")


OF_CGROUP = {"memory", "shared-memory", "fork-bomb"}


def check_only_cgroups_and_limits_bound_memory_and_processes(appliance):
    expect(through(probe(appliance, "resources", OF_CGROUP)), set())
    expect(without(appliance, None, "resources", OF_CGROUP), OF_CGROUP, "outside of the cgroup and without limits")


OF_HOST_FILTER = {"other-gear-port", "host-sshd", "host-http", "host-https"}


def check_only_the_packet_filter_keeps_a_gear_from_its_neighbours_and_the_host(appliance):
    appliance.sudo("nft delete table inet gearbox")
    found = through(probe(appliance, "network", OF_HOST_FILTER, state["targets"]))
    appliance.sudo("systemctl restart gearboxd && sleep 1")
    expect(found, OF_HOST_FILTER, "without the filter")
    expect(through(probe(appliance, "network", OF_HOST_FILTER, state["targets"])), set(), "with the filter again")


OF_MCS = ("other-home-list", "other-home-read", "other-home-write", "other-home-by-symlink", "other-home-by-race")


def check_only_categories_keep_a_copy_of_the_neighbours_home_closed(appliance):
    """The mount and the owner out of the way: the neighbour's home inside of the own one, given to the own user."""
    own, other = state["facts"]
    copy = f"{own['home']}/app-root/data/neighbour"
    appliance.sudo(f"cp -a {other['home']} {copy} && chown -R {own['uid']}:{own['uid']} {copy} && chmod -R u+rwX {copy}")
    labels = appliance.sudo(f"stat -c %C {other['home']} {copy} {own['home']}").split()
    expect_true(labels[0] == labels[1] != labels[2], labels)
    facts = probe(appliance, "files", OF_MCS, {"other_home": copy})
    expect(facts, {name: ("denied", "EACCES") for name in OF_MCS}, "other categories")
    appliance.sudo(f"chcon -R -l {labels[2].split(':', 3)[3]} {copy}")
    facts = probe(appliance, "files", OF_MCS, {"other_home": copy})
    expect(facts, {name: ("succeeded", "") for name in OF_MCS}, "its own categories")
    appliance.sudo(f"rm -rf {copy}")


def check_only_the_limit_and_the_quota_bound_files(appliance):
    own = state["facts"][0]
    names = ("open-files", "disk", "inodes")
    expect(probe(appliance, "resources", names)["open-files"], ("denied", "EMFILE"))
    appliance.sudo("printf '[size.wide]\\ndisk_mb = 32\\nfiles = 4000\\nopen_files = 201000\\n' >>/etc/gearbox/gearboxd.toml"
                   " && systemctl restart gearboxd && sleep 1")
    appliance.sudo(f"gearbox admin app resize {own['gear']} wide")
    facts = probe(appliance, "resources", names, None, "--heavy")
    expect(facts["open-files"], ("succeeded", ""), "200,000 open files are allowed")
    expect((facts["disk"], facts["inodes"]), (("denied", "EDQUOT"),) * 2)
    appliance.sudo(f"perl -e {shlex.quote(NO_QUOTA % own['uid'])}")
    facts = probe(appliance, "resources", names, None, "--heavy")
    expect((facts["disk"], facts["inodes"]), (("succeeded", ""),) * 2, "without a quota")


OF_LIMITS = ("locked-memory", "pending-signals", "file-watches")


def check_only_the_limits_of_a_process_bound_what_the_kernel_keeps_for_it(appliance):
    """A session that waits at a gate, while root gives it what gear-init has taken, and the gear's memory no limit."""
    own = state["facts"][0]
    expect({name: result for name, (result, _) in probe(appliance, "resources", OF_LIMITS).items()}, dict.fromkeys(OF_LIMITS, "denied"))
    expect(probe(appliance, "labels", ["out-of-memory-inherited"])["out-of-memory-inherited"][0], "denied")
    wanted = " ".join(f"--attempt {name}" for name in (*OF_LIMITS, "out-of-memory-inherited"))
    gate = f"{own['home']}/app-root/data/gate"
    appliance.sudo(f"mkfifo {gate} && chown {own['uid']} {gate} && sysctl -q fs.inotify.max_user_instances=1000000")
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        later = pool.submit(ask, appliance, f"read -r go <{gate}; exec {PROBE} {wanted}")
        appliance.sudo(f"""
            for try in $(seq 100); do pid=$(pgrep -U {own['uid']} -f '^/bin/bash .*{gate}') && break; sleep .2; done
            for one in $pid; do
                prlimit --pid $one --memlock=unlimited --sigpending=unlimited --nofile=201000
                echo -500 >/proc/$one/oom_score_adj
            done
            echo max >$(find /sys/fs/cgroup -type d -name 'gear-{own['gear']}')/memory.max
            echo go >{gate}""")
        facts = later.result()
    for name in (*OF_LIMITS, "out-of-memory-inherited"):
        expect(facts[name][0], "succeeded", f"{name}: {facts[name]}")
    appliance.sudo(f"rm {gate}; sysctl -q fs.inotify.max_user_instances=128")


OF_TYPE = {"exec-label", "current-label", "current-categories", "file-creation-label", "socket-creation-label",
           "key-creation-label", "label-own-file"}
OF_SECCOMP = {"unlisted-call", "terminal-selection", "fanotify", "quota-control"}


def check_an_operators_own_type_capability_and_filter(appliance):
    """A profile for one domain as docs/security-profiles.md says, with a type made of what there is of gear_t. In the same
    transaction, which takes its time, the domain of sessions becomes permissive."""
    lines = [line.split(";")[0] for line in (SELINUX / "gearbox-gear.cil").read_text().splitlines()]
    module = [re.sub(r"\bgear_t\b", "gear_names_t", line) for line in lines if re.search(r"\bgear_t\b", line)]
    module += ["(allow gear_names_t self (capability (net_bind_service)))", PERMISSIVE, ""]
    profile = ('selinux_type = "gear_names_t"\n[assign]\ndomains = ["frank"]\n[capabilities]\nkeep = ["net_bind_service"]\n'
               '[seccomp]\nfilter = false\n')
    appliance.machine.sudo("cat >/tmp/gear_names.cil", stdin="\n".join(module))
    appliance.machine.sudo("mkdir -p /etc/gearbox/profiles && cat >/etc/gearbox/profiles/names.toml", stdin=profile)
    expect_in("gear_names_t", appliance.machine.sudo("gearboxd --check-profiles", check=False).stderr)
    enforced = [probe(appliance, "labels", OF_TYPE), probe(appliance, "kernel", OF_SECCOMP)]
    expect([through(facts) for facts in enforced], [set(), set()], "with all layers")
    appliance.sudo(f"for folder in {POLICY}; do cp -a $folder $folder.before; done")
    appliance.sudo("semodule -i /tmp/gear_names.cil && gearboxd --check-profiles && systemctl restart gearboxd && sleep 1", timeout=300)
    bind = """perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 53, Listen => 1) ? "bound" : $!'"""
    for event in ("force-stop", "start"):
        reply = appliance.users["frank"].api("POST", f"/application/{state['apps'][1]['id']}/events", {"event": event})
        expect(reply.status, 200, reply.text)
    # Of semodule, and of the stop script, which has the new type and finds processes of the old one.
    appliance.machine.forget_denials()
    for app, result in zip(state["apps"], ("Permission denied", "bound")):
        key = appliance.users[app["domain_id"]].key
        expect(appliance.machine.ssh(bind, user=app["id"], key=key).stdout, result, app["domain_id"])
    labels = appliance.sudo(f"for p in $(pgrep -U {state['facts'][1]['uid']}); do tr '\\0' '\\n' </proc/$p/attr/current; done")
    expect({label.split(":")[2] for label in labels.split()}, {"gear_init_t", "gear_names_t"})
    expect(appliance.machine.denials(), [])
    expect(through(ask(appliance, command_of("kernel", OF_SECCOMP), 1)), OF_SECCOMP, "without the filter of system calls")
    expect(through(probe(appliance, "labels", OF_TYPE)), OF_TYPE, "with a permissive domain")
    others = [denial for denial in appliance.machine.denials() if "gear_session_t" not in denial]
    appliance.machine.forget_denials()
    expect(others, [], "denials of others")


# Stopped or absent wherever one layer is off, here and in layers_test.cpp: several walls, or a kernel that has more.
BEHIND_SEVERAL_WALLS = """
    bus-socket core-pattern-write daemon-keys daemon-socket host-disks modprobe-path-write router-socket systemd-socket
    sshd-config-read daemon-credentials boot-files host-logs

    preload-setuid delete-module init-module io-ports io-privilege kexec-load kexec-file-load memory-device port-device
    kcore kmsg-device fuse-device sysrq-trigger terminal-input terminal-input-upper-half call-32-bit local-descriptors
    file-system-types file-system-status keyctl add-key request-key

    exec-label file-creation-label key-creation-label label-own-file out-of-memory-score selinuxfs-enforce selinuxfs-load
    selinuxfs-mount socket-creation-label integrity-attribute immutable-own-file cgroup-own-pids autogroup-nice

    alg bluetooth can internet-ipv6 key link-create netlink-crypto netlink-xfrm netlink-audit netlink-uevent netlink-connector
    ndp-spoofing packet-mark tunnel-device vsock

    raise-process-limit realtime-fifo realtime-deadline prlimit-foreign migrate-pages-foreign setgid-root journal-flood
    locked-limit locked-memory log-flood pipe-size raise-open-files
""".split()


def check_root_outside_of_gears_is_stopped_nowhere(appliance):
    """Attempts that fail for no other reason than the layers: here are none. They may unmount what they can."""
    targets = shlex.quote(json.dumps({"other_pid": int(appliance.sudo("pgrep -o -U haproxy"))}))
    for namespaces, names in (("--mount", BEHIND_SEVERAL_WALLS), ("--mount --net", ["rule-add"])):  # the machine's rules stay
        chosen = " ".join(f"--attempt {name}" for name in names)
        found = through(facts_of(appliance.sudo(f"unshare {namespaces} {PROBE} --as-root {chosen} --targets {targets}", timeout=300)))
        expect(set(names) - found, set(), "what root is kept from")


def check_both_gears_go(appliance):
    for app in state["apps"]:
        expect(appliance.users[app["domain_id"]].api("DELETE", f"/application/{app['id']}").status, 200)
    # What semodule -r would compile is there still.
    appliance.sudo(f"rm /etc/gearbox/profiles/names.toml; systemctl restart gearboxd; for folder in {POLICY}; do "
                   "rm -r $folder; mv $folder.before $folder; done; load_policy", timeout=300)
    appliance.machine.forget_denials()
