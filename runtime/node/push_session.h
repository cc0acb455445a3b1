// One push: what git's hooks ask for, with the application's lock from the first to the last.
#pragma once
#include "base/json.h"
#include "base/keyed_mutex.h"
#include "node/deployer.h"

#include <optional>
#include <string>

namespace gearbox {

class PushSession {
public:
    PushSession(const NodeContext& node, const Deployer& deployer, const CartridgeRunner& runner,
                KeyedMutex& locks, GearId gear)
        : node_(node),
          deployer_(deployer),
          runner_(runner),
          locks_(locks),
          gear_(std::move(gear)) {}
    /// If git gave up between the hooks, the application that was stopped for it is started again.
    ~PushSession();
    PushSession(const PushSession&) = delete;
    PushSession& operator=(const PushSession&) = delete;

    /// The exit status of the hook; throws Error to refuse the push.
    int prereceive(const Json& request, const TextSink& output);
    int postreceive(const TextSink& output);
    /// A push was deployed: Deployer::prune() is to follow.
    bool has_deployed() const { return has_deployed_; }

private:
    const NodeContext& node_;
    const Deployer& deployer_;
    const CartridgeRunner& runner_;
    KeyedMutex& locks_;
    GearId gear_;
    std::optional<KeyedMutex::Lock> lock_;  ///< from pre-receive to the end, or until a builder takes over
    std::optional<PendingDeployment> pending_;
    bool was_started_ = false;
    bool has_deployed_ = false;
};

}  // namespace gearbox
