// The daemon's half of git's hooks during one push: one JSON object a line in both directions.
//   hook → daemon   {"hook": "pre-receive", "updates": TEXT, "environment": ["GIT_…=…"]}
//   daemon → hook   {"text": …} any number of times, then {"exit": N}
// What comes in is the gear's word: it may lie about its own repository, and harm only itself.
#pragma once
#include "base/keyed_mutex.h"
#include "node/deployer.h"

#include <optional>
#include <string>

namespace gearbox {

class PushSession {
public:
    PushSession(const NodeContext& node, const Deployer& deployer, const CartridgeRunner& runner,
                KeyedMutex& locks, const GearId& gear, int socket);
    /// If git gave up between the hooks, the application that was stopped for it is started again.
    ~PushSession();
    PushSession(const PushSession&) = delete;
    PushSession& operator=(const PushSession&) = delete;

    /// Reads what is there and answers complete lines. False when the other side has closed.
    bool handle_input();

private:
    void handle(const std::string& line);
    int prereceive(const Json& request);
    int postreceive();
    void send(const Json& message);
    TextSink output();

    const NodeContext& node_;
    const Deployer& deployer_;
    const CartridgeRunner& runner_;
    KeyedMutex& locks_;
    GearId gear_;
    int socket_;
    bool broken_ = false;  ///< nobody reads any more
    std::string buffer_;
    std::optional<KeyedMutex::Lock> lock_;  ///< from pre-receive to the end
    std::optional<PendingDeployment> pending_;
    bool was_started_ = false;
};

}  // namespace gearbox
