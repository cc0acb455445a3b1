// Disk quota of a user on one file system, by quotactl_fd(2).
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace gearbox::sys {

struct DiskQuota {
    std::int64_t bytes = 0;  ///< hard limit; 0: none
    std::int64_t files = 0;  ///< hard limit; 0: none
};

struct DiskUse {
    std::int64_t bytes = 0;
    std::int64_t files = 0;
};

/// Sets what the user may have on the file system of the path. False if no quota is kept there.
bool set_disk_quota(const std::string& path, uid_t uid, const DiskQuota& quota);
/// What the user has there; none if no quota is kept.
std::optional<DiskUse> find_disk_use(const std::string& path, uid_t uid);

}  // namespace gearbox::sys
