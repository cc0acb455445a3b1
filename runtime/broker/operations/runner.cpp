#include "broker/operations/runner.h"

#include "base/error.h"
#include "base/log.h"

#include <algorithm>
#include <csignal>

namespace gearbox {

namespace {

constexpr std::int64_t finished_kept = 500;

}  // namespace

std::string print(const OperationPlan& plan) {
    const char* recovery = plan.recovery == Recovery::undo     ? "undo"
                           : plan.recovery == Recovery::finish ? "finish"
                                                               : "abandon";
    std::string out = str(plan.kind, " (after a crash: ", recovery, ")\n");
    for (const Op& op : plan.steps) {
        out += str("  ", op.name, ": ", op.title, op.undo ? " [undo]" : "", "\n");
    }
    return out;
}

OperationRunner::OperationRunner(StateStore& store, const Clock& clock, IdSource ids,
                                 std::string crash_at, std::function<void()> flush)
    : store_(store), clock_(clock), ids_(std::move(ids)), crash_at_(std::move(crash_at)), flush_(std::move(flush)) {}

void OperationRunner::maybe_crash(const std::string& kind, const std::string& step,
                                  const char* when) const {
    if (!crash_at_.empty() && crash_at_ == str(kind, "/", step, "/", when)) {
        log::warning("fault point '", crash_at_, "': dying as asked by testing.crash_at");
        ::raise(SIGKILL);
    }
}

void OperationRunner::run_step(OperationRecord& record, std::size_t place, const Op& op,
                               const std::string& kind) {
    StepRecord& step = record.steps[place];
    step.state = StepState::running;
    step.started_ms = clock_.monotonic_ms();
    store_.set_step(record.id, step);
    maybe_crash(kind, op.name, "before");
    op.run();
    maybe_crash(kind, op.name, "after");
    step.state = StepState::done;
    step.elapsed_ms = clock_.monotonic_ms() - step.started_ms;
    store_.set_step(record.id, step);
}

void OperationRunner::run(const OperationPlan& plan, const std::string& request_id,
                          const AfterStep& after_step) {
    OperationRecord record;
    record.id = OperationId(ids_());
    record.request_id = request_id;
    record.user = plan.user;
    record.kind = plan.kind;
    record.subject = plan.subject;
    record.request = plan.request;
    record.created = clock_.now();
    for (const Op& op : plan.steps) {
        record.steps.push_back({op.name, op.title, StepState::pending, 0, 0});
    }
    store_.insert_operation(record);
    store_.prune_operations(finished_kept);
    for (std::size_t place = 0; place < plan.steps.size(); ++place) {
        const Op& op = plan.steps[place];
        try {
            run_step(record, place, op, plan.kind);
        } catch (const std::exception& error) {
            StepRecord& step = record.steps[place];
            step.state = StepState::failed;
            step.elapsed_ms = clock_.monotonic_ms() - step.started_ms;
            store_.set_step(record.id, step);
            log::warning(plan.kind, ": step '", op.name, "' failed: ", error.what(),
                         log::field("operation", record.id.text()),
                         log::field("subject", plan.subject));
            undo(record, plan, error.what());
            throw;
        }
        if (after_step) {
            after_step(op);
        }
    }
    flush_();
    store_.set_operation(record.id, OperationState::done, "");
    log::info(plan.kind, " done", log::field("subject", plan.subject),
              log::field("operation", record.id.text()));
}

bool OperationRunner::undo(OperationRecord& record, const OperationPlan& plan,
                           const std::string& reason) {
    store_.set_operation(record.id, OperationState::undoing, reason);
    bool is_clean = true;
    for (auto step = record.steps.rbegin(); step != record.steps.rend(); ++step) {
        const auto op = std::find_if(plan.steps.begin(), plan.steps.end(),
                                     [&](const Op& o) { return o.name == step->name; });
        if (step->state == StepState::pending || step->state == StepState::undone) {
            continue;
        }
        try {
            if (op != plan.steps.end() && op->undo) {
                op->undo();
            }
        } catch (const std::exception& error) {
            // The earlier steps must stay as they are: a uid may not be given away while anything of
            // its gear is left. The next start tries again.
            log::error(plan.kind, ": undoing step '", step->name, "': ", error.what(),
                       log::field("operation", record.id.text()));
            is_clean = false;
            break;
        }
        if (step->state == StepState::done) {
            step->state = StepState::undone;
            store_.set_step(record.id, *step);
        }
    }
    if (is_clean) {
        store_.set_operation(record.id, OperationState::failed, reason);
    }
    return is_clean;
}

bool OperationRunner::finish(OperationRecord& record, const OperationPlan& plan) {
    try {
        for (const Op& op : plan.steps) {
            const auto step = std::find_if(record.steps.begin(), record.steps.end(),
                                           [&](const StepRecord& s) { return s.name == op.name; });
            if (step == record.steps.end() || step->state != StepState::done) {
                op.run();
            }
            if (step != record.steps.end() && step->state != StepState::done) {
                step->state = StepState::done;
                store_.set_step(record.id, *step);
            }
        }
        flush_();
    } catch (const std::exception& error) {
        log::error("finishing ", plan.kind, " after a crash: ", error.what(),
                   log::field("operation", record.id.text()));
        return false;
    }
    store_.set_operation(record.id, OperationState::done, "");
    return true;
}

bool OperationRunner::recover(const OperationRecord& interrupted, const OperationPlan& plan) {
    OperationRecord record = interrupted;
    log::info("recovering ", plan.kind, log::field("subject", plan.subject),
              log::field("operation", record.id.text()));
    // What failed in time before the crash goes back, whatever its recovery: it was being undone.
    if (plan.recovery == Recovery::undo || record.state == OperationState::undoing) {
        return undo(record, plan,
                    record.error.empty() ? "interrupted by a restart of the daemon" : record.error);
    }
    if (plan.recovery == Recovery::finish) {
        return finish(record, plan);
    }
    store_.set_operation(record.id, OperationState::failed,
                         "interrupted by a restart of the daemon");
    return true;
}

}  // namespace gearbox
