// One step after the other. The benchmark of starts has its own version, which keeps the time (tests/bench/timed).
#pragma once
#include "base/error.h"
#include "gear-init/steps.h"

#include <cstddef>

namespace gearbox {

/// Throws StepFailure with the step's name.
template <typename Plan, std::size_t count>
void run(const Step<Plan> (&steps)[count], const Plan& plan) {
    for (const Step<Plan>& step : steps) {
        try {
            step.run(plan);
        } catch (const SysError& error) {
            throw StepFailure{step.name, error.code(), error.text()};
        } catch (const Error& error) {
            throw StepFailure{step.name, 0, error.text()};
        }
    }
}

}  // namespace gearbox
