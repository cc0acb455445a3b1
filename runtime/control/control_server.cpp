#include "control/control_server.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/log.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace gearbox {

namespace {

// A gear that opens session after session may fill its own share, not everybody's.
constexpr int max_connections = 256;
constexpr int max_connections_of_one = 16;
constexpr std::size_t max_descriptors = 16;

Json error_reply(const Error& error) {
    return Json{{"error", {{"kind", name_of(error.kind())}, {"text", error.text()}}}};
}

UniqueFd listen_at(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& name = path.native();
    if (name.size() >= sizeof address.sun_path) {
        fail(ErrorKind::invalid, "the socket path '", name, "' is too long");
    }
    std::memcpy(address.sun_path, name.data(), name.size());
    UniqueFd fd(check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "creating a socket"));
    if (::unlink(name.c_str()) < 0 && errno != ENOENT) {
        fail_errno("removing the stale socket '", name, "'");
    }
    check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "binding '", name, "'");
    check(::chmod(name.c_str(), 0666), "setting the mode of '", name, "'");
    check(::listen(fd.get(), 64), "listening at '", name, "'");
    return fd;
}

Peer peer_of(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    check(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size), "asking for the peer");
    return {credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace

void ControlConnection::send(const Json& message, const std::vector<int>& descriptors) const {
    std::string packet = to_text(message);
    if (packet.size() > max_control_message || descriptors.size() > max_descriptors) {
        fail(ErrorKind::invalid, "the reply has ", packet.size(), " bytes, more than ",
             max_control_message);
    }
    alignas(cmsghdr) char control[CMSG_SPACE(max_descriptors * sizeof(int))] = {};
    iovec part{packet.data(), packet.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        const std::size_t bytes = descriptors.size() * sizeof(int);
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(bytes);
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(bytes);
        std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
    }
    check(::sendmsg(fd_, &header, MSG_NOSIGNAL), "sending a reply");
}

ControlServer::ControlServer(std::filesystem::path socket)
    : path_(std::move(socket)), listener_(listen_at(path_)) {
    Pipe wake = make_pipe();
    wake_read_ = std::move(wake.read);
    wake_write_ = std::move(wake.write);
}

ControlServer::~ControlServer() {
    stop();
}

void ControlServer::add_verb(const std::string& name, Verb verb) {
    verbs_.emplace(name, std::move(verb));
}

void ControlServer::add_conversation(const std::string& name, ConversationVerb verb) {
    conversations_.emplace(name, std::move(verb));
}

void ControlServer::start() {
    acceptor_ = std::thread([this] { accept_loop(); });
}

void ControlServer::stop() {
    wake_write_.reset();
    if (acceptor_.joinable()) {
        acceptor_.join();
        ::unlink(path_.c_str());
    }
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return running_ == 0; });
}

void ControlServer::accept_loop() {
    for (;;) {
        pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {wake_read_.get(), 0, 0}};
        if (::poll(fds, 2, -1) < 0) {
            continue;
        }
        if (fds[1].revents != 0) {
            return;
        }
        UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection) {
            continue;
        }
        {
            const std::lock_guard guard(mutex_);
            ++running_;
        }
        // shared: std::thread copies its callable, a descriptor cannot be copied.
        const int fd = connection.release();
        std::thread([this, fd] { serve(UniqueFd(fd)); }).detach();
    }
}

bool ControlServer::enter(const Peer& peer) {
    const std::lock_guard guard(mutex_);
    int& own = connections_[peer.uid];
    if (running_ > max_connections || (peer.uid != 0 && own >= max_connections_of_one)) {
        return false;
    }
    ++own;
    return true;
}

void ControlServer::leave(const Peer& peer) {
    const std::lock_guard guard(mutex_);
    if (--connections_[peer.uid] == 0) {
        connections_.erase(peer.uid);
    }
}

void ControlServer::serve(UniqueFd connection) {
    const Defer ended([this] {
        const std::lock_guard guard(mutex_);
        --running_;
        changed_.notify_all();
    });
    ControlConnection channel(connection.get());
    try {
        const Peer peer = peer_of(connection.get());
        if (!enter(peer)) {
            channel.send(error_reply(Error(ErrorKind::quota, "too many connections at once")));
            return;
        }
        const Defer left([&] { leave(peer); });
        std::string packet(max_control_message + 1, '\0');
        // Reads one request; a client that never asks must not keep a thread for ever.
        pollfd ready{connection.get(), POLLIN, 0};
        if (::poll(&ready, 1, 10'000) != 1) {
            return;
        }
        const ssize_t got =
            check(::recv(connection.get(), packet.data(), packet.size(), 0), "receiving a request");
        packet.resize(static_cast<std::size_t>(got));
        if (packet.size() > max_control_message) {
            fail(ErrorKind::invalid, "the request has more than ", max_control_message, " bytes");
        }
        if (!packet.empty()) {
            handle(packet, peer, channel);
        }
    } catch (const std::exception& error) {
        log::warning("control socket: ", std::string_view(error.what()));
    }
}

void ControlServer::handle(const std::string& packet, const Peer& peer,
                           ControlConnection& connection) {
    try {
        const Json request = parse_json(packet);
        const auto name = take<std::string>(request, "verb");
        const Json args = find<Json>(request, "args").value_or(Json::object());
        if (const auto found = conversations_.find(name); found != conversations_.end()) {
            found->second(args, peer, connection);
            return;
        }
        const auto found = verbs_.find(name);
        if (found == verbs_.end()) {
            fail(ErrorKind::not_found, "there is no verb '", name, "'");
        }
        if (peer.uid != 0) {
            fail(ErrorKind::forbidden, "only root may use '", name, "'");
        }
        connection.send(Json{{"result", found->second(args, peer)}});
    } catch (const Error& error) {
        connection.send(error_reply(error));
    }
}

}  // namespace gearbox
