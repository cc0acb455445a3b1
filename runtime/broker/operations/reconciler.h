// What the daemon does at its start, before and after it listens: operations that a crash
// interrupted are undone or finished, remains are removed, gears are brought back.
#pragma once
#include "broker/core.h"

#include <vector>

namespace gearbox {

class Reconciler {
public:
    explicit Reconciler(Core& core) : core_(core) {}

    /// Before anybody is served: the journal, then applications and gears that belong to nobody.
    /// Interrupted events are left to repeat_events().
    void repair();

    /// Repeats starts, stops and restarts that were interrupted; takes the applications' locks and
    /// minutes, so call it beside the serving. Gears that ran before a reboot are the node's to start.
    void repeat_events();

private:
    OperationPlan plan_again(const OperationRecord& record) const;
    void repair_operation(const OperationRecord& record);
    void remove_remains();

    Core& core_;
    std::vector<OperationRecord> interrupted_events_;
};

}  // namespace gearbox
