// The `gearbox` command.
#include "cli/command.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::vector<char*> raw_words(const std::vector<std::string>& argv) {
    std::vector<char*> raw;
    for (const std::string& word : argv) {
        raw.push_back(const_cast<char*>(word.c_str()));
    }
    raw.push_back(nullptr);
    return raw;
}

int run(const std::vector<std::string>& argv, const gearbox::cli::Redirection& files) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (!files.input.empty()) {
        ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, files.input.c_str(), O_RDONLY, 0);
    }
    if (!files.output.empty()) {
        ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files.output.c_str(),
                                           O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    const std::vector<char*> raw = raw_words(argv);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        errno = error;
        gearbox::fail_errno("running '", argv[0], "'");
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int execute(const std::vector<std::string>& argv) {
    const std::vector<char*> raw = raw_words(argv);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvp(raw[0], raw.data());
    gearbox::fail_errno("running '", argv[0], "'");
}

std::vector<std::string> resolve(const std::string& host) {
    addrinfo* found = nullptr;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) {
        return {};
    }
    std::vector<std::string> out;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
            out.emplace_back(text);
        }
    }
    ::freeaddrinfo(found);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    // A broker that goes away in the middle of a request is an error to report, not a signal.
    ::signal(SIGPIPE, SIG_IGN);
    const gearbox::cli::World world{
        {std::cin, std::cout, std::cerr, ::isatty(STDIN_FILENO) != 0, ::isatty(STDERR_FILENO) != 0},
        &gearbox::cli::make_transport,
        &execute,
        &run,
        variable("HOME"),
        variable("GEARBOX_PASSWORD"),
        &resolve,
    };
    try {
        return gearbox::cli::run_cli({argv + 1, argv + argc}, world);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}
