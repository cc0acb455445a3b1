// The line of authorized_keys for a key that may log in to a gear.
#include "base/base64.h"
#include "base/str.h"
#include "node/local_agent.h"

namespace gearbox {

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
               "command=\"login ", encode_base64(key.login), "\" ", key.type, " ", key.content,
               " OPENSHIFT-", gear.text(), "-", key.name, "\n");
}

}  // namespace gearbox
