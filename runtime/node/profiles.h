// Security profiles in use: which one a gear has, and what follows from it.
#pragma once
#include "base/fd.h"
#include "base/settings.h"
#include "model/profile.h"
#include "node/gear_record.h"
#include "node/security_policy.h"

#include <map>
#include <string>
#include <vector>

namespace gearbox {

/// The profile of its domain, before that of its size, before that of the first of its cartridges that has one
/// (with version before without). Null: none. Pure.
const Profile* find_profile(const std::vector<Profile>& profiles, const GearRecord& record);

/// Immutable: profiles are read when the daemon starts.
class Profiles {
public:
    /// Reads settings.security.profile_dir and compiles every filter that a gear may get, once. Throws
    /// Error(invalid) beginning with FILE:LINE:COLUMN.
    Profiles(const Settings& settings, const SecurityPolicy& policy);

    const std::vector<Profile>& all() const { return all_; }
    /// Null: none.
    const Profile* find(const GearRecord& record) const { return find_profile(all_, record); }
    /// Its size's, but for what its profile says.
    GearSettings limits(const GearRecord& record) const;
    /// The settings', but for what its profile says.
    Egress egress(const GearRecord& record) const;
    /// A sealed file for gear-init (sys/gear_filter.h); empty for "none".
    const UniqueFd& filter(const std::string& name) const { return filters_.at(name); }

private:
    const Settings& settings_;
    std::vector<Profile> all_;
    std::map<std::string, UniqueFd> filters_;  ///< by name_of(FilterRules)
};

}  // namespace gearbox
