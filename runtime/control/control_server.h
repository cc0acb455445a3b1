// The daemon's local socket: SOCK_SEQPACKET, one JSON object a packet, 64 KiB at most. A client
// sends {"verb": NAME, "args": {…}} and gets {"result": …} or {"error": {"kind": …, "text": …}}.
// Who asks is known from SO_PEERCRED, never from what is said.
#pragma once
#include "base/fd.h"
#include "base/json.h"

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gearbox {

constexpr std::size_t max_control_message = 64 * 1024;

/// Who is at the other end, as the kernel says.
struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// One request of an administrator (uid 0), answered by one result. Errors that it throws become
/// the reply. Called from the connection's own thread; may block.
using Verb = std::function<Json(const Json& args, const Peer& peer)>;

/// A connection that a verb keeps for itself.
class ControlConnection {
public:
    explicit ControlConnection(int fd) : fd_(fd) {}
    int fd() const { return fd_; }
    /// Sends one packet, with descriptors (SCM_RIGHTS). Throws SysError, Error(invalid) if too
    /// long.
    void send(const Json& message, const std::vector<int>& descriptors = {}) const;

private:
    int fd_;
};

/// A request that takes over the connection: descriptors, several replies. Open to every uid; the
/// verb itself checks the peer. What it throws is sent as the error reply.
using ConversationVerb =
    std::function<void(const Json& args, const Peer& peer, ControlConnection& connection)>;

class ControlServer {
public:
    /// Binds the socket (mode 0666: verbs check the peer); a stale one is replaced.
    explicit ControlServer(std::filesystem::path socket);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    /// Before start() only.
    void add_verb(const std::string& name, Verb verb);
    void add_conversation(const std::string& name, ConversationVerb verb);

    /// Accepts in a thread of its own; each connection gets a thread.
    void start();
    /// No new connections; waits until running verbs have ended.
    void stop();

private:
    void accept_loop();
    void serve(UniqueFd connection);
    void handle(const std::string& packet, const Peer& peer, ControlConnection& connection);
    bool enter(const Peer& peer);
    void leave(const Peer& peer);

    std::filesystem::path path_;
    UniqueFd listener_;
    UniqueFd wake_read_;
    UniqueFd wake_write_;
    std::map<std::string, Verb> verbs_;
    std::map<std::string, ConversationVerb> conversations_;
    std::thread acceptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<uid_t, int> connections_;  ///< guarded by mutex_
    int running_ = 0;                   ///< guarded by mutex_
};

}  // namespace gearbox
