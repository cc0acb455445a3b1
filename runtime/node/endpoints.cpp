#include "node/endpoints.h"

#include "base/error.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace gearbox {

namespace {

struct Taken {
    std::set<std::string> addresses;
    std::set<int> ports;
};

Taken taken_by(const GearRecord& record) {
    Taken out;
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            out.addresses.insert(endpoint.address);
            out.ports.insert(endpoint.proxy_port);
        }
    }
    return out;
}

std::string take_address(uid_t uid, Taken& taken) {
    for (int n = 1; n <= 127; ++n) {
        const std::string address = loopback_address(uid, n);
        if (taken.addresses.insert(address).second) {
            return address;
        }
    }
    fail(ErrorKind::quota, "the gear has no loopback address left");
}

std::optional<int> find_port(uid_t uid, Taken& taken) {
    const int first = first_public_port(uid);
    for (int port = first; port < first + public_ports_per_gear; ++port) {
        if (taken.ports.insert(port).second) {
            return port;
        }
    }
    return std::nullopt;
}

}  // namespace

std::vector<PlacedEndpoint> plan_endpoints(const GearRecord& record, const Cartridge& cartridge,
                                           const std::vector<PlacedEndpoint>& there) {
    Taken taken = taken_by(record);
    std::map<std::string, std::string> addresses;  // by variable
    for (const PlacedEndpoint& old : there) {
        addresses[old.ip_variable] = old.address;
    }
    std::vector<PlacedEndpoint> out;
    for (const Endpoint& endpoint : cartridge.endpoints) {
        const std::string prefix = str("OPENSHIFT_", cartridge.short_name, "_");
        auto& address = addresses[prefix + endpoint.ip_name];
        if (address.empty()) {
            address = take_address(record.spec.uid, taken);
        }
        const auto old = std::find_if(there.begin(), there.end(), [&](const PlacedEndpoint& placed) {
            return placed.port_variable == prefix + endpoint.port_name;
        });
        // The router needs one; for the others it is where port forwarding of ssh leads to.
        const auto port = endpoint.port == 0                             ? std::nullopt
                          : old != there.end() && old->proxy_port != 0 ? std::optional(old->proxy_port)
                                                                       : find_port(record.spec.uid, taken);
        if (!port && !endpoint.mappings.empty()) {
            fail(ErrorKind::quota, "the gear has no public port left, it may have ",
                 public_ports_per_gear);
        }
        out.push_back({prefix + endpoint.ip_name, prefix + endpoint.port_name, address,
                       endpoint.port, port.value_or(0), endpoint.mappings, endpoint.primary,
                       endpoint.public_port_name.empty() ? "" : prefix + endpoint.public_port_name,
                       endpoint.websocket_port == 0 ? "" : prefix + endpoint.websocket_port_name, endpoint.websocket_port});
    }
    return out;
}

std::vector<sys::Forwarding> forwardings_of(const GearRecord& record) {
    std::vector<sys::Forwarding> out;
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            if (endpoint.proxy_port != 0) {
                out.push_back({endpoint.proxy_port, endpoint.address, endpoint.port});
            }
        }
    }
    return out;
}

}  // namespace gearbox
