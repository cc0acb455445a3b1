// What the node remembers about a gear, beyond the life of the daemon.
#pragma once
#include "base/json.h"
#include "model/cartridge.h"
#include "model/gear.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// An endpoint with the numbers it got in this gear.
struct PlacedEndpoint {
    std::string ip_variable;    ///< OPENSHIFT_PHP_IP
    std::string port_variable;  ///< OPENSHIFT_PHP_PORT
    std::string address;        ///< loopback
    int port = 0;
    int proxy_port = 0;  ///< at the gear's outer address; 0: not reachable from outside
    std::vector<EndpointMapping> mappings;
    bool primary = false;
    std::string public_port_variable = {};  ///< OPENSHIFT_MYSQL_DB_PROXY_PORT: proxy_port; "" if none
    std::string websocket_port_variable = {};  ///< OPENSHIFT_CHAT_WS_PORT; "" if none
    int websocket_port = 0;                    ///< its value

    /// It answers for the application: it has the frontend "".
    bool is_web() const;
};

struct RecordedCartridge {
    std::string name;        ///< directory in the gear
    std::string short_name;  ///< OPENSHIFT_<SHORT>_…
    std::string version;
    std::string full_name;  ///< php-8.4
    bool web_framework = false;
    bool install_build_required = false;
    std::vector<PlacedEndpoint> endpoints;
    bool database = false;
    bool own = false;               ///< the user's: what the operator says of cartridges by name does not hold for it
    std::string cartridge_version;  ///< of its packaging; "" if it was added before this was kept
    std::optional<std::vector<std::string>> deployment_verbs;  ///< as in Cartridge
    std::vector<Connector> publishes;                          ///< likewise
    std::vector<Connector> subscribes;
    bool ci_builder = false;  ///< it is asked instead of what a push does
};

struct GearRecord {
    GearSpec spec;
    std::vector<RecordedCartridge>
        cartridges;  ///< in the order of addition; the first is the primary
    GearState state = GearState::fresh;
    std::vector<std::string> hosts;  ///< routed to this gear
    bool initial_build = false;    ///< the repository came from a URL: build before the first start
    pid_t init_pid = 0;            ///< 0: no sandbox
    std::uint64_t init_start = 0;  ///< with the pid, the identity of the sandbox's PID 1

    const RecordedCartridge* find_cartridge(const std::string& name) const;
    /// The one of category ci_builder, or null.
    const RecordedCartridge* find_builder() const;
    /// The endpoint that answers for the application, or null.
    const PlacedEndpoint* find_web_endpoint() const;
};

Json to_json(const GearRecord& record);
/// Throws Error(invalid).
GearRecord parse_gear_record(const Json& json);

}  // namespace gearbox
