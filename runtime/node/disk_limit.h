// How much disk space a gear may have.
#pragma once
#include "base/settings.h"
#include "model/gear.h"

namespace gearbox {

/// MiB: its size's and its extra storage, but at most half of the file system, which on a live medium may be
/// smaller than what a size says: no gear alone fills the disk of all.
std::int64_t disk_limit_mb(const GearResources& resources, const Settings& settings);

}  // namespace gearbox
