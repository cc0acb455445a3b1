// Teams, and who is a member of a domain (broker contract, 13).
#pragma once
#include "base/id.h"
#include "model/names.h"
#include "model/role.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace gearbox {

/// Users who share a role in the domains that the team is a member of. Its owner is one of them.
struct Team {
    TeamId id;
    TeamName name;  ///< unique among the owner's
    UserId owner;
    std::int64_t created = 0;
};

/// Who was given a role in a domain, themselves or as a team; not its owner.
struct DomainMembers {
    std::vector<std::pair<UserId, Role>> users;
    std::vector<std::pair<TeamId, Role>> teams;
    bool operator==(const DomainMembers&) const = default;
};

}  // namespace gearbox
