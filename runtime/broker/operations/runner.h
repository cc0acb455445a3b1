// Carries out operation plans: journals each step, undoes in reverse on failure, and after a crash
// finishes or undoes what the journal says.
#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "broker/operations/op.h"
#include "broker/store/state_store.h"

#include <functional>
#include <string>

namespace gearbox {

class OperationRunner {
public:
    /// crash_at: "KIND/STEP/before|after" dies there by SIGKILL; empty: never (settings, testing).
    /// flush: what the steps have written survives a power cut then; called before a plan is done.
    OperationRunner(StateStore& store, const Clock& clock, IdSource ids, std::string crash_at,
                    std::function<void()> flush);

    using AfterStep = std::function<void(const Op&)>;
    /// Runs the plan to its end. When a step throws, the finished ones are undone in reverse and
    /// the error goes on to the caller. after_step is called between the steps.
    void run(const OperationPlan& plan, const std::string& request_id,
             const AfterStep& after_step = {});

    /// Makes the plan of an interrupted operation again.
    using Planner = std::function<OperationPlan(const OperationRecord&)>;
    /// Takes up one interrupted operation as its plan's Recovery says. Logs; a failure leaves it in
    /// the journal for the next start. True if nothing of it is left to do.
    bool recover(const OperationRecord& record, const OperationPlan& plan);

private:
    void run_step(OperationRecord& record, std::size_t place, const Op& op, const std::string& kind);
    bool undo(OperationRecord& record, const OperationPlan& plan, const std::string& reason);
    bool finish(OperationRecord& record, const OperationPlan& plan);
    void maybe_crash(const std::string& kind, const std::string& step, const char* when) const;

    StateStore& store_;
    const Clock& clock_;
    IdSource ids_;
    std::string crash_at_;
    std::function<void()> flush_;
};

}  // namespace gearbox
