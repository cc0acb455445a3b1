#include "node/push_session.h"

#include "base/error.h"
#include "base/log.h"
#include "node/gear_state.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>

namespace gearbox {

namespace {

constexpr std::size_t longest_request = 1024 * 1024;

// Where the objects of a push are until it is accepted; nothing else of the hook's environment
// counts.
constexpr std::array quarantine = {
    "GIT_OBJECT_DIRECTORY=", "GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_QUARANTINE_PATH="};

std::vector<std::string> object_environment(const Json& request) {
    std::vector<std::string> out;
    for (const std::string& pair : take<std::vector<std::string>>(request, "environment")) {
        for (const char* name : quarantine) {
            if (pair.starts_with(name) && pair.find('\0') == std::string::npos) {
                out.push_back(pair);
            }
        }
    }
    return out;
}

}  // namespace

PushSession::PushSession(const NodeContext& node, const Deployer& deployer,
                         const CartridgeRunner& runner, KeyedMutex& locks, const GearId& gear,
                         int socket)
    : node_(node),
      deployer_(deployer),
      runner_(runner),
      locks_(locks),
      gear_(gear),
      socket_(socket) {
    // A pusher that does not read must not hold up the deployment, nor its lock.
    constexpr timeval patience{10, 0};
    check(::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
          "setting a timeout");
}

PushSession::~PushSession() {
    if (!pending_ || !was_started_) {
        return;
    }
    try {
        GearRecord record = node_.store.gear(gear_);
        if (record.state != GearState::started) {
            node_.launcher.ensure_running(record);
            runner_.start_all(record);
            set_gear_state(node_, record, GearState::started);
        }
    } catch (const std::exception& error) {
        log::error("starting after a push that was given up: ", std::string_view(error.what()),
                   log::field("gear", gear_.text()));
    }
}

bool PushSession::handle_input() {
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

void PushSession::handle(const std::string& line) {
    int status = 1;
    try {
        const Json request = parse_json(line);
        const auto hook = take<std::string>(request, "hook");
        if (hook == "pre-receive") {
            status = prereceive(request);
        } else if (hook == "post-receive") {
            status = postreceive();
        }
    } catch (const Error& error) {
        send(Json{{"text", str("ERROR: ", error.text(), "\n")}});
        log::info("a push was refused: ", error.text(), log::field("gear", gear_.text()));
    }
    send(Json{{"exit", status}});
}

int PushSession::prereceive(const Json& request) {
    if (!lock_) {
        lock_.emplace(locks_.lock(gear_.text()));
    }
    GearRecord record = node_.store.gear(gear_);
    was_started_ = record.state == GearState::started;
    // Set before the stop begins: whatever happens then, the application is started again.
    pending_ = PendingDeployment{};
    pending_ =
        deployer_.prereceive(record, parse_ref_updates(take<std::string>(request, "updates")),
                             object_environment(request), output());
    return 0;
}

int PushSession::postreceive() {
    if (pending_ && lock_) {
        const PendingDeployment pending = *pending_;
        pending_.reset();
        GearRecord record = node_.store.gear(gear_);
        deployer_.postreceive(record, pending, output());
        lock_.reset();
    }
    return 0;
}

void PushSession::send(const Json& message) {
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

TextSink PushSession::output() {
    return [this](std::string_view text) { send(Json{{"text", std::string(text)}}); };
}

}  // namespace gearbox
