// The system calls that a gear may make.
#pragma once

namespace gearbox::sys {

/// Limits this process and its children to them for good (tables in gear_calls.cpp and
/// seccomp.cpp). Needs no_new_privs.
void install_gear_filter();

}  // namespace gearbox::sys
