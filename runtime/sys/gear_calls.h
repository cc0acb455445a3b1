// The system calls of programs in gears.
#pragma once
#include <vector>

namespace gearbox::sys {

/// Names as in syscalls(2).
std::vector<const char*> allowed_calls();

}  // namespace gearbox::sys
