// How much disk space a gear may have.
#pragma once
#include "base/settings.h"
#include "model/gear.h"

#include <cstdint>
#include <string>

namespace gearbox {

/// MiB: its limit and its extra storage, but at most half of the file system, which on a live medium may be
/// smaller than that: no gear alone fills the disk of all.
std::int64_t disk_limit_mb(const GearSettings& limits, const GearResources& resources,
                           const std::string& gear_base);

}  // namespace gearbox
