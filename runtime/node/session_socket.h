// The daemon's end of the socket that every ssh session has inside of its gear: git's hooks and the
// platform's commands speak over it, one JSON object a line in both directions.
//   → {"hook": "pre-receive", "updates": TEXT, "environment": ["GIT_…=…"]}, {"hook": "post-receive"}
//   → {"hook": "command", "words": ["deploy", "master"]}
//   ← {"text": …} and {"note": …} any number of times, then {"exit": N}
// What comes in is the gear's word: it may lie about itself, and harm only itself.
#pragma once
#include "base/keyed_mutex.h"
#include "node/gear_commands.h"
#include "node/push_session.h"

#include <string>

namespace gearbox {

class SessionSocket {
public:
    SessionSocket(LocalAgent& agent, KeyedMutex& locks, const GearId& gear, int socket);
    SessionSocket(const SessionSocket&) = delete;
    SessionSocket& operator=(const SessionSocket&) = delete;

    /// Reads what is there and answers complete lines. False when the other side has closed.
    bool handle_input();
    bool has_deployed() const { return push_.has_deployed(); }

private:
    void handle(const std::string& line);
    int answer(const Json& request);
    void send(const Json& message);
    TextSink sink(const char* kind);

    int socket_;
    bool broken_ = false;  ///< nobody reads any more
    std::string buffer_;
    PushSession push_;
    GearCommands commands_;
};

}  // namespace gearbox
