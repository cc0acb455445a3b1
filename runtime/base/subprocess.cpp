#include "base/subprocess.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/fd.h"

#define BOOST_POSIX_HAS_VFORK 1  // the library does not find it out by itself
#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <cstdlib>
#include <sstream>

namespace gearbox {

namespace bp = boost::process;

namespace {

using Moment = std::chrono::steady_clock::time_point;

// Feeds input and collects both outputs until they are closed. False when the deadline came first.
bool pump(UniqueFd& in, UniqueFd& out, UniqueFd& err, const ToolOptions& options,
          ToolResult& result, Moment end) {
    std::string_view rest = options.input;
    if (rest.empty()) {
        in.reset();
    }
    while (out || err) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        pollfd fds[3] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {in.get(), POLLOUT, 0}};
        if (check(::poll(fds, 3, static_cast<int>(std::min<long long>(left.count(), 1000))),
                  "waiting for output") == 0) {
            continue;
        }
        char buffer[16384];
        for (int i = 0; i < 2; ++i) {
            UniqueFd& from = i == 0 ? out : err;
            if (fds[i].revents == 0) {
                continue;
            }
            const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
            if (got <= 0) {
                from.reset();
                continue;
            }
            const std::string_view chunk(buffer, static_cast<std::size_t>(got));
            (i == 0 ? result.out : result.err) += chunk;
            if (options.on_output) {
                options.on_output(chunk);
            }
        }
        if (fds[2].revents != 0) {
            const ssize_t put = ::write(in.get(), rest.data(), rest.size());
            rest.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : rest.size());
            if (rest.empty()) {
                in.reset();
            }
        }
    }
    return true;
}

// Not bp::search_path: before Boost 1.80 it needs a library that nothing else here uses.
std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return name;
    }
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        const std::string candidate = str(directory, "/", name);
        if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
    }
    fail(ErrorKind::unavailable, "the program '", name, "' is not installed");
}

}  // namespace

ToolResult run_tool(const std::vector<std::string>& argv, const ToolOptions& options) {
    const std::string program = find_program(argv.at(0));
    bp::environment environment = boost::this_process::environment();
    for (const std::string& pair : options.environment) {
        const auto equals = pair.find('=');
        // Not by operator[]: its search compares beyond the end of entries that are shorter than the name.
        environment.set(pair.substr(0, equals), pair.substr(equals + 1));
    }
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    check(::fcntl(in.write.get(), F_SETFL, O_NONBLOCK), "preparing a pipe");
    const std::vector<std::string> arguments(argv.begin() + 1, argv.end());
    const int ends[3] = {in.read.get(), out.write.get(), err.write.get()};
    // Our pipes are CLOEXEC; dup2 in the child makes its copies of them inheritable.
    const auto wire = [&ends, &options](auto&) {
        // Libraries may have opened descriptors without CLOEXEC: not the tool's business either.
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        for (int i = 0; i < 3; ++i) {
            ::dup2(ends[i], i);
        }
        // Our signal mask and ignored SIGPIPE are nobody else's business.
        sigset_t none;
        ::sigemptyset(&none);
        ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        if (options.in_child) {
            options.in_child();
        }
    };
    std::error_code failed;
    const std::string directory = options.directory.empty() ? "." : options.directory;
    // vfork: the page tables of a daemon are not copied, and its memory does not become copy-on-write.
    bp::child child(program, bp::args(arguments), environment, bp::start_dir(directory),
                    bp::extend::on_exec_setup = wire, failed, bp::posix::use_vfork);
    if (failed) {
        fail(ErrorKind::unavailable, "starting '", argv[0], "': ", failed.message());
    }
    in.read.reset();
    out.write.reset();
    err.write.reset();
    ToolResult result;
    UniqueFd input = std::move(in.write);
    UniqueFd output = std::move(out.read);
    UniqueFd errors = std::move(err.read);
    const Moment end = std::chrono::steady_clock::now() + options.deadline;
    const bool finished = pump(input, output, errors, options, result, end);
    if (!finished) {
        // Not child.terminate(): after that, child.wait() of Boost 1.74 would not wait, and leave a zombie.
        ::kill(child.id(), SIGKILL);
        child.wait(failed);
        fail(ErrorKind::unavailable, "'", argv[0], "' did not end within ",
             options.deadline.count(), " s");
    }
    child.wait(failed);
    const int native = child.native_exit_code();
    result.status = WIFSIGNALED(native) ? 128 + WTERMSIG(native) : WEXITSTATUS(native);
    return result;
}

std::string run_tool_checked(const std::vector<std::string>& argv, const ToolOptions& options) {
    ToolResult result = run_tool(argv, options);
    if (result.status != 0) {
        std::string tail = result.err.empty() ? result.out : result.err;
        if (tail.size() > 2000) {
            tail.erase(0, tail.size() - 2000);
        }
        while (!tail.empty() && tail.back() == '\n') {
            tail.pop_back();
        }
        fail(ErrorKind::internal, "'", argv[0], "' ended with status ", result.status, ": ", tail);
    }
    return std::move(result.out);
}

}  // namespace gearbox
