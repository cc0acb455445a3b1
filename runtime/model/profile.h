// A security profile: what an operator lets the gears of a cartridge, a size or a domain do, other than the
// rest (docs/security-profiles.md). Read by node/profile_file.h.
#pragma once
#include "base/json.h"
#include "base/settings.h"
#include "model/egress.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// What it changes of the tables in sys/gear_calls.cpp and sys/seccomp.cpp. The names are sorted, and no name
/// is in both lists.
struct FilterRules {
    bool enabled = true;              ///< false: no filter at all
    std::vector<std::string> allow;   ///< system calls
    std::vector<std::string> refuse;  ///< answered ENOSYS
    bool operator==(const FilterRules&) const = default;
};

/// "standard", "standard +bpf -ptrace", or "none": equal names, equal filters.
std::string name_of(const FilterRules& rules);

struct Profile {
    std::string name;
    std::string description;
    std::vector<std::string> cartridges;  ///< with or without version: "php-8.4", "php"
    std::vector<std::string> sizes;
    std::vector<std::string> domains;
    std::string selinux_type;  ///< "": that of all gears
    FilterRules filter;
    std::vector<std::string> capabilities;  ///< kept, "net_bind_service"
    std::optional<Egress> egress;           ///< empty: that of all gears
    GearLimits limits;                      ///< instead of the size's
};

/// [a-z0-9][a-z0-9_-]{0,31}
bool is_profile_name(std::string_view text);

/// All of it, for operators.
Json to_json(const Profile& profile);

}  // namespace gearbox
