// The mirror of downloads (runtime/mirror/mirror.conf), as builds see it.
#pragma once
#include "base/settings.h"
#include "model/egress.h"
#include "node/environ.h"
#include "node/gear_record.h"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace gearbox {

/// TCP ports of the mirror at the host's end of every gear's link, as in mirror.conf and registries.conf: its files; the
/// same, which fetches what it does not have; registries of packages.
inline constexpr int mirror_files_port = 4082;
inline constexpr int mirror_fetches_port = 4083;
inline constexpr int mirror_registries_port = 4084;

/// The address of the registries in every gear, port 80 (host.nft): files below registries_directory have it.
inline constexpr const char* registries_address = "100.127.255.254";
inline constexpr const char* registries_directory = "/usr/share/gearbox/registries";

/// http_proxy and no_proxy of the gear's builds and, if it may reach the internet, what leads tools to the registries. Empty
/// for a gear whose egress is a list of networks, which the mirror could not keep to: its builds connect by themselves.
/// Pure.
Environment mirror_environment(const GearRecord& record, const Egress& egress, const Settings& settings);

/// Where the mirror keeps what registries answer, on the file system of the gears. By its user's quota it can have no more of
/// that than this: a gear that fetches much cannot fill the disk of all.
struct MirrorCache {
    std::string directory;
    std::int64_t mb = 0;
    std::int64_t files = 0;
};
MirrorCache mirror_cache(const Settings& settings, std::int64_t disk_mb);

/// The EnvironmentFile= of gearbox-mirror.service. Pure.
std::string mirror_file(const MirrorSettings& mirror, const MirrorCache& cache);

/// Makes both; the directory for this user only, and none for 0.
void prepare_mirror(const Settings& settings, const std::string& file, uid_t user);

}  // namespace gearbox
