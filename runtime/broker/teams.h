// Teams: people who share a role in the domains that the team is a member of (broker contract, 13).
#pragma once
#include "broker/members.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// Changes are journalled, and the keys of the gears follow them.
class TeamService {
public:
    explicit TeamService(Core& core) : core_(core) {}

    /// Those that the user owns or is a member of, by name.
    std::vector<Team> list(const Principal& who) const;
    std::vector<Team> own(const Principal& who) const;
    /// Of those that the user may see, the ones whose name holds the text, whatever its case.
    std::vector<Team> search(const Principal& who, const std::string& text) const;
    /// Throws 404/132.
    Team team(const Principal& who, const std::string& id) const;
    /// -1 with the field name for a bad or taken one; 403/193 at the user's limit.
    Team create(const Principal& who, const std::string& name);
    void remove(const Principal& who, const Team& team);

    /// The owner first, then by login.
    std::vector<Member> members(const Team& team) const;
    Member member(const Team& team, const std::string& id) const;  ///< throws 404/132
    /// As MemberService::change; the only role is view: 422/222 for others.
    std::vector<Member> change(const Principal& who, const Team& team,
                               const std::vector<MemberChange>& changes);
    void reset(const Principal& who, const Team& team);
    void leave(const Principal& who, const Team& team);  ///< 422 for the owner

private:
    void run(const Principal& who, const Team& team, std::vector<UserId> after);

    Core& core_;
};

}  // namespace gearbox
