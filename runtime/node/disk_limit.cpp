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

sys::DiskQuota disk_quota_of(const GearSettings& limits, const GearResources& resources, const std::string& gear_base) {
    return {disk_limit_mb(limits, resources, gear_base) << 20, limits.files};
}

std::string find_tightness(const sys::DiskUse& use, const sys::DiskQuota& quota) {
    const auto is_tight = [](std::int64_t used, std::int64_t limit) { return limit > 0 && used >= limit / 10 * 9; };
    std::string out;
    if (is_tight(use.bytes, quota.bytes)) {
        out = str("the files of this gear take ", use.bytes >> 20, " of its ", quota.bytes >> 20, " MB");
    }
    if (is_tight(use.files, quota.files)) {
        out += str(out.empty() ? "" : ", and ", "there are ", use.files, " of at most ", quota.files, " files in this gear");
    }
    return out.empty() ? "" : str("WARNING: ", out, ": delete some, or ask for more storage");
}

std::string find_tightness(const NodeContext& node, const GearRecord& record) {
    const std::string& base = node.paths.gear_base;
    const auto use = sys::find_disk_use(base, record.spec.uid);
    return use ? find_tightness(*use, disk_quota_of(node.profiles.limits(record), record.spec.resources, base)) : "";
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
