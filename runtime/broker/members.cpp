#include "broker/members.h"

#include "base/log.h"
#include "broker/access_change.h"
#include "broker/problems.h"

#include <algorithm>
#include <map>
#include <set>

namespace gearbox {

namespace {

template <typename Id>
auto find_in(std::vector<std::pair<Id, Role>>& roles, const Id& id) {
    return std::find_if(roles.begin(), roles.end(), [&](const auto& row) { return row.first == id; });
}

// False: there was nothing to remove.
template <typename Id>
bool apply(std::vector<std::pair<Id, Role>>& roles, const Id& id, std::optional<Role> role) {
    const auto there = find_in(roles, id);
    if (!role) {
        const bool is_there = there != roles.end();
        if (is_there) {
            roles.erase(there);
        }
        return is_there;
    }
    if (there == roles.end()) {
        roles.insert(std::upper_bound(roles.begin(), roles.end(), std::pair(id, *role),
                                      [](const auto& a, const auto& b) { return a.first < b.first; }),
                     {id, *role});
    } else {
        there->second = *role;
    }
    return true;
}

}  // namespace

User find_account(const StateStore& store, const MemberChange& change) {
    const bool is_by_id = !change.id.empty();
    auto user = !is_by_id                  ? store.find_user(change.login)
                : is_object_id(change.id) ? store.find_user(UserId(change.id))
                                          : std::nullopt;
    if (!user) {
        refuse(ErrorKind::not_found,
               str("There is no account with the ", is_by_id ? "id" : "login", " '",
                   shown(is_by_id ? change.id : change.login), "'."),
               exit_code::member_not_found, is_by_id ? "id" : "login");
    }
    return std::move(*user);
}

std::vector<Member> MemberService::list(const Domain& domain) const {
    const DomainMembers given = core_.store.members(domain.id);
    std::map<std::string, Member> users;
    const auto user_of = [&](const UserId& id) -> Member* {
        const auto [place, is_new] = users.try_emplace(id.text());
        if (is_new) {
            if (auto user = core_.store.find_user(id)) {
                place->second.user = std::move(*user);
            } else {
                users.erase(place);
                return nullptr;
            }
        }
        return &place->second;
    };
    for (const auto& [id, role] : given.users) {
        if (Member* member = user_of(id)) {
            member->role = role;
            member->own = role;
        }
    }
    std::vector<Member> others;
    for (const auto& [id, role] : given.teams) {
        const auto team = core_.store.find_team(id);
        if (!team) {
            continue;
        }
        others.push_back({.team = team, .role = role, .own = role});
        auto people = core_.store.team_members(id);
        people.push_back(team->owner);
        for (const UserId& person : people) {
            Member* member = person == domain.owner ? nullptr : user_of(person);
            if (member != nullptr) {
                member->role = std::max(member->role, role);
                member->through.emplace_back(id, role);
            }
        }
    }
    for (auto& [id, member] : users) {
        others.push_back(std::move(member));
    }
    std::sort(others.begin(), others.end(), [](const Member& a, const Member& b) {
        return std::pair(!a.team, a.name()) < std::pair(!b.team, b.name());
    });
    std::vector<Member> out;
    if (auto owner = core_.store.find_user(domain.owner)) {
        out.push_back({.user = std::move(*owner), .role = Role::owner});
    }
    out.insert(out.end(), std::make_move_iterator(others.begin()),
               std::make_move_iterator(others.end()));
    return out;
}

Member MemberService::member(const Domain& domain, const std::string& id) const {
    for (Member& member : list(domain)) {
        if (member.id() == id || (!member.team && member.name() == id)) {
            return std::move(member);
        }
    }
    refuse(ErrorKind::not_found, str("There is no member '", shown(id), "' of this domain"),
           exit_code::member_not_found);
}

std::vector<Member> MemberService::change(const Principal& who, const Domain& domain,
                                          const std::vector<MemberChange>& changes) {
    const auto lock = core_.domain_locks.lock(domain.name.text());
    const auto teams_lock = core_.domain_locks.lock("teams");
    DomainMembers after = core_.store.members(domain.id);
    std::set<std::string> seen;
    std::set<std::string> given;
    Problems problems;
    for (const MemberChange& change : changes) {
        const std::string& word = change.id.empty() ? change.login : change.id;
        bool is_done = false;
        std::string id;
        if (change.is_team) {
            const Team team = find_team(core_.store, who.user.id, change.id);
            id = team.id.text();
            is_done = apply(after.teams, team.id, change.role);
        } else {
            const User user = find_account(core_.store, change);
            id = user.id.text();
            if (user.id == domain.owner) {
                problems.add("The owner of the domain has every right already and cannot be changed",
                             exit_code::members, "members");
                continue;
            }
            is_done = apply(after.users, user.id, change.role);
        }
        if (!seen.insert(id).second) {
            problems.add(str("The member '", shown(word), "' is given twice"), exit_code::members,
                         "members");
        } else if (!is_done) {
            problems.add(str("'", shown(word), "' is not a member of the domain"),
                         exit_code::members, "members");
        } else if (change.role) {
            given.insert(id);
        }
    }
    problems.check();
    run(who, domain, after);
    std::vector<Member> out = list(domain);
    std::erase_if(out, [&](const Member& member) { return !given.contains(member.id()); });
    return out;
}

void MemberService::reset(const Principal& who, const Domain& domain) {
    const auto lock = core_.domain_locks.lock(domain.name.text());
    run(who, domain, {});
}

void MemberService::leave(const Principal& who, const Domain& domain) {
    if (domain.owner == who.user.id) {
        refuse(ErrorKind::invalid, "You are the owner of this domain and cannot leave.",
               exit_code::unspecified);
    }
    const auto lock = core_.domain_locks.lock(domain.name.text());
    DomainMembers after = core_.store.members(domain.id);
    if (!apply(after.users, who.user.id, std::nullopt)) {
        refuse(ErrorKind::invalid, "You are a member of this domain by a team: leave the team.",
               exit_code::unspecified);
    }
    run(who, domain, after);
}

void MemberService::run(const Principal& who, const Domain& domain, const DomainMembers& after) {
    const DomainMembers before = core_.store.members(domain.id);
    if (before == after) {
        return;
    }
    StateStore& store = core_.store;
    change_access(core_, who,
                  {"update-members", domain.id.text(),
                   {"record", "Keep the members",
                    [&store, id = domain.id, after] { store.set_members(id, after); },
                    [&store, id = domain.id, before] { store.set_members(id, before); }},
                   [&store, id = domain.id] { return store.applications(id); }});
    log::info("members changed", log::field("domain", domain.name.text()),
              log::field("login", who.user.login.text()));
}

}  // namespace gearbox
