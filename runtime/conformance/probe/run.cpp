#include "conformance/probe/run.h"

#include "base/json.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace gearbox::probe {

namespace {

constexpr int time_limit_ms = 60'000;  // touching more memory than a gear has, on a machine that emulates another
constexpr int heavy_time_limit_ms = 600'000;

std::string encode(const Outcome& outcome) {
    return to_text({{"result", static_cast<int>(outcome.result)},
                    {"code", outcome.code},
                    {"detail", outcome.detail.substr(0, 1000)}});
}

[[noreturn]] void attempt_in_child(Function function, const Targets& targets, int answer) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    std::string text;
    try {
        text = encode(function(targets));
    } catch (const std::exception& error) {
        // Judged as unexplained: an attempt that breaks proves nothing.
        text = encode(denied(0, std::string("the attempt broke: ") + error.what()));
    }
    const ssize_t ignored = ::write(answer, text.data(), text.size());
    static_cast<void>(ignored);
    ::_exit(0);
}

// Processes of the attempt before may still be counted: PID 1 has to reap them first.
pid_t fork_patiently() {
    for (int tries = 0; tries < 100; ++tries) {
        const pid_t child = ::fork();
        if (child >= 0 || errno != EAGAIN) {
            return child;
        }
        ::usleep(50'000);
    }
    return -1;
}

// False if it took too long. By pidfd, as a grandchild may hold the pipe open.
bool wait_for_end(pid_t child, int limit_ms) {
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    pollfd wait{pidfd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, limit_ms);
    ::close(pidfd);
    return ready == 1;
}

// What is dead is counted until PID 1 of the gear has reaped it.
void wait_for_group(pid_t group) {
    for (int tries = 0; tries < 200 && ::kill(-group, 0) == 0; ++tries) {
        ::usleep(10'000);
    }
}

Outcome decode(const std::string& text, int status, bool in_time) {
    if (!text.empty()) {
        const Json json = parse_json(text);
        return {static_cast<Result>(take<int>(json, "result")), take<int>(json, "code"),
                take<std::string>(json, "detail")};
    }
    if (!in_time) {
        return denied(0, "out of time");
    }
    if (WIFSIGNALED(status)) {
        return denied(0, std::string("SIG") + ::sigabbrev_np(WTERMSIG(status)));
    }
    return denied(0, "the attempt ended without an answer");
}

}  // namespace

Outcome run_attempt(Function function, const Targets& targets) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return denied(0, "no pipe for the attempt");
    }
    const pid_t child = fork_patiently();
    if (child == 0) {
        attempt_in_child(function, targets, ends[1]);
    }
    ::close(ends[1]);
    if (child < 0) {
        ::close(ends[0]);
        return denied(0, "no process for the attempt");
    }
    ::setpgid(child, child);
    const bool in_time = wait_for_end(child, targets.heavy ? heavy_time_limit_ms : time_limit_ms);
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    wait_for_group(child);
    char buffer[8192];
    const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
    ::close(ends[0]);
    return decode(std::string(buffer, got > 0 ? static_cast<std::size_t>(got) : 0), status,
                  in_time);
}

}  // namespace gearbox::probe
