// The mirror of downloads (runtime/mirror/mirror.conf), as builds see it.
#pragma once
#include "base/settings.h"
#include "model/egress.h"
#include "node/environ.h"
#include "node/gear_record.h"

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

/// The EnvironmentFile= of gearbox-mirror.service, on a file system of this many MiB. Pure.
std::string mirror_file(const MirrorSettings& mirror, std::int64_t disk_mb);

}  // namespace gearbox
