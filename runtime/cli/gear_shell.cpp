// gear-shell: the login shell of gear accounts. sshd runs it with the forced command of
// authorized_keys; it asks gearboxd for a session inside the gear and copies bytes. It interprets
// nothing: what the client wants goes to the daemon as one string.
#include "base/error.h"
#include "control/control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace gearbox {

namespace {

constexpr const char* control_socket = "/run/gearbox/control.sock";

/// Bytes on their way from one descriptor to another. Ends are non-blocking on our side of the gear
/// only: the client's may be shared with others.
class Stream {
public:
    Stream(int from, int to) : from_(from), to_(to) {}
    bool is_open() const { return from_ >= 0; }
    int from() const { return from_; }
    /// Copies what is there. At the end, and when nobody reads, both are closed: who writes and who
    /// reads must see it, too. A program whose output nobody wants would block for ever.
    void copy() {
        char buffer[65536];
        const ssize_t got = ::read(from_, buffer, sizeof buffer);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0 || !put(std::string_view(buffer, static_cast<std::size_t>(got)))) {
            close();
        }
    }
    void close() {
        ::close(from_);
        ::close(to_);
        from_ = -1;
    }

private:
    bool put(std::string_view data) const {
        while (!data.empty()) {
            const ssize_t written = ::write(to_, data.data(), data.size());
            if (written < 0 && errno != EINTR) {
                return false;
            }
            data.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
        }
        return true;
    }

    int from_;
    int to_;
};

/// The client's terminal while it lives: characters go to the gear as they are typed, where another
/// terminal gives them their meaning.
class RawTerminal {
public:
    RawTerminal() : active_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios raw = before_;
        ::cfmakeraw(&raw);
        if (active_) {
            ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal() {
        if (active_) {
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
        }
    }

private:
    termios before_{};
    bool active_;
};

void add_terminal(Json& args) {
    winsize size{};
    ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    args["tty"] = true;
    args["rows"] = size.ws_row;
    args["columns"] = size.ws_col;
    if (const char* type = std::getenv("TERM")) {
        args["term"] = type;
    }
}

// Copies until the daemon says how the program ended.
int pump(int connection, std::vector<UniqueFd>& streams) {
    Stream in(STDIN_FILENO, streams[0].release());
    Stream out(streams[1].release(), STDOUT_FILENO);
    Stream err(streams[2].release(), STDERR_FILENO);
    for (;;) {
        pollfd fds[5] = {{in.from(), POLLIN, 0},
                         {out.from(), POLLIN, 0},
                         {err.from(), POLLIN, 0},
                         {connection, POLLIN, 0},
                         {out.is_open() ? STDOUT_FILENO : -1, 0, 0}};
        if (::poll(fds, 5, -1) < 0) {
            continue;
        }
        if ((fds[4].revents & (POLLERR | POLLHUP)) != 0) {
            // Nobody reads any more. Our end tells the daemon, which ends the program.
            return 255;
        }
        for (int i = 0; i < 3; ++i) {
            Stream& stream = i == 0 ? in : i == 1 ? out : err;
            if (fds[i].revents != 0) {
                stream.copy();
            }
        }
        if (fds[3].revents == 0) {
            continue;
        }
        const int status = take<int>(receive_control(connection).message, "exit");
        // What the program wrote last; something that it left behind may keep the pipes open.
        for (Stream* stream : {&out, &err}) {
            pollfd more{stream->from(), POLLIN, 0};
            while (stream->is_open() && ::poll(&more, 1, 0) > 0) {
                stream->copy();
            }
        }
        return status;
    }
}

int run(std::string_view login) {
    Json args = {{"login", std::string(login)}};
    const char* const command = std::getenv("SSH_ORIGINAL_COMMAND");
    const bool interactive = command == nullptr || std::string_view(command) == "rhcsh";
    const bool terminal = interactive && ::isatty(STDIN_FILENO) == 1;
    if (command != nullptr) {
        args["command"] = command;
    }
    if (terminal) {
        add_terminal(args);
    }
    const UniqueFd connection = connect_control(control_socket);
    send_control(connection.get(), "session", args);
    ControlReply reply = receive_control(connection.get());
    if (reply.descriptors.size() != 3) {
        fail(ErrorKind::internal, "the node did not give three streams");
    }
    std::optional<RawTerminal> raw;
    if (terminal) {
        raw.emplace();
    }
    return pump(connection.get(), reply.descriptors);
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    constexpr std::string_view forced = "login ";
    const std::string_view command = argc == 3 && std::string_view(argv[1]) == "-c" ? argv[2] : "";
    if (!command.starts_with(forced)) {
        std::fputs(
            "This account is a gear of Gearbox. Log in with a key that was added by 'gearbox "
            "sshkey add'.\n",
            stderr);
        return 1;
    }
    ::signal(SIGPIPE, SIG_IGN);
    try {
        return gearbox::run(command.substr(forced.size()));
    } catch (const gearbox::Error& error) {
        std::fprintf(stderr, "gearbox: %s\n", error.what());
        return 1;
    }
}
