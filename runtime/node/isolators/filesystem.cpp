#include "node/isolators/isolators.h"

#include <array>

namespace gearbox {

namespace {

// What programs in a gear may read of the host beside /usr: no secret lies in any of it. Bound
// read-only where it exists.
constexpr std::array shared = {
    "/etc/alternatives",   "/etc/apache2/magic", "/etc/bash.bashrc",   "/etc/ca-certificates.conf",
    "/etc/debian_version", "/etc/fonts",         "/etc/gai.conf",      "/etc/host.conf",
    "/etc/inputrc",        "/etc/java-17-openjdk", "/etc/java-21-openjdk",
    "/etc/ld.so.cache",    "/etc/ld.so.conf",    "/etc/ld.so.conf.d",
    "/etc/localtime",      "/etc/magic",         "/etc/maven",         "/etc/mime.types",
    "/etc/mysql",
    "/etc/os-release",     "/etc/perl",          "/etc/php",           "/etc/protocols",
    "/etc/python3",        "/etc/services",      "/etc/ssl/certs",     "/etc/ssl/openssl.cnf",
    "/etc/terminfo",       "/etc/timezone",      "/var/lib/wordpress",
};

// Kernel interfaces that tell about the machine or other gears, or change either.
constexpr std::array masked = {
    "/proc/acpi",        "/proc/asound",     "/proc/interrupts",    "/proc/kallsyms",
    "/proc/kcore",       "/proc/keys",       "/proc/key-users",     "/proc/kmsg",
    "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags",    "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi",       "/proc/sysrq-trigger", "/proc/timer_list",
    "/proc/vmallocinfo", "/proc/config.gz",
};
constexpr std::array read_only = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"};
constexpr std::array devices = {"/dev/null",   "/dev/zero",    "/dev/full",
                                "/dev/random", "/dev/urandom", "/dev/tty"};

constexpr const char* nsswitch =
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: "
    "files\n"
    "networks: files\nrpc: files\nethers: files\n";

// safe: files of a repository that the platform made belong to the gear in part only; in a gear there is one user, so the
// question whose they are has no point.
// transfer: what no checkout can hold harmlessly is not taken, neither pushed nor cloned (git-fsck(1), names of messages in
// git's fsck.h); slips of old programs in what is already history are. protectNTFS and protectHFS: nor for those who clone.
// useReplaceRefs: what is deployed is the commit that its id names.
// fsync: a reference never leads to an object that a power cut has emptied.
// The rest bounds the memory of git by some 200 MiB, whatever is pushed: large files pass through in pieces.
constexpr const char* git_trust = R"([safe]
	directory = *
[init]
	defaultBranch = master
[gc]
	autoDetach = false
[transfer]
	fsckObjects = true
)";
constexpr const char* git_bounds = R"([core]
	fsync = committed,reference
	protectNTFS = true
	protectHFS = true
	useReplaceRefs = false
	bigFileThreshold = 16m
	deltaBaseCacheLimit = 32m
[pack]
	threads = 2
	windowMemory = 32m
	deltaCacheSize = 32m
)";
// Where git looks for what it lets pass, in what comes by a push and by a clone.
constexpr std::array checked = {"receive", "fetch"};
constexpr const char* old_slips = R"(	badDate = ignore
	badEmail = ignore
	badTimezone = ignore
	missingNameBeforeEmail = ignore
	missingSpaceBeforeDate = ignore
	missingSpaceBeforeEmail = ignore
	zeroPaddedDate = ignore
	zeroPaddedFilemode = ignore
)";

std::string git_settings() {
    std::string text = git_trust;
    for (const char* direction : checked) {
        text += str("[", direction, " \"fsck\"]\n", old_slips);
    }
    return text + git_bounds;
}

class FilesystemIsolator final : public Isolator {
public:
    FilesystemIsolator(const Settings& settings, const Profiles& profiles, const Paths& paths)
        : settings_(settings), profiles_(profiles), paths_(paths) {}
    const char* name() const override { return "filesystem"; }

    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        const GearSpec& spec = record.spec;
        plan.gear = spec.id.text();
        plan.root = paths_.new_root();
        plan.hostname = str(spec.application_name.text(), "-", spec.domain.text()).substr(0, 63);
        add_system(plan);
        add_etc(record, plan);
        add_devices(plan);
        add_temporary(plan);
        plan.root_kb = profiles_.limits(record).tmp_mb * 1024;
        // The home last: nothing of the gear is looked at while the rest is made.
        plan.mounts.push_back(
            BindStep{paths_.home(spec.id), paths_.home(spec.id), false, false, false});
    }

