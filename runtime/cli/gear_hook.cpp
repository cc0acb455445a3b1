// gear-hook: what inside a gear speaks to the daemon, on the socket that an ssh session inherits:
//   gear-hook pre-receive | post-receive    git's hooks; tells about the push
//   gear-hook command WORD…                 the platform's commands (cartridges/sdk/bin)
// Shows the answer and ends with its status.
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace gearbox {

namespace {

// Reads one line; empty at the end.
std::string read_line(int fd, std::string& buffer) {
    for (;;) {
        if (const auto end = buffer.find('\n'); end != std::string::npos) {
            std::string line = buffer.substr(0, end);
            buffer.erase(0, end + 1);
            return line;
        }
        char chunk[4096];
        const ssize_t got = ::read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return "";
        }
        buffer.append(chunk, static_cast<std::size_t>(got));
    }
}

Json push_request(const std::string& hook) {
    Json environment = Json::array();
    for (const char* name :
         {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}) {
        if (const char* value = std::getenv(name)) {
            environment.push_back(str(name, "=", value));
        }
    }
    const std::string updates = read_all(STDIN_FILENO, 512 * 1024);
    return {{"hook", hook}, {"updates", updates}, {"environment", environment}};
}

// A client that has gone does not end the operation.
void show(int fd, const Json& reply, const char* kind) {
    if (const auto text = find<std::string>(reply, kind)) {
        const ssize_t ignored = ::write(fd, text->data(), text->size());
        static_cast<void>(ignored);
    }
}

int ask(int fd, const Json& request) {
    write_all(fd, to_text(request) + "\n");
    std::string buffer;
    for (std::string line = read_line(fd, buffer); !line.empty(); line = read_line(fd, buffer)) {
        const Json reply = parse_json(line);
        show(STDOUT_FILENO, reply, "text");
        show(STDERR_FILENO, reply, "note");
        if (const auto status = find<int>(reply, "exit")) {
            return *status;
        }
    }
    std::fputs("gearbox: the node went away\n", stderr);
    return 1;
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    const char* const number = std::getenv("GEARBOX_HOOK_FD");
    const bool is_command = argc > 1 && std::string(argv[1]) == "command";
    if (number == nullptr && is_command) {
        std::fputs("gearbox: this works in an ssh session only\n", stderr);
        return 1;
    }
    if (argc < 2 || number == nullptr) {
        std::puts("Pushed from inside of the gear: not deployed. Push by ssh to deploy.");
        return 0;
    }
    int fd = -1;
    const std::string text = number;
    std::from_chars(text.data(), text.data() + text.size(), fd);
    ::signal(SIGPIPE, SIG_IGN);
    try {
        const gearbox::Json words = std::vector<std::string>(argv + 2, argv + argc);
        return gearbox::ask(fd, is_command ? gearbox::Json{{"hook", "command"}, {"words", words}}
                                           : gearbox::push_request(argv[1]));
    } catch (const gearbox::Error& error) {
        std::fprintf(stderr, "gearbox: %s\n", error.what());
        return 1;
    }
}
