// Looks after started gears: services that have gone are started again, kills by the memory limit
// are told.
#pragma once
#include "base/keyed_mutex.h"
#include "node/agent.h"
#include "node/context.h"
#include "node/service_watch.h"
#include "sys/cgroup.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace gearbox {

class Watcher {
public:
    /// restart: starts the cartridge of that name, or for "" the whole gear.
    using Restart = std::function<void(const GearId&, const std::string& cartridge)>;
    /// each_round: called before the gears are looked at.
    Watcher(const NodeContext& node, const sys::Cgroups& cgroups, Restart restart,
            std::function<void()> each_round)
        : node_(node), cgroups_(cgroups), restart_(std::move(restart)), each_round_(std::move(each_round)) {}

    /// Looks every node.watch_seconds until stop(); acts under the application's lock, and not where
    /// another holds that.
    void run(KeyedMutex& locks);
    void stop();
    /// Somebody starts, stops or deploys: what listened before is not missed any more.
    void forget(const GearId& gear);
    /// What was started is missed if it ends, even before the next look.
    void notice(const GearRecord& record);
    /// The gear is no more.
    void drop(const GearId& gear);
    GearHealth health(const GearId& gear) const;

private:
    struct Gear {
        std::map<std::string, ServiceWatch> services;  ///< by cartridge; "" is the sandbox
        std::int64_t oom_kills = -1;                   ///< told; -1: not looked yet
        int restarts = 0;                              ///< of services that are forgotten
    };

    void look(const GearId& gear, KeyedMutex& locks);
    ServiceWatch::Verdict look_at(const GearId& gear, const std::string& service, bool is_listening);
    void look_at_memory(const GearRecord& record);
    void act(const GearId& gear, const std::string& service, ServiceWatch::Verdict verdict);
    void tell(const GearId& gear, const char* event, const std::string& text) const;

    const NodeContext& node_;
    const sys::Cgroups& cgroups_;
    Restart restart_;
    std::function<void()> each_round_;
    mutable std::mutex mutex_;
    std::map<GearId, Gear> gears_;
    std::condition_variable stopping_;
    bool is_stopping_ = false;
};

}  // namespace gearbox
