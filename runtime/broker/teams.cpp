#include "broker/teams.h"

#include "base/log.h"
#include "broker/access_change.h"
#include "broker/problems.h"

#include <algorithm>
#include <set>

namespace gearbox {

std::vector<Team> TeamService::list(const Principal& who) const {
    return core_.store.teams_of_member(who.user.id);
}

std::vector<Team> TeamService::own(const Principal& who) const {
    return core_.store.teams_of_owner(who.user.id);
}

std::vector<Team> TeamService::search(const Principal& who, const std::string& text) const {
    std::vector<Team> out = list(who);
    std::erase_if(out, [wanted = to_lower(text)](const Team& team) {
        return to_lower(team.name.text()).find(wanted) == std::string::npos;
    });
    return out;
}

Team TeamService::team(const Principal& who, const std::string& id) const {
    return find_team(core_.store, who.user.id, id);
}

Team TeamService::create(const Principal& who, const std::string& name) {
    const auto parsed = TeamName::parse(name);
    if (!parsed) {
        refuse(ErrorKind::invalid,
               name.empty() ? "Name is required and cannot be blank"
                            : "A team's name has from 2 to 250 characters",
               exit_code::team, "name");
    }
    const auto lock = core_.domain_locks.lock("teams");
    const auto own = this->own(who);
    if (static_cast<std::int64_t>(own.size()) >= who.user.max_teams) {
        refuse(ErrorKind::forbidden,
               str("You may not have more than ", who.user.max_teams,
                   " teams. An operator can raise it: gearbox admin user set --max-teams"),
               exit_code::team_limit);
    }
    if (std::any_of(own.begin(), own.end(), [&](const Team& t) { return t.name == *parsed; })) {
        refuse(ErrorKind::invalid,
               str("Team name '", shown(name), "' is already in use. Please choose another."),
               exit_code::team, "name");
    }
    const Team team{TeamId(core_.ids()), *parsed, who.user.id, core_.clock.now()};
    core_.store.insert_team(team);
    log::info("team created", log::field("team", team.id.text()),
              log::field("login", who.user.login.text()));
    return team;
}

void TeamService::remove(const Principal& who, const Team& team) {
    const auto lock = core_.domain_locks.lock("teams");
    StateStore& store = core_.store;
    const auto domains = store.domains_of_team(team.id);
    const auto members = store.team_members(team.id);
    // To put it back is to put it back into its domains.
    std::vector<std::pair<DomainId, DomainMembers>> before;
    for (const DomainId& domain : domains) {
        before.emplace_back(domain, store.members(domain));
    }
    change_access(core_, who,
                  {"update-team", team.id.text(),
                   {"record", "Forget the team", [&store, team] { store.remove_team(team.id); },
                    [&store, team, members, before] {
                        store.insert_team(team);
                        store.set_team_members(team.id, members);
                        for (const auto& [domain, roles] : before) {
                            store.set_members(domain, roles);
                        }
                    }},
                   [&store, domains] { return applications_of(store, domains); }});
    log::info("team deleted", log::field("team", team.id.text()));
}

std::vector<Member> TeamService::members(const Team& team) const {
    std::vector<Member> out;
    for (const UserId& id : core_.store.team_members(team.id)) {
        if (auto user = core_.store.find_user(id)) {
            out.push_back({.user = std::move(*user), .role = Role::view, .own = Role::view});
        }
    }
    std::sort(out.begin(), out.end(),
              [](const Member& a, const Member& b) { return a.name() < b.name(); });
    if (auto owner = core_.store.find_user(team.owner)) {
        out.insert(out.begin(), {.user = std::move(*owner), .role = Role::owner});
    }
    return out;
}

Member TeamService::member(const Team& team, const std::string& id) const {
    for (Member& member : members(team)) {
        if (member.id() == id || member.name() == id) {
            return std::move(member);
        }
    }
    refuse(ErrorKind::not_found, str("There is no member '", shown(id), "' of this team"),
           exit_code::member_not_found);
}

std::vector<Member> TeamService::change(const Principal& who, const Team& team,
                                        const std::vector<MemberChange>& changes) {
    const auto lock = core_.domain_locks.lock("teams");
    std::vector<UserId> after = core_.store.team_members(team.id);
    std::set<std::string> given;
    Problems problems;
    for (const MemberChange& change : changes) {
        if (change.is_team) {
            problems.add("A team cannot be a member of a team", exit_code::members, "type");
            continue;
        }
        const User user = find_account(core_.store, change);
        const auto there = std::find(after.begin(), after.end(), user.id);
        if (user.id == team.owner) {
            problems.add("The owner is a member of the team already and cannot be changed",
                         exit_code::members, "members");
        } else if (change.role.value_or(Role::view) != Role::view) {
            problems.add(str("The role '", name_of(*change.role),
                             "' is not supported for members of a team. Valid roles: view, none"),
                         exit_code::members, "role");
        } else if (!change.role && there == after.end()) {
            problems.add(str("'", user.login.text(), "' is not a member of the team"),
                         exit_code::members, "members");
        } else if (!change.role) {
            after.erase(there);
        } else {
            if (there == after.end()) {
                after.push_back(user.id);
            }
            given.insert(user.id.text());
        }
    }
    problems.check();
    run(who, team, std::move(after));
    std::vector<Member> out = members(team);
    std::erase_if(out, [&](const Member& member) { return !given.contains(member.id()); });
    return out;
}

void TeamService::reset(const Principal& who, const Team& team) {
    const auto lock = core_.domain_locks.lock("teams");
    run(who, team, {});
}

void TeamService::leave(const Principal& who, const Team& team) {
    if (team.owner == who.user.id) {
        refuse(ErrorKind::invalid, "You are the owner of this team and cannot leave.",
               exit_code::unspecified);
    }
    const auto lock = core_.domain_locks.lock("teams");
    auto after = core_.store.team_members(team.id);
    if (std::erase(after, who.user.id) == 0) {
        refuse(ErrorKind::invalid, "You are not a member of this team.", exit_code::unspecified);
    }
    run(who, team, std::move(after));
}

void TeamService::run(const Principal& who, const Team& team, std::vector<UserId> after) {
    StateStore& store = core_.store;
    const auto before = store.team_members(team.id);
    std::sort(after.begin(), after.end());
    if (before == after) {
        return;
    }
    change_access(core_, who,
                  {"update-team", team.id.text(),
                   {"record", "Keep the members",
                    [&store, id = team.id, after] { store.set_team_members(id, after); },
                    [&store, id = team.id, before] { store.set_team_members(id, before); }},
                   [&store, id = team.id] {
                       return applications_of(store, store.domains_of_team(id));
                   }});
    log::info("team changed", log::field("team", team.id.text()),
              log::field("login", who.user.login.text()));
}

}  // namespace gearbox
