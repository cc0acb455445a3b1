// A gear's network: a veth pair, its addresses, and the packet filter on both sides. All through
// `ip -batch` and `nft -f`, which apply a text as a whole.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace gearbox::sys {

struct Link {
    std::string name;          ///< host end
    std::string host_address;  ///< /31
};

/// A port at the gear's outer address that leads to a loopback address inside.
struct Forwarding {
    int port = 0;
    std::string address;
    int target_port = 0;
    bool operator==(const Forwarding&) const = default;
};

/// Once per start of the daemon: drops every new connection that comes from a gear's link, and
/// makes the addresses of gears that do not run unreachable. Idempotent.
void prepare_host();

/// Creates the pair with its far end "eth0" in the network namespace of the process, replacing a
/// stale one, and brings our end up.
void connect_link(const Link& link, pid_t pid);

/// Replaces all forwardings in the network namespace of the process.
void set_forwardings(pid_t pid, const std::vector<Forwarding>& forwardings);

/// Unknown is fine. The far end goes with it.
void destroy_link(const std::string& name);

/// The texts given to the tools.
std::string link_commands(const Link& link, pid_t pid);
std::string forwarding_rules(const std::vector<Forwarding>& forwardings);

}  // namespace gearbox::sys
