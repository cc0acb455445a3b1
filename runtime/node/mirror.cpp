#include "node/mirror.h"

#include "base/str.h"
#include "model/gear.h"

namespace gearbox {

Environment mirror_environment(const GearRecord& record, const Egress& egress, const std::string& cloud_domain) {
    if (!egress.internet && !egress.rules.empty()) {
        return {};
    }
    const int port = egress.internet ? mirror_fetches_port : mirror_files_port;
    const LinkAddresses addresses = link_addresses(record.spec.uid);
    // Not all programs know networks: addresses of services one by one, too.
    std::string direct = str("localhost,127.0.0.0/8,127.0.0.1,", addresses.gear, ",", cloud_domain);
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            direct += str(",", endpoint.address);
        }
    }
    return {{"http_proxy", str("http://", addresses.host, ":", port)}, {"no_proxy", direct}};
}

}  // namespace gearbox
