// The mirror of downloads (runtime/mirror/mirror.conf), as builds see it.
#pragma once
#include "model/egress.h"
#include "node/environ.h"
#include "node/gear_record.h"

#include <string>

namespace gearbox {

/// TCP ports of the mirror at the host's end of every gear's link, as in mirror.conf: its files; and the same, which
/// fetches what it does not have.
inline constexpr int mirror_files_port = 4082;
inline constexpr int mirror_fetches_port = 4083;

/// http_proxy and no_proxy of the gear's builds. Empty for a gear whose egress is a list of networks, which the mirror could
/// not keep to: its builds connect by themselves. Pure.
Environment mirror_environment(const GearRecord& record, const Egress& egress, const std::string& cloud_domain);

}  // namespace gearbox
