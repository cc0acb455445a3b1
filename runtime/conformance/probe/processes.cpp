// Processes: other gears' and the host's, and privilege of the own one.
#include "conformance/probe/groups.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace gearbox::probe::processes {

namespace {

bool is_number(const std::string& text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The host's number of a neighbour. A process of this gear may happen to have it: then the next one
// that is not this gear's.
pid_t foreign(const Targets& targets) {
    pid_t pid = targets.other_pid;
    struct stat info {};
    while (::stat(("/proc/" + std::to_string(pid)).c_str(), &info) == 0 &&
           info.st_uid == ::getuid()) {
        ++pid;
    }
    return pid;
}

std::string named(pid_t pid) {
    return "pid " + std::to_string(pid);
}

}  // namespace

Outcome foreign_in_proc(const Targets&) {
    int own = 0;
    for (const std::string& name : list_directory("/proc")) {
        struct stat info {};
        if (!is_number(name) || ::stat(("/proc/" + name).c_str(), &info) < 0) {
            continue;
        }
        if (info.st_uid != ::getuid()) {
            return succeeded(name + " is of user " + std::to_string(info.st_uid));
        }
        ++own;
    }
    return denied(0, "its own only: " + std::to_string(own));
}

Outcome ptrace_seize(const Targets& targets) {
    const pid_t pid = foreign(targets);
    const long rc = ::ptrace(PTRACE_SEIZE, pid, 0, 0);
    Outcome outcome = from_call(rc, named(pid));
    if (rc == 0) {
        ::ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    return outcome;
}

Outcome kill_foreign(const Targets& targets) {
    const pid_t pid = foreign(targets);
    return from_call(::kill(pid, 0), named(pid));
}
Outcome kill_foreign_group(const Targets& targets) {
    const pid_t pid = foreign(targets);
    const pid_t known = ::getpgid(pid);
    const pid_t group = known > 0 ? known : pid;
    return from_call(::kill(-group, 0), "group " + std::to_string(group));
}

// kill(-1) reaches what kill(N) reaches for some N. Number 0 as the signal only asks.
Outcome kill_everything(const Targets&) {
    constexpr pid_t most = 65536;
    int reached = 0;
    for (pid_t pid = 1; pid < most; ++pid) {
        if (::kill(pid, 0) < 0 && errno != EPERM) {
            continue;
        }
        struct stat info {};
        const std::string path = "/proc/" + std::to_string(pid);
        // Threads have numbers, too, without a name in the listing but with an entry. What is gone
        // by now was a process of this gear that ended.
        const bool is_there = ::stat(path.c_str(), &info) == 0;
        if (is_there ? info.st_uid != ::getuid() : ::kill(pid, 0) == 0) {
            return succeeded("reached " + named(pid));
        }
        ++reached;
    }
    return denied(0, "reached " + std::to_string(reached) + " processes, all of this gear");
}

Outcome nice_below_zero(const Targets&) {
    return from_call(::setpriority(PRIO_PROCESS, 0, -5), "nice -5");
}

Outcome priority_of_other(const Targets& targets) {
    errno = 0;
    const int value = ::getpriority(PRIO_USER, targets.other_uid);
    return from_call(errno == 0 ? 0 : -1,
                     "uid " + std::to_string(targets.other_uid) + ": " + std::to_string(value));
}

Outcome realtime_fifo(const Targets&) {
    const sched_param parameters{1};
    return from_call(::sched_setscheduler(0, SCHED_FIFO, &parameters), "SCHED_FIFO");
}

Outcome realtime_deadline(const Targets&) {
    // sched_attr of the kernel, first version; its header cannot stand beside the C library's.
    struct {
        std::uint32_t size = 48;
        std::uint32_t policy = 6;  // SCHED_DEADLINE
        std::uint64_t flags = 0;
        std::int32_t nice = 0;
        std::uint32_t priority = 0;
        std::uint64_t runtime = 1'000'000;
        std::uint64_t deadline = 100'000'000;
        std::uint64_t period = 100'000'000;
    } attributes;
    static_assert(sizeof attributes == 48);
    return from_call(::syscall(SYS_sched_setattr, 0, &attributes, 0), "SCHED_DEADLINE");
}

Outcome realtime_io(const Targets&) {
    constexpr int who_process = 1;
    constexpr int realtime_class = 1 << 13;
    return from_call(::syscall(SYS_ioprio_set, who_process, 0, realtime_class), "IOPRIO_CLASS_RT");
}

Outcome affinity_of_foreign(const Targets& targets) {
    cpu_set_t all;
    CPU_ZERO(&all);
    ::sched_getaffinity(0, sizeof all, &all);
    const pid_t pid = foreign(targets);
    return from_call(::sched_setaffinity(pid, sizeof all, &all), named(pid));
}

namespace {

Outcome transfer(const Targets& targets,
                 ssize_t (*call)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                                 unsigned long)) {
    char buffer[16] = {};
    const iovec ours{buffer, sizeof buffer};
    // Where Debian's non-PIE programs begin, which is read-only.
    const iovec theirs{reinterpret_cast<void*>(0x400000), sizeof buffer};
    const pid_t pid = foreign(targets);
    const ssize_t moved = call(pid, &ours, 1, &theirs, 1, 0);
    return moved < 0 && errno == EFAULT ? succeeded("the address was looked at, " + named(pid)) : from_call(moved, named(pid));
}

}  // namespace

Outcome vm_read(const Targets& targets) {
    return transfer(targets, &::process_vm_readv);
}
Outcome vm_write(const Targets& targets) {
    return transfer(targets, &::process_vm_writev);
}

Outcome pidfd_open(const Targets& targets) {
    const pid_t pid = foreign(targets);
    return from_call(::syscall(SYS_pidfd_open, pid, 0), named(pid));
}

Outcome pidfd_getfd(const Targets& targets) {
    const pid_t pid = foreign(targets);
    const long pidfd = ::syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        return denied(errno, "pidfd_open, " + named(pid));
    }
    return from_call(::syscall(SYS_pidfd_getfd, pidfd, 0, 0), named(pid));
}

