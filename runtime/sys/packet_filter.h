// nftables, by its own library: texts as `nft -f` takes them, applied as a whole or not at all.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace gearbox::sys {

/// host.nft of this folder: the table `inet gearbox` with empty sets.
const char* host_rules();

/// In our own network namespace. Thread-safe.
void apply_rules(const std::string& text);

/// A port at the gear's outer address that leads to a loopback address inside.
struct Forwarding {
    int port = 0;
    std::string address;
    int target_port = 0;
    bool operator==(const Forwarding&) const = default;
};

/// Replaces all forwardings in the network namespace of the process, whose outer address that is.
void set_forwardings(pid_t pid, const std::string& outer_address, const std::vector<Forwarding>& forwardings);

/// The text for it.
std::string forwarding_rules(const std::string& outer_address, const std::vector<Forwarding>& forwardings);

}  // namespace gearbox::sys
