// Members and teams as the contract shows them (13).
#include "rest/links.h"
#include "rest/present.h"

namespace gearbox::rest {

namespace {

Json member_json(const Member& member) {
    const bool is_owner = member.role == Role::owner;
    const auto own = is_owner ? std::optional(Role::admin) : member.own;
    Json from = Json::array();
    for (const auto& [team, role] : member.through) {
        from.push_back({{"type", "team"}, {"id", team.text()}, {"role", name_of(role)}});
    }
    return {{"id", member.id()},
            {"type", member.team ? "team" : "user"},
            {"login", member.team ? Json(nullptr) : Json(member.name())},
            {"name", member.team ? Json(member.name()) : Json(nullptr)},
            {"role", name_of(is_owner ? Role::admin : member.role)},
            {"explicit_role", own ? Json(name_of(*own)) : Json(nullptr)},
            {"from", std::move(from)},
            {"owner", is_owner}};
}

// With the links that change it, below the list that it is an entry of.
Json present_listed(const Member& member, const std::string& list, const Json& roles,
                    const View& view) {
    Json out = member_json(member);
    if (member.own) {
        const std::string href = str(list, "/", member.id());
        Links(view)
            .add("GET", "Get member", "GET", href)
            .add("UPDATE", "Update member", "PUT", href,
                 {{"role", "string", "New role for member", roles}})
            .add("DELETE", "Delete member", "DELETE", href)
            .put_into(out);
    }
    return out;
}

}  // namespace

Json present_member(const Member& member, const Domain& domain, const View& view) {
    return present_listed(member, str("domain/", domain.name.text(), "/member"),
                          Json::array({"view", "edit", "admin"}), view);
}

Json present_member(const Member& member, const Team& team, const View& view) {
    return present_listed(member, str("team/", team.id.text(), "/member"), Json::array({"view"}),
                          view);
}

Json present_inherited_member(const Member& member, const Application& application) {
    Json out = member_json(member);
    if (member.role != Role::owner) {
        if (member.own) {
            out["from"].push_back({{"type", "domain"},
                                   {"id", application.domain.text()},
                                   {"role", name_of(*member.own)}});
        }
        out["explicit_role"] = nullptr;
    }
    return out;
}

Json present_team(const Team& team, const std::optional<std::vector<Member>>& members,
                  const View& view) {
    Json list = nullptr;
    if (members) {
        list = Json::array();
        for (const Member& member : *members) {
            list.push_back(present_member(member, team, view));
        }
    }
    const std::string href = "team/" + team.id.text();
    Json out = {{"id", team.id.text()}, {"name", team.name.text()}, {"global", false},
                {"maps_to", nullptr},   {"members", std::move(list)}};
    Links(view)
        .add("GET", "Get team", "GET", href)
        .add("ADD_MEMBER", "Add a member to this team", "POST", href + "/members",
             {{"role", "string", "The role the user should have on the team", Json::array({"view"})}},
             {{"id", "string", "Unique identifier of the user"},
              {"login", "string", "The user's login attribute"}})
        .add("LIST_MEMBERS", "List members of this team", "GET", href + "/members")
        .add("UPDATE_MEMBERS", "Add or remove one or more members of this team", "PATCH",
             href + "/members",
             {{"role", "string", "The role the user should have on the team",
               Json::array({"view", "none"})}},
             {{"id", "string", "Unique identifier of the user"},
              {"login", "string", "The user's login attribute"},
              {"members", "array", "An array of users with their roles. e.g. {'members': [{'login':"
                                   " 'foo', 'type': 'user', 'role': 'view'}]}"}})
        .add("LEAVE", "Leave this team", "DELETE", href + "/members/self")
        .add("DELETE", "Delete team", "DELETE", href)
        .put_into(out);
    return out;
}

}  // namespace gearbox::rest
