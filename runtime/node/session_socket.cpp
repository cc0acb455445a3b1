#include "node/session_socket.h"

#include "base/error.h"
#include "base/log.h"

#include <sys/socket.h>
#include <sys/time.h>

namespace gearbox {

namespace {

constexpr std::size_t longest_request = 1024 * 1024;

}  // namespace

SessionSocket::SessionSocket(LocalAgent& agent, KeyedMutex& locks, const GearId& gear, int socket)
    : socket_(socket),
      push_(agent.context(), agent.deployer(), agent.runner(), locks, gear),
      commands_(agent, locks, gear) {
    // A client that does not read must not hold up the operation, nor its lock.
    constexpr timeval patience{10, 0};
    check(::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
          "setting a timeout");
}

bool SessionSocket::handle_input() {
    char chunk[4096];
    const ssize_t got = ::recv(socket_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (got == 0 || buffer_.size() + static_cast<std::size_t>(got) > longest_request) {
        return false;
    }
    buffer_.append(chunk, static_cast<std::size_t>(got));
    for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
        const std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        handle(line);
    }
    return true;
}

void SessionSocket::handle(const std::string& line) {
    int status = 1;
    try {
        status = answer(parse_json(line));
    } catch (const Error& error) {
        send(Json{{"note", str("ERROR: ", error.text(), "\n")}});
        log::info("a session was refused: ", error.text());
    }
    send(Json{{"exit", status}});
}

int SessionSocket::answer(const Json& request) {
    const auto hook = take<std::string>(request, "hook");
    if (hook == "pre-receive") {
        return push_.prereceive(request, sink("text"));
    }
    if (hook == "post-receive") {
        return push_.postreceive(sink("text"));
    }
    if (hook == "command") {
        return commands_.run(take<Words>(request, "words"), {sink("text"), sink("note")});
    }
    fail(ErrorKind::invalid, "there is no hook '", hook, "'");
}

void SessionSocket::send(const Json& message) {
    std::string line = to_text(message) + "\n";
    std::string_view rest = line;
    while (!broken_ && !rest.empty()) {
        const ssize_t put = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR) {
            broken_ = true;
        } else if (put > 0) {
            rest.remove_prefix(static_cast<std::size_t>(put));
        }
    }
}

TextSink SessionSocket::sink(const char* kind) {
    return [this, kind](std::string_view text) { send(Json{{kind, std::string(text)}}); };
}

}  // namespace gearbox
