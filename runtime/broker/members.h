// Members of domains besides their owner: users, and teams (broker contract, 13).
#pragma once
#include "broker/access.h"
#include "broker/core.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gearbox {

/// A user or a team in the list of a domain's or a team's members.
struct Member {
    std::optional<Team> team = std::nullopt;  ///< empty: a user
    User user = {};
    Role role = Role::view;                   ///< the highest of what follows
    std::optional<Role> own = std::nullopt;   ///< given to themselves
    std::vector<std::pair<TeamId, Role>> through = {};  ///< teams that give a role

    const std::string& id() const { return team ? team->id.text() : user.id.text(); }
    const std::string& name() const { return team ? team->name.text() : user.login.text(); }
};

/// One entry of a PATCH: role "none" removes. A user by login or id, a team by id.
struct MemberChange {
    std::string login;
    std::string id;
    std::optional<Role> role;  ///< empty: "none"
    bool is_team = false;
};

/// Changes are journalled, and the keys of the domain's gears follow them: view is no way in.
class MemberService {
public:
    explicit MemberService(Core& core) : core_(core) {}

    /// The owner first, then teams and users by name; users of the teams too.
    std::vector<Member> list(const Domain& domain) const;
    /// By id or login; throws 404/132.
    Member member(const Domain& domain, const std::string& id) const;
    /// Adds, changes and removes; the members that were given a role. 404/132 for accounts and teams
    /// that do not exist; 422/222 for what may not be: the owner, one that is twice there, removing
    /// nobody.
    std::vector<Member> change(const Principal& who, const Domain& domain,
                               const std::vector<MemberChange>& changes);
    /// Everybody but the owner goes.
    void reset(const Principal& who, const Domain& domain);
    /// 422 for the owner, who cannot leave, and for those who are there only by a team.
    void leave(const Principal& who, const Domain& domain);

private:
    void run(const Principal& who, const Domain& domain, const DomainMembers& after);

    Core& core_;
};

/// The account that a change is about; throws 404/132.
User find_account(const StateStore& store, const MemberChange& change);

}  // namespace gearbox
