// A change as data: named steps in order, each with its undo.
#pragma once
#include "base/id.h"
#include "base/json.h"

#include <functional>
#include <string>
#include <vector>

namespace gearbox {

/// One step. run and undo may be called again after a crash: both are idempotent, and undo is fine
/// with what never happened. An empty undo means that an earlier step's undo covers it.
struct Op {
    std::string name;   ///< unique in its plan; part of fault points
    std::string title;  ///< what a person reads while it runs
    std::function<void()> run;
    std::function<void()> undo;
};

/// What the start of the daemon does with an operation that a crash interrupted.
enum class Recovery {
    undo,     ///< back to before
    finish,   ///< on to the end
    abandon,  ///< nothing to repair
};

struct OperationPlan {
    std::string kind;  ///< "create-application"
    UserId user;
    std::string subject;  ///< id of what is changed
    Json request;         ///< enough to plan it again
    Recovery recovery = Recovery::undo;
    std::vector<Op> steps;
};

/// "create-application\n  reserve: …": one line a step, for golden tests and logs.
std::string print(const OperationPlan& plan);

}  // namespace gearbox
