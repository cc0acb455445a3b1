// How much disk space a gear may have, and all of them together.
#pragma once
#include "base/settings.h"
#include "model/gear.h"
#include "node/agent.h"
#include "node/context.h"
#include "sys/disk_quota.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace gearbox {

/// MiB: its limit and its extra storage, but at most half of the file system, which on a live medium may be
/// smaller than that: no gear alone fills the disk of all.
std::int64_t disk_limit_mb(const GearSettings& limits, const GearResources& resources,
                           const std::string& gear_base);

/// What a gear with these limits may have.
sys::DiskQuota disk_quota_of(const GearSettings& limits, const GearResources& resources, const std::string& gear_base);

/// For the user, when less than a tenth is left of either; "" otherwise. Pure.
std::string find_tightness(const sys::DiskUse& use, const sys::DiskQuota& quota);
/// The same of a gear; "" where no quota is kept.
std::string find_tightness(const NodeContext& node, const GearRecord& record);

/// Of the file system that holds the gears. The reserve is node.reserve_mb, but at most a tenth of it.
NodeStorage look_at_storage(const NodeSettings& node);

/// A number of MiB as text, 0 if it is none.
std::int64_t parse_mb(std::string_view text);

/// Why this many MiB cannot be added, for the user; "" if they can. Pure.
std::string find_shortage(const NodeStorage& storage, std::int64_t wanted_mb);

/// Before anything that makes gears larger. Throws Error(quota) if less than the reserve would stay free.
void check_room(const NodeSettings& node, std::int64_t wanted_mb = 0);

}  // namespace gearbox
