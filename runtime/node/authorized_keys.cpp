// The line of authorized_keys for a key that may log in to a gear.
#include "base/str.h"
#include "node/local_agent.h"

#include <cstdint>
#include <string_view>

namespace gearbox {

namespace {

std::string base64(std::string_view data) {
    constexpr const char* digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < data.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group =
                (group << 8) | (i + k < data.size() ? static_cast<unsigned char>(data[i + k]) : 0u);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += i + k <= data.size() ? digits[(group >> (18 - 6 * k)) & 63] : '=';
        }
    }
    return out;
}

}  // namespace

std::string authorized_key_line(const GearId& gear, uid_t uid, const PublicKey& key) {
    // sshd stands outside of the gear, where it may connect to nothing but the gear's own public
    // ports; it cannot be told to listen nowhere, but nobody here may listen on port 1. The login is
    // in base64, so that no character of it means anything to anybody on the way.
    std::string open;
    for (int port = first_public_port(uid); port < first_public_port(uid) + public_ports_per_gear;
         ++port) {
        open += str("permitopen=\"", link_addresses(uid).gear, ":", port, "\",");
    }
    return str("restrict,pty,port-forwarding,permitlisten=\"127.0.0.1:1\",", open,
               "command=\"login ", base64(key.login), "\" ", key.type, " ", key.content,
               " OPENSHIFT-", gear.text(), "-", key.name, "\n");
}

}  // namespace gearbox
