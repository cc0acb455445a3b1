// In the place of runtime/gear-init/run_steps.h, for the gear-init of tests/bench/gears.py: adds a line "STEP<tab>MICROSECONDS"
// for each to a file.
#pragma once
#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "gear-init/steps.h"

#include <fcntl.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace gearbox {

constexpr const char* times_file = "/run/gearbox/gear-init-times";  // gear_start.cpp reads it

struct Times {
    // Opened where the host's tree is still there.
    const UniqueFd file{check(::open(times_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), "opening '", times_file, "'")};
    std::string lines;
};

inline Times& all_times() {
    static Times times;
    return times;
}

template <typename Plan, std::size_t count>
void run(const Step<Plan> (&steps)[count], const Plan& plan) {
    Times& times = all_times();
    for (const Step<Plan>& step : steps) {
        const auto began = std::chrono::steady_clock::now();
        step.run(plan);
        const auto took = std::chrono::steady_clock::now() - began;
        times.lines += str(step.name, "\t", std::chrono::duration_cast<std::chrono::microseconds>(took).count(), "\n");
    }
    write_all(times.file.get(), times.lines);
    times.lines.clear();
}

}  // namespace gearbox
