#include "node/isolator.h"
#include "node/isolators/isolators.h"

namespace gearbox {

std::string cgroup_name(const GearId& gear) {
    return str("gear-", gear.text());
}

Isolators make_isolators(const Settings& settings, const Paths& paths, const Profiles& profiles,
                         const SecurityPolicy& policy, const sys::Cgroups& cgroups) {
    Isolators table;
    // The account before the home: nobody else can get the uid once files belong to it.
    table.push_back(make_account_isolator(paths));
    // The quota next: nothing of the gear is ever written without one.
    table.push_back(make_quota_isolator(profiles, paths));
    table.push_back(make_home_isolator(profiles, paths, policy));
    // cgroup before everything that runs: released last but the two above, it kills what is left.
    table.push_back(make_cgroup_isolator(profiles, paths, cgroups));
    table.push_back(make_limit_isolator(profiles, cgroups));
    table.push_back(make_network_isolator(settings, profiles, paths));
    // Plan only. Root file system and labels before limits, as gear-init goes.
    table.push_back(make_filesystem_isolator(settings, profiles, paths));
    table.push_back(make_privilege_isolator(profiles, policy));
    return table;
}

}  // namespace gearbox
