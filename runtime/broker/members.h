// Members of domains besides their owner (broker contract, 13).
#pragma once
#include "broker/access.h"
#include "broker/core.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

struct Member {
    User user;
    Role role = Role::view;
};

/// One entry of a PATCH: role "none" removes. Either login or id is given.
struct MemberChange {
    std::string login;
    std::string id;
    std::optional<Role> role;  ///< empty: "none"
};

/// Changes are journalled, and the keys of the domain's gears follow them: view is no way in.
class MemberService {
public:
    explicit MemberService(Core& core) : core_(core) {}

    /// The owner first, then by login.
    std::vector<Member> list(const Domain& domain) const;
    /// By id or login; throws 404/132.
    Member member(const Domain& domain, const std::string& id) const;
    /// Adds, changes and removes; the members that were given a role. 404/132 for accounts that do
    /// not exist; 422/222 for what may not be: the owner, one that is twice there, removing nobody.
    std::vector<Member> change(const Principal& who, const Domain& domain,
                               const std::vector<MemberChange>& changes);
    /// Everybody but the owner goes.
    void reset(const Principal& who, const Domain& domain);
    /// 422 for the owner, who cannot leave.
    void leave(const Principal& who, const Domain& domain);

    /// After a crash, and when a key changes: who may log in to the domain's gears, written again.
    OperationPlan plan_distribution(const DomainId& domain, const UserId& user) const;

private:
    using Roles = std::vector<std::pair<UserId, Role>>;
    void run(const Principal& who, const Domain& domain, const Roles& after);

    Core& core_;
};

/// Writes the keys of everybody who may log in to the gears of the domain. Takes the applications'
/// locks.
void distribute_keys(Core& core, const DomainId& domain);

}  // namespace gearbox
