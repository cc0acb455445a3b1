// A machine of one's own for tests that make gears: private mount and network namespaces in which
// accounts, state and gear homes are on tmpfs. Nothing of it outlives the test program, but
// cgroups, which have a parent of their own.
#pragma once
#include "base/settings.h"

#include <string>

namespace gearbox::test {

/// Empty if this machine can make gears, otherwise why it cannot.
std::string missing_for_gears();

/// Enters the namespaces; once per program, before any thread.
void enter_private_host(const std::string& cgroup_parent);

/// Settings for that host: cartridges of tests/data and of the repository.
Settings private_host_settings();

/// Programs built with this test, in the layout of libexec.
std::string libexec_dir();

}  // namespace gearbox::test
