// Members of domains, and teams, in the store.
#include "broker/store/state_store.h"

#include <algorithm>

namespace gearbox {

namespace {

std::vector<Team> read_teams(sqlite::Statement& row) {
    std::vector<Team> found;
    while (row.next()) {
        found.push_back({TeamId(row.text(0)), TeamName::parse(row.text(1)).value(),
                         UserId(row.text(2)), row.number(3)});
    }
    return found;
}

// What every query of teams selects, in the order of read_teams.
#define GEARBOX_TEAMS "SELECT id, name, owner_id, created FROM teams "

template <typename Id>
std::vector<std::pair<Id, Role>> read_roles(sqlite::Statement& row) {
    std::vector<std::pair<Id, Role>> found;
    while (row.next()) {
        found.emplace_back(Id(row.text(0)), parse_role(row.text(1)).value_or(Role::view));
    }
    return found;
}

template <typename Id>
std::vector<Id> read_ids(sqlite::Statement& row) {
    std::vector<Id> found;
    while (row.next()) {
        found.emplace_back(row.text(0));
    }
    return found;
}

}  // namespace

std::optional<Role> StateStore::find_role(const DomainId& domain, const UserId& member) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query("SELECT role FROM domain_access WHERE domain_id=? AND user_id=?",
                               domain.text(), member.text());
    std::optional<Role> highest;
    while (row->next()) {
        highest = std::max(highest, parse_role(row->text(0)));
    }
    return highest;
}

std::vector<std::pair<UserId, Role>> StateStore::people(const DomainId& domain) const {
    const std::lock_guard lock(mutex_);
    const auto rows = db_.query(
        "SELECT user_id, role FROM domain_access WHERE domain_id=? ORDER BY user_id", domain.text());
    std::vector<std::pair<UserId, Role>> found;
    for (const auto& [user, role] : read_roles<UserId>(*rows)) {
        if (!found.empty() && found.back().first == user) {
            found.back().second = std::max(found.back().second, role);
        } else {
            found.emplace_back(user, role);
        }
    }
    return found;
}

DomainMembers StateStore::members(const DomainId& domain) const {
    const std::lock_guard lock(mutex_);
    const auto users = db_.query(
        "SELECT user_id, role FROM members WHERE domain_id=? ORDER BY user_id", domain.text());
    const auto teams = db_.query(
        "SELECT team_id, role FROM domain_teams WHERE domain_id=? ORDER BY team_id", domain.text());
    return {read_roles<UserId>(*users), read_roles<TeamId>(*teams)};
}

void StateStore::set_members(const DomainId& domain, const DomainMembers& members) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    db_.run("DELETE FROM members WHERE domain_id=?", domain.text());
    db_.run("DELETE FROM domain_teams WHERE domain_id=?", domain.text());
    for (const auto& [user, role] : members.users) {
        db_.run("INSERT INTO members VALUES (?,?,?)", domain.text(), user.text(), name_of(role));
    }
    for (const auto& [team, role] : members.teams) {
        db_.run("INSERT INTO domain_teams VALUES (?,?,?)", domain.text(), team.text(), name_of(role));
    }
    transaction.commit();
}

void StateStore::insert_team(const Team& team) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT INTO teams (id, owner_id, name, created) VALUES (?,?,?,?)", team.id.text(),
            team.owner.text(), team.name.text(), team.created);
}

void StateStore::remove_team(const TeamId& team) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM teams WHERE id=?", team.text());
}

std::optional<Team> StateStore::find_team(const TeamId& team) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(GEARBOX_TEAMS "WHERE id=?", team.text());
    const auto found = read_teams(*row);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<Team> StateStore::teams_of_owner(const UserId& owner) const {
    const std::lock_guard lock(mutex_);
    return read_teams(*db_.query(GEARBOX_TEAMS "WHERE owner_id=? ORDER BY name", owner.text()));
}

std::vector<Team> StateStore::teams_of_member(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    return read_teams(*db_.query(
        GEARBOX_TEAMS "WHERE id IN (SELECT team_id FROM team_people WHERE user_id=?) ORDER BY name, id",
        user.text()));
}

std::vector<UserId> StateStore::team_members(const TeamId& team) const {
    const std::lock_guard lock(mutex_);
    return read_ids<UserId>(*db_.query(
        "SELECT user_id FROM team_members WHERE team_id=? ORDER BY user_id", team.text()));
}

void StateStore::set_team_members(const TeamId& team, const std::vector<UserId>& members) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    db_.run("DELETE FROM team_members WHERE team_id=?", team.text());
    for (const UserId& user : members) {
        db_.run("INSERT INTO team_members VALUES (?,?)", team.text(), user.text());
    }
    transaction.commit();
}

std::vector<DomainId> StateStore::domains_of_team(const TeamId& team) const {
    const std::lock_guard lock(mutex_);
    return read_ids<DomainId>(*db_.query(
        "SELECT domain_id FROM domain_teams WHERE team_id=? ORDER BY domain_id", team.text()));
}

}  // namespace gearbox
