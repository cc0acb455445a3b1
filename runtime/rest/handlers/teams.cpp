#include "rest/handlers/handlers.h"

#include "rest/params.h"
#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

Team team_of(const Call& call) { return call.broker.teams.team(call.who, call.part("team")); }

Json present_all(const Call& call, const Team& team) {
    Json list = Json::array();
    for (const Member& member : call.broker.teams.members(team)) {
        list.push_back(present_member(member, team, call.view));
    }
    return list;
}

Reply reply_for(const Call& call, const Team& team, const std::vector<Member>& given) {
    // One is shown as itself, several as a list.
    std::string text = str("Updated members of team ", team.name.text());
    if (given.size() == 1) {
        return {200, "member", present_member(given.front(), team, call.view),
                {{"info", std::move(text)}}, {}};
    }
    return {200, "members", present_all(call, team), {{"info", std::move(text)}}, {}};
}

// "search" needs "global", as with the original: whose teams are meant is never a guess.
std::vector<Team> find_teams(const Call& call) {
    Problems problems;
    Fields fields(call.params, problems);
    const auto owner = fields.text("owner", exit_code::unspecified);
    const auto search = fields.text("search", exit_code::unspecified);
    const auto is_global = fields.boolean("global");
    if (owner && *owner != "@self") {
        problems.add("Only @self is supported for the 'owner' argument.", exit_code::unspecified,
                     "owner");
    }
    if (search && search->size() < 2) {
        problems.add("Search string must be at least 2 characters", exit_code::unspecified, "search");
    } else if (search && !is_global && problems.empty()) {
        problems.add("The parameter 'global' is needed to search: true or false",
                     exit_code::unspecified, "global");
    }
    problems.check();
    if (search) {
        // Global teams come from a directory service; this host has none.
        return *is_global ? std::vector<Team>() : call.broker.teams.search(call.who, *search);
    }
    return owner ? call.broker.teams.own(call.who) : call.broker.teams.list(call.who);
}

}  // namespace

Reply list_teams(const Call& call) {
    Json list = Json::array();
    for (const Team& team : find_teams(call)) {
        const auto members = call.includes("members")
                                 ? std::optional(call.broker.teams.members(team))
                                 : std::nullopt;
        list.push_back(present_team(team, members, call.view));
    }
    return {200, "teams", std::move(list), {}, {}};
}

Reply add_team(const Call& call) {
    Problems problems;
    const auto name = Fields(call.params, problems).text("name", exit_code::team);
    problems.check();
    const Team team = call.broker.teams.create(call.who, name.value_or(""));
    return {201, "team", present_team(team, call.broker.teams.members(team), call.view),
            {{"info", str("Added ", team.name.text())}}, {}};
}

Reply show_team(const Call& call) {
    const Team team = team_of(call);
    return {200, "team", present_team(team, call.broker.teams.members(team), call.view), {}, {}};
}

Reply delete_team(const Call& call) {
    const Team team = team_of(call);
    call.broker.teams.remove(call.who, team);
    return {200, "", nullptr, {{"info", str("Deleted team ", team.name.text())}}, {}};
}

Reply list_team_members(const Call& call) {
    return {200, "members", present_all(call, team_of(call)), {}, {}};
}

Reply show_team_member(const Call& call) {
    const Team team = team_of(call);
    const Member member = call.broker.teams.member(team, call.part("member"));
    return {200, "member", present_member(member, team, call.view), {}, {}};
}

Reply change_team_members(const Call& call) {
    const Team team = team_of(call);
    Problems problems;
    const auto changes = parse_member_changes(call.params, problems, "view");
    problems.check();
    return reply_for(call, team, call.broker.teams.change(call.who, team, changes));
}

Reply update_team_member(const Call& call) {
    const Team team = team_of(call);
    const Member member = call.broker.teams.member(team, call.part("member"));
    Problems problems;
    const auto role = parse_member_role(call.params, problems);
    problems.check();
    return reply_for(call, team, call.broker.teams.change(call.who, team, {{"", member.id(), role}}));
}

Reply remove_team_member(const Call& call) {
    const Team team = team_of(call);
    const Member member = call.broker.teams.member(team, call.part("member"));
    call.broker.teams.change(call.who, team, {{"", member.id(), std::nullopt}});
    return {200, "", nullptr,
            {{"info", str("Removed member ", member.name(), " from team ", team.name.text())}}, {}};
}

Reply reset_team_members(const Call& call) {
    const Team team = team_of(call);
    if (call.params.contains("members")) {
        Problems problems;
        auto changes = parse_member_changes(call.params, problems, "none");
        problems.check();
        for (MemberChange& change : changes) {
            change.role = std::nullopt;
        }
        call.broker.teams.change(call.who, team, changes);
    } else {
        call.broker.teams.reset(call.who, team);
    }
    return {200, "members", present_all(call, team),
            {{"info", str("Removed members of team ", team.name.text())}}, {}};
}

Reply leave_team(const Call& call) {
    const Team team = team_of(call);
    call.broker.teams.leave(call.who, team);
    return {200, "", nullptr,
            {{"info", str("You are no longer a member of team ", team.name.text())}}, {}};
}

}  // namespace gearbox::rest::handlers
