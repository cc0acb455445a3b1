// The host's side of all gears' networks: the packet filter's sets (sys/host.nft) and the name servers.
#pragma once
#include "base/settings.h"
#include "model/egress.h"
#include "node/gear_record.h"
#include "node/paths.h"
#include "node/profiles.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gearbox {

/// What the packet filter knows of a gear.
struct LinkRules {
    std::string link;
    uid_t uid = 0;
    ApplicationId application;
    Egress egress;
    bool operator==(const LinkRules&) const = default;
};

/// What it knows of the host.
struct HostRules {
    std::vector<uid_t> router;
    std::vector<std::string> resolvers;
    std::vector<EgressRule> reachable;
    std::vector<int> ports;
    std::vector<uid_t> mirror;  ///< its user; empty: there is none
    bool forwards_for_others = false;  ///< the host was a router before
};

/// Texts for nft: pure. siblings: links of the same application.
std::string host_text(const HostRules& rules);
std::string admit_text(const LinkRules& gear, const std::vector<std::string>& siblings);
std::string forget_text(const LinkRules& gear, const std::vector<std::string>& siblings);

/// Thread-safe.
class HostNetwork {
public:
    /// Throws Error(invalid) for settings that it cannot read.
    HostNetwork(const Settings& settings, const Profiles& profiles, const Paths& paths);

    /// Once per start of the daemon, with all gears that there are: makes the filter as if it were new, lets
    /// the host forward packets, and makes addresses of gears that do not run unreachable. Idempotent.
    void restore(const std::vector<GearRecord>& gears);
    /// The gear exists, or may have other rules now.
    void admit(const GearRecord& gear);
    /// Unknown is fine.
    void forget(uid_t uid);
    /// The host may have other name servers now.
    void follow_host();

private:
    std::vector<std::string> siblings_of(const LinkRules& gear) const;
    LinkRules rules_of(const GearRecord& gear) const;
    void write_resolv_conf() const;
    void load() const;
    void remember(const LinkRules& gear);

    const Settings& settings_;
    const Profiles& profiles_;
    Paths paths_;
    std::mutex mutex_;
    HostRules host_;
    std::map<uid_t, LinkRules> gears_;
    std::set<std::pair<ApplicationId, uid_t>> members_;  ///< the same gears by application
};

}  // namespace gearbox
