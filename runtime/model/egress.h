// Where programs of a gear may connect to, outside of the machine.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// One destination.
struct EgressRule {
    std::string network;  ///< "203.0.113.0/24": with its prefix length, no bits behind it
    int port = 0;         ///< 1 to 65535, of TCP and UDP; 0: all
    bool operator==(const EgressRule&) const = default;
};

/// Everywhere (internet), or where a rule says; no rule: nowhere.
struct Egress {
    bool internet = true;
    std::vector<EgressRule> rules;
    bool operator==(const Egress&) const = default;
};

/// "203.0.113.0/24", "198.51.100.7", "198.51.100.7:443". Throws Error(invalid) for anything else, host names, addresses
/// with bits behind their prefix and IPv6, which gears do not have, among it.
EgressRule parse_egress_rule(std::string_view text);

}  // namespace gearbox
