// Every layer is necessary: with one of them switched off for a throw-away gear, attempts listed for it
// come through and no others; what a second wall still stops, the judge attributes to that one. SELinux
// type, MCS, quota and limits of a process: tests/e2e/scenarios/36_layers.py.
#include "conformance_fixture.h"
#include "weakened_gear.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

namespace gearbox::test {

using conformance::Layer;
using conformance::Verdict;
using ::testing::IsSubsetOf;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;

namespace {

using Names = std::set<std::string>;

struct Seen {
    Names through;
    std::map<std::string, std::string> stopped_by;  ///< attempt → layer
    std::map<std::string, std::string> unexplained;  ///< attempt → what it was answered
};

std::string name_of(const conformance::Attempt& attempt) {
    return str(conformance::kebab(attempt.group), "/", conformance::kebab(attempt.identifier));
}

// The attempts whose row names the layer.
Names listed_for(Layer layer) {
    Names out;
    for (const conformance::Attempt& attempt : conformance::attempts()) {
        for (const conformance::Sign& sign : attempt.signs) {
            if (sign.layer == layer) {
                out.insert(name_of(attempt));
            }
        }
    }
    return out;
}

class LayersTest : public ConformanceTest {
protected:
    Seen with(const Weakness& weakness, const std::vector<std::string>& groups, const std::string& options = {}) {
        const WeakenedGear weakened(*agent, settings, gear, weakness);
        std::string command = "exec " + weakened.probe();
        for (const std::string& group : groups) {
            command += " --group " + group;
        }
        const std::string text = weakened.inside(str(command, options, " --targets '", targets(), "'"));
        if (std::getenv("GEARBOX_SHOW_FACTS") != nullptr) {
            std::cout << text;
        }
        Seen seen;
        for (const conformance::Finding& finding :
             conformance::judge(conformance::parse_facts(text), false, groups).findings) {
            const std::string name = finding.group + "/" + finding.name;
            if (finding.verdict == Verdict::not_stopped) {
                seen.through.insert(name);
            } else if (finding.verdict == Verdict::blocked) {
                seen.stopped_by[name] = conformance::name_of(finding.layer);
            } else if (finding.verdict != Verdict::absent) {
                seen.unexplained[name] = str(finding.error, " ", finding.detail);
            }
        }
        return seen;
    }