private:
    void add_system(LaunchPlan& plan) const {
        plan.mounts.push_back(BindStep{"/usr", "/usr", true, false, false});
        for (const char* name : {"bin", "lib", "lib64", "sbin"}) {
            plan.mounts.push_back(SymlinkStep{str("/", name), str("usr/", name)});
        }
        // Development: what is installed elsewhere than below /usr.
        for (const std::string& path : {settings_.node.libexec_dir, settings_.node.cartridge_dir,
                                        settings_.node.quickstart_dir}) {
            if (!path.starts_with("/usr/")) {
                plan.mounts.push_back(BindStep{path, path, true, true, false});
            }
        }
        for (const char* path : shared) {
            plan.mounts.push_back(BindStep{path, path, true, true, false});
        }
    }

    void add_etc(const GearRecord& record, LaunchPlan& plan) const {
        const GearSpec& spec = record.spec;
        const std::string name = spec.id.text();
        const auto file = [&plan](const char* target, const std::string& content) {
            plan.mounts.push_back(FileStep{target, content});
        };
        file("/etc/passwd", str("root:x:0:0:root:/:/usr/sbin/nologin\n", name, ":x:", spec.uid, ":",
                                spec.uid, ":OpenShift guest:", paths_.home(spec.id), ":/bin/bash\n",
                                "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"));
        file("/etc/group", str("root:x:0:\n", name, ":x:", spec.uid, ":\nnogroup:x:65534:\n"));
        file("/etc/hosts",
             str("127.0.0.1 localhost\n::1 localhost\n", loopback_address(spec.uid, 1), " ",
                 spec.dns, " ", plan.hostname, "\n"));
        file("/etc/hostname", plan.hostname + "\n");
        file("/etc/nsswitch.conf", nsswitch);
        file("/etc/gitconfig", git_settings());
        plan.mounts.push_back(BindStep{paths_.resolv_conf(), "/etc/resolv.conf", true, false, false});
        plan.mounts.push_back(SymlinkStep{"/etc/mtab", "../proc/self/mounts"});
    }

    static void add_devices(LaunchPlan& plan) {
        plan.mounts.push_back(ProcStep{"/proc"});
        for (const char* path : read_only) {
            plan.mounts.push_back(ReadOnlyStep{path});
        }
        for (const char* path : masked) {
            plan.mounts.push_back(MaskStep{path});
        }
        plan.mounts.push_back(DirectoryStep{"/dev", "0755"});
        for (const char* path : devices) {
            plan.mounts.push_back(BindStep{path, path, false, false, true});
        }
        plan.mounts.push_back(TerminalsStep{"/dev/pts"});
        plan.mounts.push_back(SymlinkStep{"/dev/ptmx", "pts/ptmx"});
        plan.mounts.push_back(SymlinkStep{"/dev/fd", "/proc/self/fd"});
        plan.mounts.push_back(SymlinkStep{"/dev/stdin", "/proc/self/fd/0"});
        plan.mounts.push_back(SymlinkStep{"/dev/stdout", "/proc/self/fd/1"});
        plan.mounts.push_back(SymlinkStep{"/dev/stderr", "/proc/self/fd/2"});
    }

    // In one file system, which they share with the root's few pages: each one more would cost every cgroup of the machine
    // memory (mm/shrinker.c).
    void add_temporary(LaunchPlan& plan) const {
        for (const char* target : {"/tmp", "/var/tmp", "/dev/shm"}) {
            plan.mounts.push_back(WritableStep{target, "1777"});
        }
        plan.mounts.push_back(DirectoryStep{"/run", "0755"});
        plan.mounts.push_back(SymlinkStep{"/var/run", "../run"});
        plan.mounts.push_back(DirectoryStep{paths_.gear_base, "0755"});
    }

    const Settings& settings_;
    const Profiles& profiles_;
    Paths paths_;
};

}  // namespace

std::unique_ptr<Isolator> make_filesystem_isolator(const Settings& settings, const Profiles& profiles,
                                                   const Paths& paths) {
    return std::make_unique<FilesystemIsolator>(settings, profiles, paths);
}

}  // namespace gearbox
