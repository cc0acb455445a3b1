// The form in which the daemon hands a gear's two system call filters to gear-init (sys/seccomp.h makes
// them). No library: gear-init is small.
#pragma once
#include <string>
#include <string_view>

namespace gearbox::sys {

/// The two programs (arrays of sock_filter) as one text. The first is installed first.
std::string pack_filters(std::string_view first, std::string_view second);

/// Limits this process and its children to what both let through, for good. fd: a file that holds the packed
/// programs; several processes may read it at the same time. Needs no_new_privs. Throws Error(invalid) for
/// another file.
void install_filters(int fd);

}  // namespace gearbox::sys
