#include "sys/process.h"

#include "base/argv.h"
#include "base/error.h"
#include "base/file.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>

namespace gearbox::sys {

namespace {

int to_status(const siginfo_t& info) {
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

struct Wire {
    int from;
    int to;
};

// Everything the child needs, made before the clone: between clone3 and exec there is no allocation
// and no call that could take a lock.
struct Prepared {
    const char* path;
    char* const* argv;
    char* const* environment;
    const Wire* wires;
    std::size_t wire_count;
    const UniqueFd* tasks;
    std::size_t task_count;
    int death_signal;
    // Set by the child, in the memory that both have.
    volatile int error = 0;
    const char* volatile doing = "starting '";
};

// AddressSanitizer would tidy up the stack of a function that does not return; this one is the parent's.
[[noreturn, gnu::no_sanitize_address]] void give_up(Prepared& child) {
    child.error = errno;
    ::_exit(127);
}

[[noreturn, gnu::no_sanitize_address]] void run_child(Prepared& child) {
    // The daemon blocks signals for its signalfd and ignores SIGPIPE; programs expect neither.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGPIPE, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (child.death_signal != 0) {
        ::prctl(PR_SET_PDEATHSIG, child.death_signal);
    }
    // Not every library opens CLOEXEC (cpp-httplib 0.11 accepts without it): nothing of the daemon
    // but what is wired may reach a gear.
    ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    // "0" is who writes: a process that moves itself waits for nobody, one that is moved for all processors.
    for (std::size_t i = 0; i < child.task_count; ++i) {
        if (::write(child.tasks[i].get(), "0", 1) != 1) {
            child.doing = "putting into its cgroup '";
            give_up(child);
        }
    }
    for (std::size_t i = 0; i < child.wire_count; ++i) {
        if (::dup2(child.wires[i].from, child.wires[i].to) < 0) {
            give_up(child);
        }
    }
    child.doing = "executing '";
    ::execve(child.path, child.argv, child.environment);
    give_up(child);
}

// Like vfork(2): the child runs in our memory and on our stack while this thread waits for its exec, so that no page
// tables of the daemon are copied. Not by syscall(2), whose return the child would overwrite.
[[gnu::no_sanitize_address]] long clone_and_run(clone_args& args, Prepared& child) {
    args.flags |= CLONE_VM | CLONE_VFORK;
#if defined(__x86_64__)
    long pid = SYS_clone3;
    asm volatile("syscall" : "+a"(pid) : "D"(&args), "S"(sizeof args) : "rcx", "r11", "memory");
#else
#error "write clone3's system call for this architecture"
#endif
    if (pid == 0) {
        run_child(child);
    }
    return pid;
}

}  // namespace

Child::~Child() {
    if (pid_ > 0) {
        kill_by_pidfd(pidfd_.get(), SIGKILL);
        siginfo_t info;
        ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
    }
}

int Child::wait() {
    siginfo_t info{};
    int rc = -1;
    do {
        rc = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
    } while (rc < 0 && errno == EINTR);
    check(rc, "waiting for a child process");
    pid_ = 0;
    return to_status(info);
}

std::optional<int> Child::wait_for(std::chrono::milliseconds time) {
    if (!wait_for_end(pidfd_.get(), time)) {
        return std::nullopt;
    }
    return wait();
}

void Child::kill(int signal) const {
    kill_by_pidfd(pidfd_.get(), signal);
}

Child spawn(const Program& program) {
    const std::vector<char*> argv = argv_of(program.argv);
    const std::vector<char*> environment = argv_of(program.environment);
    // Sources are moved out of the way of all targets, so that the order of dup2 does not matter.
    constexpr int clear_of_targets = 64;
    std::vector<UniqueFd> sources;
    std::vector<Wire> wires;
    for (const auto& [from, to] : program.descriptors) {
        sources.emplace_back(
            check(::fcntl(from, F_DUPFD_CLOEXEC, clear_of_targets), "duplicating a descriptor"));
        wires.push_back({sources.back().get(), to});
    }
    Prepared prepared{program.path.c_str(), argv.data(),  environment.data(),
                      wires.data(),         wires.size(), program.cgroup_tasks.data(),
                      program.cgroup_tasks.size(), program.parent_death_signal};
    int pidfd = -1;
    clone_args args{};
    args.flags = program.namespaces | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    if (program.cgroup) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<std::uint64_t>(program.cgroup.get());
    }
    // No handler of ours may run in the child.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const long pid = clone_and_run(args, prepared);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
        throw SysError(static_cast<int>(-pid), str("starting '", program.path, "'"));
    }
    Child child(static_cast<pid_t>(pid), UniqueFd(pidfd));
    if (prepared.error != 0) {
        throw SysError(prepared.error, str(prepared.doing, program.path, "'"));
    }
    return child;
}

namespace {

// A file of a process in /proc; empty if there is no such process, any more.
std::optional<std::string> find_proc_file(pid_t pid, const char* name) {
    try {
        return find_file(str("/proc/", pid, "/", name));
    } catch (const SysError& error) {
        if (error.code() != ESRCH) {
            throw;
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<UniqueFd> find_pidfd(pid_t pid) {
    const long fd = ::syscall(SYS_pidfd_open, pid, 0);
    // The number may be that of a thread by now: EINVAL, of newer kernels ENOENT (kernel/pid.c, pidfd_prepare() in kernel/fork.c).
    if (fd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT)) {
        return std::nullopt;
    }
    return UniqueFd(static_cast<int>(check(fd, "opening process ", pid)));
}

std::optional<std::uint64_t> find_start_time(pid_t pid) {
    const auto stat = find_proc_file(pid, "stat");
    // The second field is the program's name in parentheses, which may hold anything.
    const auto name_end = stat ? stat->rfind(')') : std::string::npos;
    if (name_end == std::string::npos) {
        return std::nullopt;
    }
    std::size_t at = name_end + 1;
    for (int field = 3; field <= 22; ++field) {
        at = stat->find_first_not_of(' ', at);
        if (at == std::string::npos) {
            return std::nullopt;
        }
        if (field == 22) {
            break;
        }
        at = stat->find(' ', at);
    }
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(stat->data() + at, stat->data() + stat->size(), value);
    return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

std::optional<uid_t> find_user(pid_t pid) {
    const auto status = find_proc_file(pid, "status");
    // The first field is the program's name, in which a line break is escaped.
    constexpr std::string_view label = "\nUid:\t";
    const auto at = status ? status->find(label) : std::string::npos;
    if (at == std::string::npos) {
        return std::nullopt;
    }
    uid_t value = 0;
    const auto parsed = std::from_chars(status->data() + at + label.size(), status->data() + status->size(), value);
    return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

void kill_by_pidfd(int pidfd, int signal) {
    ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

bool wait_for_end(int pidfd, std::chrono::milliseconds time) {
    pollfd ended{pidfd, POLLIN, 0};
    int rc = -1;
    do {
        rc = ::poll(&ended, 1, static_cast<int>(time.count()));
    } while (rc < 0 && errno == EINTR);
    return check(rc, "waiting for a process") > 0;
}

void Reaper::adopt(pid_t detached) {
    const std::lock_guard guard(mutex_);
    adopted_.push_back(detached);
}

void Reaper::collect() {
    const std::lock_guard guard(mutex_);
    std::erase_if(adopted_, [](pid_t pid) {
        siginfo_t info{};
        const int rc = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
        return (rc == 0 && info.si_pid != 0) || (rc < 0 && errno == ECHILD);
    });
}

}  // namespace gearbox::sys
