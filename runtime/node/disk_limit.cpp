#include "node/disk_limit.h"

#include <sys/statvfs.h>

#include <algorithm>

namespace gearbox {

std::int64_t disk_limit_mb(const GearSettings& limits, const GearResources& resources,
                           const std::string& gear_base) {
    const std::int64_t wanted = limits.disk_mb + resources.extra_gb * 1024;
    struct statvfs info {};
    if (::statvfs(gear_base.c_str(), &info) != 0) {
        return wanted;
    }
    const std::uint64_t half = info.f_blocks * info.f_frsize / 2 / (1024 * 1024);
    return std::min(wanted, static_cast<std::int64_t>(half));
}

}  // namespace gearbox
