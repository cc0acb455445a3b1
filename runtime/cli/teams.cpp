// team create, list, show, delete, leave.
#include "cli/teams.h"

#include "base/percent.h"
#include "cli/target.h"

#include <memory>

namespace gearbox::cli {

namespace {

// Whether a server has them is told by its links.
Reply get_teams(Session& session, const std::string& query) {
    if (!session.broker().get("/api").data.contains("LIST_TEAMS")) {
        throw ExitError(exit_status::no_teams, "this server does not offer teams");
    }
    return session.broker().get("/teams?include=members" + query);
}

}  // namespace

Json find_team(Session& session, const std::string& word) {
    for (const Json& team : get_teams(session, "").data) {
        if (take<std::string>(team, "id") == word || take<std::string>(team, "name") == word) {
            return team;
        }
    }
    throw ExitError(exit_status::no_team, str("you are in no team '", word, "'; see 'gearbox team list'"));
}

std::string team_path(Session& session, const std::string& word) {
    return "/team/" + percent_encode(take<std::string>(find_team(session, word), "id"));
}

namespace {

std::shared_ptr<std::string> add_team(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "the team's name or id")->required();
    return name;
}

std::string owner_of(const Json& team) {
    for (const Json& member : team.value("members", Json::array())) {
        if (find<bool>(member, "owner").value_or(false)) {
            return find<std::string>(member, "login").value_or("-");
        }
    }
    return "-";
}

}  // namespace

Runner declare_team_create(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "from 2 to 250 characters")->required();
    return [name](Session& session) {
        const Reply reply = session.broker().post("/teams", {{"name", *name}});
        return finish(session, reply,
                      str("team '", *name, "' made; add people with 'gearbox member add LOGIN -t ", *name, "'"));
    };
}

Runner declare_team_list(CLI::App& parser) {
    const auto mine = std::make_shared<bool>(false);
    parser.add_flag("--mine", *mine, "only those that you own");
    return [mine](Session& session) {
        const Json teams = get_teams(session, *mine ? "&owner=@self" : "").data;
        if (session.print_json(teams)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& team : teams) {
            rows.push_back({take<std::string>(team, "name"), owner_of(team),
                            std::to_string(team.value("members", Json::array()).size()),
                            take<std::string>(team, "id")});
        }
        session.terminal().table({"TEAM", "OWNER", "MEMBERS", "ID"}, rows);
        return 0;
    };
}

Runner declare_team_show(CLI::App& parser) {
    const auto name = add_team(parser);
    return [name](Session& session) {
        const Json team = find_team(session, *name);
        if (session.print_json(team)) {
            return 0;
        }
        session.terminal().line(str("team ", take<std::string>(team, "name"), ", owned by ", owner_of(team),
                                    ", id ", take<std::string>(team, "id")));
        for (const Json& member : team.value("members", Json::array())) {
            session.terminal().line("  " + find<std::string>(member, "login").value_or("-"));
        }
        return 0;
    };
}

Runner declare_team_delete(CLI::App& parser) {
    const auto name = add_team(parser);
    return [name](Session& session) {
        return finish(session, session.broker().remove(team_path(session, *name)),
                      str("team '", *name, "' deleted"));
    };
}

Runner declare_team_leave(CLI::App& parser) {
    const auto name = add_team(parser);
    return [name](Session& session) {
        return finish(session, session.broker().remove(team_path(session, *name) + "/members/self"),
                      str("you are no longer in team '", *name, "'"));
    };
}

}  // namespace gearbox::cli
