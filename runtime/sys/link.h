// A gear's network link: a veth pair between the host and the gear's network namespace.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace gearbox::sys {

struct Link {
    std::string name;          ///< host end
    std::string host_address;  ///< IPv4, /31
    std::int64_t mbit = 0;     ///< most of each direction; 0: no limit
};

/// Creates the pair, its far end "eth0" in the network namespace of the process, replacing a stale one, and
/// brings our end up: without IPv6, and packets that come in must have the far end's address.
void connect_link(const Link& link, pid_t pid);

/// Changes the limits of a link that exists.
void limit_link(const Link& link, pid_t pid);

/// Unknown is fine. The far end goes with it.
void destroy_link(const std::string& name);

}  // namespace gearbox::sys
