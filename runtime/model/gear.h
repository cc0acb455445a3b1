// A gear as a value: what it is, its state, and the numbers that follow from its uid.
#pragma once
#include "base/id.h"
#include "model/names.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gearbox {

/// As shown in gear_groups and kept in app-root/runtime/.state (cartridge contract, 11.3).
enum class GearState { fresh, started, stopped, idle, building, deploying, unknown };

/// "new", "started", … (the contract's words).
const char* name_of(GearState state);
/// unknown for any other word.
GearState parse_gear_state(std::string_view word);

struct EnvironmentVariable {
    std::string name;
    std::string value;
    bool operator==(const EnvironmentVariable&) const = default;
};

/// How the application is deployed (environment OPENSHIFT_KEEP_DEPLOYMENTS and its sisters).
struct DeploymentSettings {
    bool auto_deploy = true;
    std::string branch = "master";
    int keep = 1;
    std::string type = "git";  ///< "git" or "binary"
    bool operator==(const DeploymentSettings&) const = default;
};

/// What a gear may use.
struct GearResources {
    std::string size = "small";    ///< of the settings' sizes
    std::int64_t extra_gb = 0;     ///< disk space beyond the size's
    bool operator==(const GearResources&) const = default;
};

/// Everything that the node must know to make a gear. No default is meaningful for the ids.
struct GearSpec {
    GearId id;
    ApplicationId application;
    uid_t uid = 0;
    ApplicationName application_name;
    Namespace domain;
    std::string dns;         ///< APP-DOMAIN.SUFFIX
    std::string login;       ///< owner, for the record
    std::string secret_token;
    DeploymentSettings deployment;
    std::vector<EnvironmentVariable> user_variables;
    GearResources resources;
};

/// A public key that may log in to a gear.
struct PublicKey {
    std::string type;     ///< ssh-ed25519, …
    std::string content;  ///< base64 part
    std::string name;     ///< comment
    std::string login;    ///< whose key it is
};

/// The n-th loopback address, n = 1..127, of the gear with this uid (cartridge contract, 12):
/// 127.0.0.0 + uid * 128 + n, wrapping at uid 65536 with offset 1.
std::string loopback_address(uid_t uid, int n);

/// The first of the five public ports of a uid (cartridge contract, 12).
int first_public_port(uid_t uid);
constexpr int public_ports_per_gear = 5;

/// The gear's MCS category pair (a < b): the uid-th of the lexicographic list of pairs out of 1024.
/// uid from 1 to 523776; throws Error(invalid) outside.
std::pair<int, int> mcs_categories(uid_t uid);
/// "s0:c1,c2".
std::string mcs_level(uid_t uid);

/// Addresses of the gear's veth pair, a /31 out of 100.64.0.0/10 (RFC 6598): host end, gear end.
struct LinkAddresses {
    std::string host;
    std::string gear;
};
LinkAddresses link_addresses(uid_t uid);
/// Name of the host end, "gb1000".
std::string link_name(uid_t uid);

}  // namespace gearbox
