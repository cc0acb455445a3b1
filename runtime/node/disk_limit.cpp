#include "node/disk_limit.h"

#include "base/error.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>

namespace gearbox {

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

}  // namespace

std::int64_t disk_limit_mb(const GearSettings& limits, const GearResources& resources,
                           const std::string& gear_base) {
    const std::int64_t wanted = limits.disk_mb + resources.extra_gb * 1024;
    struct statvfs info {};
    if (::statvfs(gear_base.c_str(), &info) != 0) {
        return wanted;
    }
    const std::uint64_t half = info.f_blocks * info.f_frsize / 2 / mebibyte;
    return std::min(wanted, static_cast<std::int64_t>(half));
}

NodeStorage look_at_storage(const NodeSettings& node) {
    struct statvfs info {};
    check(::statvfs(node.gear_base.c_str(), &info), "looking at the file system of '", node.gear_base, "'");
    NodeStorage out;
    out.all_mb = static_cast<std::int64_t>(info.f_blocks * info.f_frsize / mebibyte);
    // Not what is left for root: no gear gets that.
    out.free_mb = static_cast<std::int64_t>(info.f_bavail * info.f_frsize / mebibyte);
    out.reserve_mb = std::min(node.reserve_mb, out.all_mb / 10);
    return out;
}

std::int64_t parse_mb(std::string_view text) {
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

std::string find_shortage(const NodeStorage& storage, std::int64_t wanted_mb) {
    if (storage.free_mb - wanted_mb >= storage.reserve_mb) {
        return "";
    }
    return str("the disk of all applications is full: ", storage.free_mb, " of its ", storage.all_mb, " MB are free, ",
               storage.reserve_mb, " have to stay free", wanted_mb > 0 ? str(", and this takes ", wanted_mb) : "",
               "; delete files, deployments or applications, or ask the operator for a larger disk");
}

void check_room(const NodeSettings& node, std::int64_t wanted_mb) {
    if (const std::string shortage = find_shortage(look_at_storage(node), wanted_mb); !shortage.empty()) {
        fail(ErrorKind::quota, shortage);
    }
}

}  // namespace gearbox
