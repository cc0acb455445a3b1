// gear-hook: git's pre-receive and post-receive hook inside a gear. Tells the daemon about the push
// on the socket that the session inherited, and shows its answer to the pusher.
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

int run(const std::string& hook, int fd) {
    Json environment = Json::array();
    for (const char* name :
         {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}) {
        if (const char* value = std::getenv(name)) {
            environment.push_back(str(name, "=", value));
        }
    }
    const std::string updates = read_all(STDIN_FILENO, 512 * 1024);
    write_all(
        fd,
        to_text(Json{{"hook", hook}, {"updates", updates}, {"environment", environment}}) + "\n");
    std::string buffer;
    for (std::string line = read_line(fd, buffer); !line.empty(); line = read_line(fd, buffer)) {
        const Json reply = parse_json(line);
        if (const auto text = find<std::string>(reply, "text")) {
            // A pusher that has gone does not end the deployment.
            const ssize_t ignored = ::write(STDOUT_FILENO, text->data(), text->size());
            static_cast<void>(ignored);
        }
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
    if (argc != 2 || number == nullptr) {
        std::puts("Pushed from inside of the gear: not deployed. Push by ssh to deploy.");
        return 0;
    }
    int fd = -1;
    const std::string text = number;
    std::from_chars(text.data(), text.data() + text.size(), fd);
    ::signal(SIGPIPE, SIG_IGN);
    try {
        return gearbox::run(argv[1], fd);
    } catch (const gearbox::Error& error) {
        std::fprintf(stderr, "gearbox: %s\n", error.what());
        return 1;
    }
}
