#include "node/routes.h"

#include "base/error.h"

#include <algorithm>

namespace gearbox {

namespace {

std::string target_of(const GearRecord& record, const PlacedEndpoint& endpoint, const EndpointMapping& mapping) {
    const std::string gear = str(link_addresses(record.spec.uid).gear, ":", endpoint.proxy_port);
    const bool replaces = mapping.is_served() && mapping.frontend != mapping.backend;
    if (mapping.kind == MappingKind::proxy && !replaces) {
        return gear;
    }
    const std::string parts = replaces ? std::to_string(std::count(mapping.frontend.begin(), mapping.frontend.end(), '/')) : "";
    return str(gear, ":", name_of(mapping.kind), ":", parts, ":", mapping.backend);
}

}  // namespace

Routes routes_of(const GearRecord& record) {
    Routes out;
    std::map<std::string, bool> primary;  // of the frontends' endpoints so far
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            for (const EndpointMapping& mapping : endpoint.mappings) {
                const auto [known, is_new] = primary.try_emplace(mapping.frontend, endpoint.primary);
                if (!is_new && (known->second || !endpoint.primary)) {
                    continue;
                }
                known->second = endpoint.primary;
                for (const std::string& host : record.hosts) {
                    out[str(host, mapping.frontend, "/")] = target_of(record, endpoint, mapping);
                }
            }
        }
    }
    return out;
}

}  // namespace gearbox
