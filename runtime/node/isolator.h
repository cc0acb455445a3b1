// One aspect of a gear's isolation: what it adds to the launch plan, and what it keeps on the host.
#pragma once
#include "model/launch_plan.h"
#include "node/gear_record.h"
#include "node/paths.h"
#include "node/profiles.h"
#include "node/security_policy.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#include <memory>
#include <vector>

namespace gearbox {

class Isolator {
public:
    virtual ~Isolator() = default;
    virtual const char* name() const = 0;
    /// The daemon has begun: these gears exist. Before all else.
    virtual void restore(const std::vector<GearRecord>&) {}
    /// Every node.watch_seconds: the host may have changed.
    virtual void follow_host() {}
    /// Adds its part to the plan. Pure but for looking at what is installed.
    virtual void contribute(const GearRecord&, LaunchPlan&) const {}
    /// Makes what a gear has for its whole life. Idempotent.
    virtual void acquire(const GearRecord&) {}
    /// A process of the gear is about to be made: its first one, or a further one.
    virtual void prepare(const GearRecord&, sys::Program&) {}
    /// The sandbox's process exists and waits: gives it what only the host can give.
    virtual void connect(const GearRecord&, pid_t) {}
    /// What must be there before a program of the gear runs in the sandbox, while that makes itself; in
    /// another thread than connect().
    virtual void equip(const GearRecord&, pid_t) {}
    /// The sandbox is to end in order: asks what runs in it to end by itself, and waits for that, but not for long.
    virtual void dismiss(const GearRecord&) {}
    /// The sandbox has ended, or is to end now. Idempotent.
    virtual void disconnect(const GearRecord&) {}
    /// What the gear may use has changed. The process: of its sandbox, or 0. Idempotent.
    virtual void adapt(const GearRecord&, pid_t) {}
    /// Undoes acquire(). Idempotent; what never existed is fine.
    virtual void release(const GearId&, uid_t) {}
};

using Isolators = std::vector<std::unique_ptr<Isolator>>;

/// THE ordered list: acquired and connected from first to last, released from last to first.
Isolators make_isolators(const Settings& settings, const Paths& paths, const Profiles& profiles,
                         const SecurityPolicy& policy, const sys::Cgroups& cgroups);

/// The name of a gear's cgroup below the parent.
std::string cgroup_name(const GearId& gear);

}  // namespace gearbox
