// gear-init: makes a gear's sandbox and becomes its PID 1 (launch, init), or runs one program
// inside (enter). Single-threaded and started by gearboxd only, which has it make the nursery first (nursery DIRECTORY):
//
//   fd 3  the plan, a sealed memory file
//   fd 4  to the daemon: waits for one byte, reports {"step","errno","text"}; end of file = running
//   fd 5  the system call filters (sys/gear_filter.h)
//   fd 6  launch: the nursery; enter: pidfd of the gear's PID 1
//   7 …   enter: kept for the program
#include "base/argv.h"
#include "base/error.h"
#include "base/fd.h"
#include "gear-init/steps.h"
#include "model/launch_plan.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace gearbox {

namespace {

void close_on_exec(int fd) {
    check(::fcntl(fd, F_SETFD, FD_CLOEXEC), "marking descriptor ", fd);
}

int report(const StepFailure& failure) {
    const Json json = {{"step", failure.step}, {"errno", failure.code}, {"text", failure.text}};
    const std::string text = to_text(json);
    const ssize_t ignored = ::write(status_fd, text.data(), text.size());
    static_cast<void>(ignored);
    return gear_init_failed;
}

// The daemon opens the namespace before it says "go"; afterwards its descriptor is what keeps it.
int prepare(const std::string& place) {
    try {
        make_nursery(place);
    } catch (const SysError& error) {
        throw StepFailure{"nursery", error.code(), error.text()};
    }
    wait_for_go();
    return 0;
}

int launch() {
    // Neither the daemon's terminal nor its group of processes, which every other gear would be in, too.
    check(::setsid(), "making a session");
    for (const int fd : {plan_fd, status_fd, filter_fd, nursery_fd}) {
        close_on_exec(fd);
    }
    // Opened now: the program need not be visible inside.
    const UniqueFd self(check(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "opening myself"));
    const LaunchPlan plan = parse_launch_plan(parse_json(read_all(plan_fd)));
    run_launch_steps(plan);
    char name[] = "gear-init";
    char mode[] = "init";
    char* const argv[] = {name, mode, nullptr};
    char* const environment[] = {nullptr};
    // The label and the loss of this program's memory take effect with exec only.
    ::execveat(self.get(), "", argv, environment, AT_EMPTY_PATH);
    return report({"exec", errno, str("executing gear-init: ", std::strerror(errno))});
}

// PID 1: reaps what its children leave behind, ends on TERM. The kernel then kills the rest.
int stay() {
    ::prctl(PR_SET_NAME, "gear-init", 0, 0, 0);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGCHLD);
    ::sigaddset(&signals, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    for (;;) {
        int signal = 0;
        ::sigwait(&signals, &signal);
        if (signal == SIGTERM) {
            return 0;
        }
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}

[[noreturn]] void run_inside(const EnterPlan& plan) {
    try {
        // A group of its own: the outer half can end the whole of it.
        ::setsid();
        ::umask(077);
        run_drop_steps(plan.privileges);
        const std::string& directory = plan.directory;
        if (::chdir(directory.c_str()) < 0) {
            throw StepFailure{"directory", errno,
                              str("entering '", directory, "': ", std::strerror(errno))};
        }
        const std::vector<char*> argv = argv_of(plan.argv);
        const std::vector<char*> environment = argv_of(plan.environment);
        ::execve(argv[0], argv.data(), environment.data());
        throw StepFailure{"exec", errno,
                          str("executing '", plan.argv[0], "': ", std::strerror(errno))};
    } catch (const StepFailure& failure) {
        ::_exit(report(failure));
    }
}

// Waits for the program; asked to end, ends everything in its group.
int wait_for(pid_t child, const sigset_t& signals) {
    for (;;) {
        int signal = 0;
        ::sigwait(&signals, &signal);
        if (signal == SIGTERM) {
            ::kill(-child, SIGKILL);
            ::kill(child, SIGKILL);
        }
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child) {
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
}

int enter() {
    for (const int fd : {plan_fd, status_fd, filter_fd, pidfd_fd}) {
        close_on_exec(fd);
    }
    // Here and not by the daemon: a change of domain at exec takes the signal off. A daemon that
    // has ended before does not say "go".
    check(::prctl(PR_SET_PDEATHSIG, SIGTERM), "tying myself to the daemon");
    const EnterPlan plan = parse_enter_plan(parse_json(read_all(plan_fd)));
    wait_for_go();
    if (::setns(pidfd_fd, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET) < 0) {
        throw StepFailure{"namespaces", errno, str("entering the gear: ", std::strerror(errno))};
    }
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGCHLD);
    ::sigaddset(&signals, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    // The new pid namespace counts from the first child on.
    const pid_t child = ::fork();
    if (child == 0) {
        ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
        run_inside(plan);
    }
    if (child < 0) {
        throw StepFailure{"fork", errno, str("making a process: ", std::strerror(errno))};
    }
    ::close(status_fd);
    // Its standard streams are the program's alone: a reader must see their end.
    for (int fd = 0; fd < 3; ++fd) {
        ::close(fd);
    }
    ::close_range(7, ~0u, 0);
    return wait_for(child, signals);
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    using namespace gearbox;
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "init" && argc == 2) {
        return stay();
    }
    try {
        if (mode == "nursery" && argc == 3) {
            return prepare(argv[2]);
        }
        if (mode == "launch" && argc == 2) {
            return launch();
        }
        if (mode == "enter" && argc == 2) {
            return enter();
        }
    } catch (const StepFailure& failure) {
        return report(failure);
    } catch (const std::exception& error) {
        return report({"plan", 0, error.what()});
    }
    std::fputs("gear-init is started by gearboxd only\n", stderr);
    return 2;
}