Outcome prlimit_foreign(const Targets& targets) {
    const pid_t pid = foreign(targets);
    rlimit limit{};
    return from_call(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), named(pid));
}

Outcome compare_foreign(const Targets&) {
    return from_call(::syscall(SYS_kcmp, ::getpid(), ::getpid(), 1, 0, 0), "kcmp of itself");
}

Outcome move_pages_foreign(const Targets&) {
    void* page = nullptr;
    int status = 0;
    return from_call(::syscall(SYS_move_pages, 0, 1, &page, nullptr, &status, 0),
                     "asking for its own pages");
}

Outcome migrate_pages_foreign(const Targets&) {
    const unsigned long node = 1;
    return from_call(::syscall(SYS_migrate_pages, 0, 8 * sizeof node, &node, &node),
                     "its own pages");
}

Outcome setuid_root(const Targets&) {
    return from_call(::setresuid(0, 0, 0), "uid 0");
}
Outcome setuid_other(const Targets& targets) {
    return from_call(::setresuid(targets.other_uid, targets.other_uid, targets.other_uid),
                     "uid " + std::to_string(targets.other_uid));
}
Outcome setgid_root(const Targets&) {
    return from_call(::setresgid(0, 0, 0), "gid 0");
}
Outcome setgroups_root(const Targets&) {
    const gid_t group = 0;
    return from_call(::setgroups(1, &group), "gid 0");
}

// The call has no error: it returns the user before, so a second one tells.
Outcome setfsuid_root(const Targets&) {
    ::setfsuid(0);
    const int now = ::setfsuid(static_cast<uid_t>(-1));
    return now == 0 ? succeeded("fsuid 0") : denied(0, "unchanged: fsuid " + std::to_string(now));
}

Outcome capset_admin(const Targets&) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    data[0].permitted = data[0].effective = 1u << CAP_SYS_ADMIN;
    return from_call(::syscall(SYS_capset, &header, data), "CAP_SYS_ADMIN");
}
// Ambient ones must be inheritable, which who has a capability can make it.
Outcome ambient_capability(const Targets&) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    ::syscall(SYS_capget, &header, data);
    data[0].inheritable |= 1u << CAP_NET_ADMIN;
    ::syscall(SYS_capset, &header, data);
    return from_call(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0),
                     "CAP_NET_ADMIN");
}

Outcome raise_process_limit(const Targets&) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    if (limit.rlim_max == RLIM_INFINITY) {
        return succeeded("it is unlimited");
    }
    ++limit.rlim_max;
    return from_call(::setrlimit(RLIMIT_NPROC, &limit), "to " + std::to_string(limit.rlim_max));
}

namespace {

// /proc/sysvipc has one line a segment or set of its namespace, with the owner in a column.
Outcome own_only(const std::string& path, std::size_t uid_column) {
    const std::string text = read_text(path);
    if (text.empty()) {
        return absent("no " + path);
    }
    int own = 0;
    std::size_t line = text.find('\n') + 1;
    for (; line != 0 && line < text.size(); line = text.find('\n', line) + 1) {
        std::size_t at = line;
        for (std::size_t column = 0; column < uid_column; ++column) {
            at = text.find_first_not_of(' ', at);
            at = text.find(' ', at);
        }
        const auto uid = static_cast<uid_t>(std::strtoul(text.c_str() + at, nullptr, 10));
        if (uid != ::getuid()) {
            return succeeded("one of user " + std::to_string(uid));
        }
        ++own;
    }
    return denied(0, "its own only: " + std::to_string(own));
}

}  // namespace

Outcome foreign_shared_memory(const Targets&) {
    return own_only("/proc/sysvipc/shm", 7);
}
Outcome foreign_semaphores(const Targets&) {
    return own_only("/proc/sysvipc/sem", 4);
}

Outcome foreign_terminals(const Targets&) {
    int own = 0;
    for (const std::string& name : list_directory("/dev/pts")) {
        struct stat info {};
        const std::string path = "/dev/pts/" + name;
        if (name == "ptmx" || ::stat(path.c_str(), &info) < 0) {
            continue;
        }
        if (info.st_uid != ::getuid()) {
            return succeeded(path + " is of user " + std::to_string(info.st_uid));
        }
        ++own;
    }
    return denied(0, "its own only: " + std::to_string(own));
}

}  // namespace gearbox::probe::processes
