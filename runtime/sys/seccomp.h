// The system calls that no gear needs.
#pragma once

namespace gearbox::sys {

/// Denies them to this process and its children for good (table in seccomp.cpp). Needs
/// no_new_privs.
void install_gear_filter();

}  // namespace gearbox::sys
