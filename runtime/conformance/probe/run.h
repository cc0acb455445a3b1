// Runs one attempt in a process of its own.
#pragma once
#include "conformance/probe/outcome.h"
#include "conformance/probe/targets.h"

namespace gearbox::probe {

using Function = Outcome (*)(const Targets&);

/// Ends with everything that the attempt started; a killed or overdue attempt was denied.
Outcome run_attempt(Function function, const Targets& targets);

}  // namespace gearbox::probe
