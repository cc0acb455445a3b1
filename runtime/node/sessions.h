// ssh sessions: gear-shell asks for one over the control socket and gets the ends of pipes; the
// program runs inside the gear, with a socket on which it may ask for more (session_socket.h).
#pragma once
#include "base/fd.h"
#include "base/json.h"
#include "base/keyed_mutex.h"
#include "node/deployer.h"
#include "node/gear_stream.h"
#include "node/local_agent.h"
#include "node/session_command.h"
#include "node/session_socket.h"

#include <sys/types.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// The other end, as main.cpp connects it to the control socket.
struct SessionChannel {
    int fd = -1;  ///< readable or closed: the client has gone
    std::function<void(const Json& message, const std::vector<int>& descriptors)> send;
};

class Sessions final : public GearSessions {
public:
    Sessions(LocalAgent& agent, KeyedMutex& locks);

    /// Runs one session to its end. args: login (base64), command (absent for a shell). The gear is
    /// the one whose uid asks; nothing else is believed. Throws Error before the program starts.
    void serve(const Json& args, uid_t uid, const SessionChannel& channel);
    /// The same for a command that does not come by ssh; login: who asks.
    void serve(const GearId& gear, const std::string& command, const std::string& login, const SessionChannel& channel);

    std::unique_ptr<GearStream> open(const GearId& gear, const std::string& command, const std::string& login) override;

    /// Ends all sessions; a deployment that is under way is finished first.
    void stop() { stop_write_.reset(); }

private:
    GearRecord open_gear(const GearId& id, const KeyedMutex::Lock& lock);
    void close_gear(const GearId& id);
    void run(const GearRecord& record, const SessionCommand& command, const std::string& login,
             const SessionChannel& channel);
    int wait(GearProgram& program, SessionSocket& socket, UniqueFd& hooks,
             const SessionChannel& channel);
    void prune(const GearId& id);

    LocalAgent& agent_;
    KeyedMutex& locks_;
    UniqueFd stop_read_;
    UniqueFd stop_write_;
    std::mutex mutex_;
    std::map<GearId, int> open_;  ///< sessions a gear; guarded by mutex_
};

}  // namespace gearbox
