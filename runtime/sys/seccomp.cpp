#include "sys/seccomp.h"

#include "base/error.h"
#include "base/owned.h"
#include "base/fd.h"
#include "sys/gear_calls.h"
#include "sys/gear_filter.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <vector>

namespace gearbox::sys {

namespace {

// Two filters: one allows the calls of gear_calls.cpp; the other, asked as well, refuses arguments of
// allowed calls and gives calls that programs know the answer that they understand. Everything refused
// needs privileges that gears do not have, or opens kernel code that has had more than its share of
// holes: a second wall behind capabilities and SELinux.
struct Denied {
    const char* call;
    int error;
    const char* why;
};

constexpr Denied denied[] = {
    {"mount", EPERM, "mount tree"},
    {"umount2", EPERM, "mount tree"},
    {"pivot_root", EPERM, "mount tree"},
    {"chroot", EPERM, "mount tree"},
    {"move_mount", EPERM, "mount tree"},
    {"open_tree", EPERM, "mount tree"},
    {"mount_setattr", EPERM, "mount tree"},
    {"fsopen", EPERM, "mount tree"},
    {"fsconfig", EPERM, "mount tree"},
    {"fsmount", EPERM, "mount tree"},
    {"fspick", EPERM, "mount tree"},
    {"unshare", EPERM, "new namespaces: user namespaces give capabilities inside"},
    {"setns", EPERM, "namespaces of others"},
    {"clone3", ENOSYS, "its flags cannot be filtered; the C library falls back to clone"},
    {"bpf", EPERM, "kernel programs"},
    {"perf_event_open", EPERM, "kernel measurements"},
    {"userfaultfd", EPERM, "helps to win races in the kernel"},
    {"io_uring_setup", ENOSYS, "passes by this filter; programs fall back"},
    {"io_uring_enter", ENOSYS, "passes by this filter"},
    {"io_uring_register", ENOSYS, "passes by this filter"},
    {"add_key", ENOSYS, "keyrings are not in a namespace"},
    {"request_key", ENOSYS, "keyrings are not in a namespace"},
    {"keyctl", ENOSYS, "keyrings are not in a namespace"},
    {"init_module", EPERM, "kernel modules"},
    {"finit_module", EPERM, "kernel modules"},
    {"delete_module", EPERM, "kernel modules"},
    {"kexec_load", EPERM, "another kernel"},
    {"kexec_file_load", EPERM, "another kernel"},
    {"reboot", EPERM, "the machine"},
    {"swapon", EPERM, "the machine"},
    {"swapoff", EPERM, "the machine"},
    {"acct", EPERM, "the machine"},
    {"quotactl", EPERM, "the machine"},
    {"quotactl_fd", EPERM, "the machine"},
    {"settimeofday", EPERM, "the machine's clock"},
    {"clock_settime", EPERM, "the machine's clock"},
    {"adjtimex", EPERM, "the machine's clock"},
    {"clock_adjtime", EPERM, "the machine's clock"},
    {"sethostname", EPERM, "the name that the platform gave"},
    {"setdomainname", EPERM, "the name that the platform gave"},
    {"syslog", EPERM, "kernel messages"},
    {"iopl", EPERM, "hardware ports"},
    {"ioperm", EPERM, "hardware ports"},
    {"open_by_handle_at", EPERM, "files by number, past directories"},
    {"fanotify_init", EPERM, "watches of whole file systems"},
    {"lookup_dcookie", EPERM, "old profiling"},
    {"modify_ldt", ENOSYS, "segments for 16-bit programs; the kernel's entry code had holes there"},
    {"uselib", ENOSYS, "obsolete"},
    {"ustat", ENOSYS, "obsolete"},
    {"sysfs", ENOSYS, "obsolete"},
    {"vhangup", EPERM, "terminals of others"},
    {"kcmp", EPERM, "kernel pointers"},
    {"migrate_pages", EPERM, "memory nodes"},
    {"move_pages", EPERM, "memory nodes"},
};

// What gear-init itself does once the filters are there: until it is the gear's PID 1, or its program runs.
constexpr const char* needed[] = {
    "arch_prctl", "brk", "chdir", "execve", "execveat", "exit_group", "mprotect", "rt_sigprocmask",
    "rt_sigtimedwait", "wait4", "write",
};

bool contains(const std::vector<std::string>& calls, std::string_view call) {
    return std::find(calls.begin(), calls.end(), call) != calls.end();
}

using Filter = Owned<void, seccomp_release>;

void check_seccomp(int rc, const char* doing) {
    if (rc < 0) {
        throw SysError(-rc, str("seccomp filter: ", doing));
    }
}

// Nothing for a call that this library or this architecture does not know.
void add_call(const Filter& filter, std::uint32_t action, const char* call) {
    if (const int number = ::seccomp_syscall_resolve_name(call); number >= 0) {
        check_seccomp(::seccomp_rule_add(filter.get(), action, number, 0), call);
    }
}

void deny_calls(const Filter& filter, const FilterRules& rules) {
    for (const Denied& row : denied) {
        if (!contains(rules.allow, row.call) && !contains(rules.refuse, row.call)) {
            add_call(filter, SCMP_ACT_ERRNO(static_cast<unsigned>(row.error)), row.call);
        }
    }
    // In this one, not taken out of the other: the last of the two is installed by one of them, seccomp(2).
    for (const std::string& call : rules.refuse) {
        add_call(filter, SCMP_ACT_ERRNO(ENOSYS), call.c_str());
    }
}

void deny_arguments(const Filter& filter) {
    constexpr std::uint32_t no = SCMP_ACT_ERRNO(EPERM);
    constexpr std::uint64_t namespaces[] = {CLONE_NEWUSER,  CLONE_NEWNS,  CLONE_NEWPID,
                                            CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                            CLONE_NEWCGROUP};
    for (const std::uint64_t flag : namespaces) {
        check_seccomp(::seccomp_rule_add(filter.get(), no, SCMP_SYS(clone), 1,
                                         SCMP_A0_64(SCMP_CMP_MASKED_EQ, flag, flag)),
                      "clone");
    }
    // Pushing characters into a terminal's input outlives the session that it came from. The kernel
    // looks at the lower half of the register only, so the upper half must not matter here either.
    for (const std::uint32_t request : {TIOCSTI, TIOCLINUX}) {
        check_seccomp(::seccomp_rule_add(filter.get(), no, SCMP_SYS(ioctl), 1,
                                         SCMP_A1_64(SCMP_CMP_MASKED_EQ, 0xffffffff, request)),
                      "ioctl");
    }
    constexpr std::uint64_t type_mask = 0170000;
    for (const std::uint64_t device : {0060000u, 0020000u}) {
        check_seccomp(::seccomp_rule_add(filter.get(), no, SCMP_SYS(mknodat), 1,
                                         SCMP_A2_64(SCMP_CMP_MASKED_EQ, type_mask, device)),
                      "mknodat");
        check_seccomp(::seccomp_rule_add(filter.get(), no, SCMP_SYS(mknod), 1,
                                         SCMP_A1_64(SCMP_CMP_MASKED_EQ, type_mask, device)),
                      "mknod");
    }
}

// Address families: Unix, IPv4, IPv6 and route netlink (the C library asks it for addresses).
void deny_sockets(const Filter& filter) {
    constexpr std::uint32_t no = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    const int call = SCMP_SYS(socket);
    for (int family = AF_UNIX + 1; family < AF_MAX; ++family) {
        if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK) {
            check_seccomp(
                ::seccomp_rule_add(filter.get(), no, call, 1,
                                   SCMP_A0_32(SCMP_CMP_EQ, static_cast<unsigned>(family))),
                "socket");
        }
    }
    check_seccomp(::seccomp_rule_add(filter.get(), no, call, 1,
                                     SCMP_A0_32(SCMP_CMP_GE, static_cast<unsigned>(AF_MAX))),
                  "socket");
    check_seccomp(::seccomp_rule_add(filter.get(), no, call, 2, SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                                     SCMP_A2_32(SCMP_CMP_NE, 0)),
                  "socket");
}

Filter make_filter(std::uint32_t otherwise) {
    Filter filter(::seccomp_init(otherwise));
    if (!filter) {
        fail(ErrorKind::internal, "no memory for a seccomp filter");
    }
    // Calls of another architecture (32 bit) would pass by the numbers.
    check_seccomp(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
                  "other architectures");
    return filter;
}

// sock_filter by sock_filter.
std::string exported(const Filter& filter) {
    const UniqueFd file(check(::memfd_create("filter", MFD_CLOEXEC), "creating a memory file"));
    check_seccomp(::seccomp_export_bpf(filter.get(), file.get()), "compiling");
    check(::lseek(file.get(), 0, SEEK_SET), "rewinding a memory file");
    return read_all(file.get());
}

std::string compile_allowing(const FilterRules& rules) {
    const Filter filter = make_filter(SCMP_ACT_ERRNO(ENOSYS));
    // Halves the path of a call through some 300 comparisons of numbers.
    check_seccomp(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree");
    for (const char* const call : allowed_calls()) {
        add_call(filter, SCMP_ACT_ALLOW, call);
    }
    for (const std::string& call : rules.allow) {
        add_call(filter, SCMP_ACT_ALLOW, call.c_str());
    }
    return exported(filter);
}

std::string compile_refusing(const FilterRules& rules) {
    const Filter filter = make_filter(SCMP_ACT_ALLOW);
    deny_calls(filter, rules);
    deny_arguments(filter);
    deny_sockets(filter);
    return exported(filter);
}

}  // namespace

std::vector<std::string> system_calls() {
    constexpr int beyond_all = 1024;
    std::vector<std::string> out;
    for (int number = 0; number < beyond_all; ++number) {
        const std::unique_ptr<char, decltype(&std::free)> name(
            ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
        if (name) {
            out.emplace_back(name.get());
        }
    }
    return out;
}

const char* why_needed(std::string_view call) {
    return std::find(std::begin(needed), std::end(needed), call) == std::end(needed)
               ? nullptr
               : "gear-init needs it to start programs and to be PID 1";
}

std::string compile_gear_filters(const FilterRules& rules) {
    // The refusing one last: where both refuse, the kernel gives the answer of the newer one (seccomp(2)).
    return pack_filters(compile_allowing(rules), compile_refusing(rules));
}

}  // namespace gearbox::sys
