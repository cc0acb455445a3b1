// The `gearbox` command.
#include "cli/command.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int execute(const std::vector<std::string>& argv) {
    std::vector<char*> raw;
    for (const std::string& word : argv) {
        raw.push_back(const_cast<char*>(word.c_str()));
    }
    raw.push_back(nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvp(raw[0], raw.data());
    gearbox::fail_errno("running '", argv[0], "'");
}

}  // namespace

int main(int argc, char** argv) {
    // A broker that goes away in the middle of a request is an error to report, not a signal.
    ::signal(SIGPIPE, SIG_IGN);
    const gearbox::cli::World world{
        {std::cin, std::cout, std::cerr, ::isatty(STDIN_FILENO) != 0, ::isatty(STDERR_FILENO) != 0},
        &gearbox::cli::make_transport,
        &execute,
        variable("HOME"),
        variable("GEARBOX_PASSWORD"),
    };
    try {
        return gearbox::cli::run_cli({argv + 1, argv + argc}, world);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}
