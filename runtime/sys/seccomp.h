// The system calls that a gear may make, as programs for the kernel. For the daemon: gear-init only installs
// them (sys/gear_filter.h).
#pragma once
#include "model/profile.h"

#include <string>
#include <string_view>
#include <vector>

namespace gearbox::sys {

/// All that this library and this architecture know, by name.
std::vector<std::string> system_calls();

/// Why gears cannot do without the call, or null.
const char* why_needed(std::string_view call);

/// Tables in gear_calls.cpp and seccomp.cpp with these rules, which are enabled: two programs, packed.
std::string compile_gear_filters(const FilterRules& rules);

}  // namespace gearbox::sys
