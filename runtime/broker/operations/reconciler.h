// What the daemon does at its start, before and after it listens: operations that a crash
// interrupted are undone or finished, remains are removed, gears are brought back.
#pragma once
#include "broker/core.h"
#include "broker/keys.h"

#include <atomic>

namespace gearbox {

class Reconciler {
public:
    Reconciler(Core& core, KeyService& keys) : core_(core), keys_(keys) {}

    /// Before anybody is served: the journal, then applications and gears that belong to nobody.
    /// Starts that were interrupted are left to start_gears(): they may take minutes.
    void repair();

    /// Starts the gears that ran before a reboot and repeats interrupted events, two at a time at
    /// most. Starting a gear that runs changes nothing. Returns early when stop becomes true.
    void start_gears(const std::atomic<bool>& stop);

private:
    OperationPlan plan_again(const OperationRecord& record) const;
    void repair_operation(const OperationRecord& record);
    void remove_remains();
    void start_one(const Application& application);

    Core& core_;
    KeyService& keys_;
    std::vector<OperationRecord> interrupted_events_;
};

}  // namespace gearbox
