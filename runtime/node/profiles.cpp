#include "node/profiles.h"

#include "base/log.h"
#include "node/profile_file.h"
#include "sys/seccomp.h"

#include <algorithm>

namespace gearbox {

namespace {

const Profile* find_with(const std::vector<Profile>& profiles, std::vector<std::string> Profile::*list,
                         const std::string& word) {
    const auto found = std::find_if(profiles.begin(), profiles.end(), [&](const Profile& profile) {
        const std::vector<std::string>& words = profile.*list;
        return std::find(words.begin(), words.end(), word) != words.end();
    });
    return found == profiles.end() ? nullptr : &*found;
}

UniqueFd compiled(const FilterRules& rules) {
    return memfd_from("gear-filter", rules.enabled ? sys::compile_gear_filters(rules) : "");
}

}  // namespace

const Profile* find_profile(const std::vector<Profile>& profiles, const GearRecord& record) {
    const GearSpec& spec = record.spec;
    if (const Profile* const found = find_with(profiles, &Profile::domains, spec.domain.text())) {
        return found;
    }
    if (const Profile* const found = find_with(profiles, &Profile::sizes, spec.resources.size)) {
        return found;
    }
    for (const RecordedCartridge& cartridge : record.cartridges) {
        // Its name is the user's choice: it must not be a way to another profile.
        if (cartridge.own) {
            continue;
        }
        for (const std::string& word : {cartridge.full_name, cartridge.name}) {
            if (const Profile* const found = find_with(profiles, &Profile::cartridges, word)) {
                return found;
            }
        }
    }
    return nullptr;
}

Profiles::Profiles(const Settings& settings, const SecurityPolicy& policy)
    : settings_(settings), all_(load_profiles(settings.security.profile_dir, settings, policy)) {
    filters_.emplace(name_of(FilterRules{}), compiled(FilterRules{}));
    for (const Profile& profile : all_) {
        if (const std::string name = name_of(profile.filter); !filters_.contains(name)) {
            filters_.emplace(name, compiled(profile.filter));
        }
        if (!profile.filter.enabled) {
            log::warning("the security profile '", profile.name, "' has NO SYSTEM CALL FILTER: its gears reach all of "
                         "the kernel. For gears that are thrown away only");
        }
    }
}

GearSettings Profiles::limits(const GearRecord& record) const {
    const GearSettings& size = settings_.size(record.spec.resources.size);
    const Profile* const profile = find(record);
    return profile == nullptr ? size : with_limits(size, profile->limits);
}

Egress Profiles::egress(const GearRecord& record) const {
    const Egress usual{settings_.network.egress, {}};
    const Profile* const profile = find(record);
    return profile == nullptr ? usual : profile->egress.value_or(usual);
}

}  // namespace gearbox
