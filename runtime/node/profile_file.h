// Reads security profiles: one NAME.toml each (docs/security-profiles.md).
#pragma once
#include "base/settings.h"
#include "model/profile.h"
#include "node/security_policy.h"

#include <filesystem>
#include <string>
#include <vector>

namespace gearbox {

/// All profiles of the directory, by name; none if it does not exist. Throws Error(invalid) beginning with
/// FILE:LINE:COLUMN for the first one that cannot be carried out as it is written: unknown keys, system calls
/// and capabilities, sizes that settings does not have, SELinux types that gears may not take, and a cartridge,
/// size or domain that two profiles are assigned to.
std::vector<Profile> load_profiles(const std::filesystem::path& directory, const Settings& settings,
                                   const SecurityPolicy& policy);

}  // namespace gearbox