    // All of `must` come through, and nothing but attempts that are listed for the layer or in `also`.
    // unsaid: where the judge knows of no wall but the layer, and the machine has another one.
    static void expect_through(const Seen& seen, Layer layer, const Names& must,
                               const Names& also = {}, const Names& unsaid = {}) {
        EXPECT_THAT(seen.through, IsSupersetOf(must));
        Names may = listed_for(layer);
        may.insert(must.begin(), must.end());
        may.insert(also.begin(), also.end());
        EXPECT_THAT(seen.through, IsSubsetOf(may));
        for (const auto& [name, answer] : seen.unexplained) {
            EXPECT_TRUE(unsaid.contains(name)) << name << " " << answer;
        }
    }
    static void expect_stopped_by(const Seen& seen, const std::string& layer, const Names& names) {
        for (const std::string& name : names) {
            const auto found = seen.stopped_by.find(name);
            EXPECT_EQ(found == seen.stopped_by.end() ? "nothing" : found->second, layer) << name;
        }
    }
};

void in_mounts_of(const GearRecord& record, const std::string& program) {
    run_tool_checked({"nsenter", str("--mount=/proc/", record.init_pid, "/ns/mnt"), "--", "sh",
                      "-ec", program});
}

// ---- how to switch a layer off

// What the platform owns in the home belongs to the gear.
Weakness without_owners() {
    Weakness out;
    out.ready = [](const GearRecord& record) {
        const std::string home = "/var/lib/openshift/" + record.spec.id.text();
        run_tool_checked({"chown", "-hR", std::to_string(record.spec.uid), home});
        run_tool_checked({"chmod", "-R", "u+rwX", home});
    };
    return out;
}

// The host's directories in the place of the gear's root: nothing masked, read-only, nosuid or private.
Weakness without_mounts() {
    Weakness out;
    out.plan = [](LaunchPlan& plan) {
        plan.mounts.clear();
        for (const char* name : {"bin", "lib", "lib64", "sbin"}) {
            plan.mounts.push_back(SymlinkStep{str("/", name), str("usr/", name)});
        }
        for (const char* path :
             {"/boot", "/dev", "/etc", "/root", "/run", "/sys", "/tmp", "/usr", "/var"}) {
            plan.mounts.push_back(BindStep{path, path, false, true, true});
        }
        plan.mounts.push_back(BindStep{"/var/tmp", "/dev/shm", false, true, true});  // no file system of its own, as the host's is
        plan.mounts.push_back(ProcStep{"/proc"});
    };
    out.ready = [](const GearRecord& record) {
        in_mounts_of(record, "mount -o remount,bind,rw /; mount -o remount,bind,suid /usr");
    };
    return out;
}

Weakness without_filter() {
    Weakness out;
    out.profile = "[seccomp]\nfilter = false\n";
    return out;
}

Weakness with_all_capabilities() {
    Weakness out;
    out.gear_init = built_program("tests/functional/gear-init-all_capabilities");
    return out;
}

Weakness without_filter_and_capabilities() {
    Weakness out = with_all_capabilities();
    out.profile = without_filter().profile;
    return out;
}

Weakness without_filter_capabilities_and_mounts() {
    Weakness out = without_filter_and_capabilities();
    const Weakness mounts = without_mounts();
    out.plan = mounts.plan;
    out.ready = mounts.ready;
    return out;
}

Weakness sharing(std::uint64_t namespaces) {
    Weakness out;
    out.shared_namespaces = namespaces;
    return out;
}

constexpr std::int64_t many = 60'000;

// The limit of the user's processes; that of open files takes CAP_SYS_RESOURCE to be raised.
Weakness without_limits() {
    Weakness out;
    out.settings = [](Settings& settings) { settings.gear.pids = many; };
    return out;
}

Weakness without_cgroup(const std::string& parent) {
    Weakness out;
    out.ready = [parent](const GearRecord& record) {
        const sys::Cgroups groups(parent);
        groups.ensure(cgroup_name(record.spec.id), {std::int64_t{1} << 40, 0, many, 100, 0});
        groups.limit_cpu(cgroup_name(record.spec.id), 10'000);
    };
    return out;
}

// ---- one layer at a time

TEST_F(LayersTest, OwnersAndModes) {
    const Names of_platform = {
        "files/home-create",        "files/sandbox-list",         "git-ssh/hook-overwrite",
        "git-ssh/hook-add",         "git-ssh/repository-rename",  "git-ssh/authorized-keys-write",
        "git-ssh/variable-write",   "git-ssh/authorized-keys-create",
        "git-ssh/variable-create",  "git-ssh/variables-rename",   "git-ssh/ssh-directory-rename",
        "git-ssh/state-write",
    };
    const Seen seen = with(without_owners(), {"files", "git-ssh", "archives"});
    EXPECT_EQ(seen.through, of_platform);
    expect_through(seen, Layer::dac, of_platform);
    expect_stopped_by(seen, "mount", {"files/home-rename", "archives/absolute-name"});
}

TEST_F(LayersTest, Mounts) {
    const UniqueFd terminal(check(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "opening a terminal of the host"));
    const Seen seen = with(without_mounts(), {"files", "processes", "kernel", "labels", "resources",
                                              "git-ssh", "archives"});
    expect_through(seen, Layer::mount,
                   {"files/passwd-of-host", "files/other-homes-walk", "files/daemon-settings",
                    "files/daemon-database", "files/foreign-temporary-files",
                    "resources/tmp-fill", "resources/var-tmp-fill", "resources/dev-shm-fill", "resources/terminals",
                    "kernel/interrupts", "processes/foreign-terminals"});
    expect_stopped_by(seen, "DAC",
                      {"files/shadow-read", "files/other-home-list", "files/other-home-read",
                       "files/other-home-write", "files/usr-create", "files/passwd-write",
                       "files/host-keys-read", "files/daemon-records", "files/host-disks",
                       "files/root-create", "labels/cgroup-leave", "archives/absolute-name"});
    expect_stopped_by(seen, "capabilities", {"files/setuid-program", "git-ssh/preload-setuid"});
    expect_stopped_by(seen, "seccomp", {"kernel/mount-proc", "archives/device-node"});
    expect_stopped_by(seen, "namespace", {"processes/foreign-in-proc"});
}

TEST_F(LayersTest, MountsAndOwnersAndModes) {
    Weakness off = without_mounts();
    const auto no_mounts = off.ready;
    off.ready = [&](const GearRecord& record) {
        no_mounts(record);
        run_tool_checked({"sh", "-ec",
                          "chmod o+r /etc/shadow /etc/ssh/ssh_host_*; chmod o+w /etc /etc/passwd;"
                          "chmod o+rx /var/lib/gearbox /var/lib/gearbox/gears;"
                          "chmod -R o+rwX /var/lib/openshift/" + other.text()});
    };
    expect_through(with(off, {"files"}), Layer::mount,
                   {"files/shadow-read", "files/shadow-by-dots", "files/shadow-by-symlink",
                    "files/shadow-by-init-root", "files/shadow-by-passed-directory",
                    "files/host-keys-read", "files/etc-create", "files/loader-preload-create",
                    "files/passwd-write", "files/daemon-records", "files/other-home-list",
                    "files/other-home-read", "files/other-home-write",
                    "files/other-home-by-symlink", "files/other-home-by-race"});
}

TEST_F(LayersTest, Filter) {
    const Seen seen =
        with(without_filter(), {"files", "processes", "network", "kernel", "labels", "resources", "archives"});
    expect_through(seen, Layer::seccomp,
                   {"processes/compare-foreign", "processes/move-pages-foreign",
                    "network/netlink-netfilter", "network/netlink-generic",
                    "network/netlink-sock-diag", "kernel/unshare-user", "kernel/clone-user",
                    "kernel/clone3-user", "kernel/unlisted-call", "kernel/terminal-selection",
                    "kernel/fanotify", "kernel/quota-control", "resources/asynchronous-io"});
    expect_stopped_by(seen, "capabilities",
                      {"files/open-by-handle", "network/packet-socket", "network/arp-spoofing",
                       "kernel/mount-tmpfs", "kernel/mount-proc", "kernel/umount-mask",
                       "kernel/unshare-network", "kernel/bpf", "kernel/mknod-block",
                       "kernel/set-time", "kernel/setns-init", "labels/cgroup-mount", "archives/device-node"});
}

TEST_F(LayersTest, Capabilities) {
    const Seen seen = with(with_all_capabilities(),
                           {"files", "processes", "network", "kernel", "labels", "archives"});
    // Two files of the platform have no wall but the owner; of programs the kernel says first that they run.
    expect_through(seen, Layer::capabilities,
                   {"files/chown-to-root", "files/chown-to-other", "processes/nice-below-zero",
                    "processes/realtime-io", "processes/setuid-root", "processes/setuid-other",
                    "processes/setgroups-root", "processes/setfsuid-root",
                    "processes/capset-admin", "processes/ambient-capability",
                    "network/transparent-bind", "network/low-port", "network/raw-socket",
                    "network/address-add", "network/route-add", "network/link-change",
                    "network/address-by-ioctl", "network/arp-entry", "network/neighbour-add",
                    "network/promiscuous-by-ioctl", "labels/capability-own-file",
                    "labels/trusted-attribute", "archives/owned-by-root", "files/init-program-write",
                    "files/own-program-write"},
                   {"files/home-create", "files/sandbox-list"},
                   {"files/usr-overwrite", "processes/raise-process-limit", "processes/realtime-fifo",
                    "network/link-create", "labels/setgroups-switch",
                    "labels/out-of-memory-score"});
    expect_stopped_by(seen, "seccomp", {"kernel/mount-tmpfs", "kernel/bpf", "kernel/reboot",
                                        "kernel/unshare-user", "files/open-by-handle"});
    expect_stopped_by(seen, "mount", {"files/usr-create", "files/etc-create"});
}

// Most doors into the kernel are shut twice, files that tell of it or reach into it three times. What this machine's
// kernel lacks is absent, and in neither list.
TEST_F(LayersTest, CapabilitiesAndFilter) {
    const Seen seen = with(without_filter_and_capabilities(), {"kernel"});
    expect_through(seen, Layer::seccomp,
                   {"kernel/mount-tmpfs", "kernel/mount-proc", "kernel/mount-bind", "kernel/remount-writable",
                    "kernel/umount-mask", "kernel/new-mount-interface", "kernel/open-tree", "kernel/mount-attributes",
                    "kernel/pivot-root", "kernel/chroot", "kernel/unshare-mount", "kernel/unshare-pid",
                    "kernel/unshare-network", "kernel/unshare-ipc", "kernel/unshare-uts", "kernel/unshare-cgroup",
                    "kernel/unshare-time", "kernel/setns-init", "kernel/bpf", "kernel/perf-event",
                    "kernel/userfaultfd", "kernel/io-uring", "kernel/reboot", "kernel/kernel-log",
                    "kernel/mknod-block", "kernel/mknod-char", "kernel/hang-up", "kernel/set-time",
                    "kernel/set-clock", "kernel/adjust-clock", "kernel/set-host-name", "kernel/set-domain-name",
                    "kernel/swap-on", "kernel/swap-off", "kernel/accounting", "kernel/fanotify"});
    expect_stopped_by(seen, "mount", {"kernel/kmsg-proc", "kernel/kallsyms", "kernel/keys-proc", "kernel/page-flags",
                                      "kernel/interrupts"});
}

TEST_F(LayersTest, CapabilitiesFilterAndMounts) {
    const Seen seen =
        with(without_filter_capabilities_and_mounts(), {"files", "archives", "labels", "git-ssh", "kernel"});
    EXPECT_THAT(seen.through,
                IsSupersetOf({"kernel/kmsg-proc", "kernel/kallsyms", "kernel/keys-proc", "kernel/page-flags",
                              "kernel/interrupts", "files/usr-create", "files/usr-overwrite", "files/libexec-create",
                              "files/etc-create", "files/root-create", "files/run-create", "files/dev-create",
                              "files/home-rename", "files/setuid-program", "files/open-by-handle",
                              "files/forwarding-sysctl-write", "files/root-keys-read", "files/shadow-backup-read",
                              "files/other-home-write", "files/hard-link-to-other", "archives/absolute-name",
                              "archives/parent-name", "archives/other-home-name", "archives/through-symlink",
                              "archives/device-node", "labels/cgroup-leave", "labels/cgroup-mount",
                              "labels/cgroup-own-memory", "git-ssh/alternates-outside"}));
    if (std::filesystem::exists("/dev/kvm")) {
        EXPECT_THAT(seen.through, IsSupersetOf({"kernel/kvm-device"}));
    }
    // Other walls: hard links from file systems that are not the home's, namespaces, sockets that are not there.
    expect_stopped_by(seen, "mount", {"files/hard-link-to-system", "files/hard-link-to-setuid",
                                      "archives/hard-link-outside"});
    expect_stopped_by(seen, "namespace", {"files/other-memory", "files/other-root-by-proc", "files/other-descriptors"});
}

TEST_F(LayersTest, CapabilitiesFilterAndNetwork) {
    const Seen seen = with(without_filter_and_capabilities(), {"network"});
    expect_through(seen, Layer::seccomp, {"network/packet-socket", "network/arp-spoofing", "network/xdp",
                                          "network/raw-socket", "network/arp-entry", "network/neighbour-add",
                                          "network/promiscuous-by-ioctl"},
                   listed_for(Layer::capabilities), {"network/link-create"});  // of a kind that few kernels have
    expect_stopped_by(seen, "nftables", {"network/other-gear-port", "network/host-daemon", "network/host-sshd"});
}

TEST_F(LayersTest, CapabilitiesFilterAndProcesses) {
    Weakness off = without_filter_and_capabilities();
    off.shared_namespaces = CLONE_NEWPID;
    const Seen seen = with(off, {"files", "processes"});
    EXPECT_THAT(seen.through,
                IsSupersetOf({"files/other-memory", "files/other-root-by-proc", "files/other-descriptors",
                              "processes/ptrace-seize", "processes/kill-foreign", "processes/vm-read", "processes/vm-write",
                              "processes/kill-foreign-group", "processes/pidfd-getfd", "processes/affinity-of-foreign"}));
}

TEST_F(LayersTest, ProcessNamespace) {
    const Seen seen = with(sharing(CLONE_NEWPID), {"files", "processes"});
    const Names foreign = {"processes/foreign-in-proc", "processes/kill-everything",
                           "processes/pidfd-open", "processes/priority-of-other"};
    EXPECT_EQ(seen.through, foreign);
    expect_through(seen, Layer::namespaces, foreign);
    expect_stopped_by(seen, "DAC", {"files/other-memory", "files/other-root-by-proc",
                                    "processes/ptrace-seize", "processes/kill-foreign",
                                    "processes/vm-read", "processes/pidfd-getfd"});
}

TEST_F(LayersTest, NetworkNamespace) {
    const Seen seen = with(sharing(CLONE_NEWNET), {"network"});
    // The host's filter is for what comes in by a link, and what goes out by one; the last do neither.
    expect_through(seen, Layer::namespaces, {"network/abstract-sockets"},
                   {"network/other-host-end", "network/host-addresses", "network/host-daemon",
                    "network/host-sshd", "network/host-http", "network/host-https",
                    "network/host-udp"});
    expect_stopped_by(seen, "nftables", {"network/other-gear-port", "network/other-gear-udp"});
}

TEST_F(LayersTest, IpcNamespace) {
    const int memory = check(::shmget(IPC_PRIVATE, 4096, 0600), "making shared memory");
    const int semaphores = check(::semget(IPC_PRIVATE, 1, 0600), "making semaphores");
    const Seen seen = with(sharing(CLONE_NEWIPC), {"processes"});
    ::shmctl(memory, IPC_RMID, nullptr);
    ::semctl(semaphores, 0, IPC_RMID);
    const Names foreign = {"processes/foreign-shared-memory", "processes/foreign-semaphores"};
    EXPECT_EQ(seen.through, foreign);
}

// Its namespace of cgroups was made in the machine's root group.
TEST_F(LayersTest, CgroupNamespace) {
    Weakness off;
    off.connect = leave_cgroups;
    EXPECT_EQ(with(off, {"labels"}).through, Names{"labels/cgroup-path"});
}

TEST_F(LayersTest, Cgroup) {
    const Seen seen = with(without_cgroup(settings.node.cgroup_parent), {"resources"});
    expect_through(seen, Layer::cgroup, {"resources/memory", "resources/shared-memory"});
    expect_stopped_by(seen, "resource limit",
                      {"resources/fork-bomb", "resources/thread-bomb", "resources/open-files"});
}

TEST_F(LayersTest, CgroupOfTheProcessor) {
    Weakness share;
    share.settings = [](Settings& changed) { changed.gear.cpu_percent = 25; };
    share.environment = {"GEARBOX_CPU_PERCENT=25"};
    expect_stopped_by(with(share, {"resources"}), "cgroup", {"resources/processor"});
    Weakness off = without_cgroup(settings.node.cgroup_parent);
    off.environment = share.environment;
    EXPECT_THAT(with(off, {"resources"}).through, IsSupersetOf({"resources/processor"}));
}

// This machine's file system keeps no quota, so nothing stops it but the attempt itself, beyond the gear's number.
TEST_F(LayersTest, QuotaOfFiles) {
    Weakness off;
    off.environment = {"GEARBOX_FILES=500"};
    const Seen seen = with(off, {"resources"}, " --heavy");
    EXPECT_THAT(seen.through, IsSupersetOf({"resources/inodes"}));
    expect_stopped_by(seen, "nftables", {"resources/loopback-connections", "resources/connections"});
}

// One that keeps a note of connections, as most do.
TEST_F(LayersTest, OwnFilter) {
    Weakness off;
    off.ready = [](const GearRecord& record) {
        run_tool_checked({"nsenter", str("--net=/proc/", record.init_pid, "/ns/net"), "--", "sh", "-ec",
                          "nft add table ip tracking; nft 'add chain ip tracking output { type filter hook output priority 0; }';"
                          "nft add rule ip tracking output ct state new accept"});
    };
    EXPECT_THAT(with(off, {"resources"}, " --heavy").through,
                IsSupersetOf({"resources/loopback-connections", "resources/connections"}));
}

TEST_F(LayersTest, Limits) {
    const Seen alone = with(without_limits(), {"resources"});
    EXPECT_EQ(alone.through, Names{});
    expect_stopped_by(alone, "cgroup", {"resources/fork-bomb", "resources/thread-bomb"});
    Weakness both = without_cgroup(settings.node.cgroup_parent);
    both.settings = without_limits().settings;
    expect_through(with(both, {"resources"}), Layer::limit,
                   {"resources/fork-bomb", "resources/thread-bomb"},
                   {"resources/memory", "resources/shared-memory", "resources/processor"});
}

TEST_F(LayersTest, SessionKeyring) {
    const WeakenedGear weakened(*agent, settings, gear, without_filter());
    const long own = ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    ASSERT_GT(own, 0);
    const std::string program = str("exec perl -e 'print syscall(", SYS_keyctl, ", ", KEYCTL_GET_KEYRING_ID, ", ",
                                    KEY_SPEC_SESSION_KEYRING, ", 0)'");
    const std::string first = weakened.inside(program);
    EXPECT_THAT(first, MatchesRegex("[1-9][0-9]*"));
    EXPECT_NE(first, std::to_string(own));
    EXPECT_NE(first, weakened.inside(program)) << "two sessions share a keyring";
}

TEST_F(LayersTest, HostFilter) {
    Weakness off;
    off.ready = [](const GearRecord& record) {
        run_tool_checked({"nft", "delete", "table", "inet", "gearbox"});
        run_tool_checked({"nsenter", str("--net=/proc/", record.init_pid, "/ns/net"), "--", "sh", "-ec",
                          "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"});
    };
    const auto each_address = [](const char* change) {
        for (const char* address : {"169.254.169.254/32", "192.168.0.1/32", "10.0.2.2/32", "10.0.0.1/32"}) {
            run_tool_checked({"ip", "address", change, address, "dev", "lo"});
        }
    };
    each_address("add");
    const Seen seen = with(off, {"network"});
    each_address("delete");
    restart_agent();
    const Names host = {"network/other-gear-port",        "network/other-gear-by-device",
                        "network/other-gear-udp",
                        "network/other-host-end",         "network/other-host-end-by-device",
                        "network/host-daemon",            "network/host-sshd",
                        "network/host-http",              "network/host-https",
                        "network/host-udp",               "network/host-addresses",
                        "network/host-ping",              "network/host-addresses-by-device", "network/metadata-service",
                        "network/private-network",        "network/private-network-udp",
                        "network/hypervisor"};
    EXPECT_EQ(seen.through, host);
    expect_through(seen, Layer::nftables, host);
}

// A daemon that hands things over, and a log that only grows.
TEST_F(LayersTest, Platform) {
    const UniqueFd root(check(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening /"));
    Weakness off;
    off.inherited = {root.get()};
    off.environment = {"SSH_AUTH_SOCK=/tmp/ssh-x/agent", "GIT_DIR=/", "PERL5LIB=/tmp", "PATH=/tmp/ssh-x:/usr/bin"};
    off.ready = [](const GearRecord& record) {
        in_mounts_of(record, "mkdir -m 0777 /tmp/ssh-x; cd /tmp/ssh-x; echo 'exec cat >$OPENSHIFT_LOG_DIR/log' >logshifter; "
                             "chmod 755 logshifter");
    };
    expect_through(with(off, {"files", "git-ssh", "resources"}), Layer::platform,
                   {"files/inherited-descriptors", "git-ssh/agent-socket",
                    "git-ssh/agent-directories", "git-ssh/git-variables",
                    "git-ssh/preload-variables", "resources/own-log-flood"},
                   {"files/foreign-temporary-files"});
}

}  // namespace

}  // namespace gearbox::test
