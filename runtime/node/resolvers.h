// The name servers that gears ask: those of the host.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// IPv4 name servers of a resolv.conf(5) that can be asked from elsewhere: not those on the loopback
/// addresses of its host.
std::vector<std::string> parse_resolvers(std::string_view resolv_conf);

/// Those of this host now; where it has a stub of systemd-resolved, those that the stub asks.
std::vector<std::string> find_resolvers();

/// The text of a gear's resolv.conf.
std::string resolv_conf(const std::vector<std::string>& resolvers);

}  // namespace gearbox
