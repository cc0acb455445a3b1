// member list, add, update, remove; domain leave.
#include "base/percent.h"
#include "cli/command.h"
#include "cli/teams.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct MemberArguments {
    std::vector<std::string> names;
    std::string domain;
    std::string team;
    std::string type = "user";
    std::string role;
    bool by_id = false;
    bool all = false;
};

std::shared_ptr<MemberArguments> add_place(CLI::App& parser) {
    const auto arguments = std::make_shared<MemberArguments>();
    auto* domain = parser.add_option("-n,--namespace", arguments->domain,
                                     "the domain (default: the one in use)");
    parser.add_option("-t,--team-name", arguments->team, "the team instead of a domain")->excludes(domain);
    return arguments;
}

std::shared_ptr<MemberArguments> add_member_arguments(CLI::App& parser, bool is_required) {
    const auto arguments = add_place(parser);
    auto* names = parser.add_option("NAME", arguments->names, "logins of this appliance, or teams with --type team");
    names->required(is_required);
    parser.add_option("--type", arguments->type, "user or team")
        ->check(CLI::IsMember({"user", "team"}))
        ->capture_default_str();
    parser.add_flag("--ids", arguments->by_id, "NAME is an id");
    return arguments;
}

std::string members_path(Session& session, const MemberArguments& arguments) {
    return arguments.team.empty()
               ? str("/domain/", percent_encode(session.domain(arguments.domain)), "/members")
               : team_path(session, arguments.team) + "/members";
}

// A team that is a member, which need not be one of the caller's; else one of theirs.
std::string team_id(Session& session, const MemberArguments& arguments, const std::string& name) {
    for (const Json& member : session.broker().get(members_path(session, arguments)).data) {
        if (find<std::string>(member, "type") == "team" && find<std::string>(member, "name") == name) {
            return take<std::string>(member, "id");
        }
    }
    return take<std::string>(find_team(session, name), "id");
}

Json entry_of(Session& session, const MemberArguments& arguments, const std::string& name,
              const std::string& role) {
    Json entry = {{"type", arguments.type}, {"role", role}};
    if (arguments.by_id) {
        entry["id"] = name;
    } else if (arguments.type == "team") {
        entry["id"] = team_id(session, arguments, name);
    } else {
        entry["login"] = name;
    }
    return entry;
}

int give(Session& session, const MemberArguments& arguments, const std::string& role, const char* done) {
    Json members = Json::array();
    for (const std::string& name : arguments.names) {
        members.push_back(entry_of(session, arguments, name, role));
    }
    const Reply reply =
        session.broker().patch(members_path(session, arguments), {{"members", members}});
    if (!session.print_json(reply.data)) {
        session.print_messages(reply);
        session.terminal().line(done);
    }
    return 0;
}

Runner declare_role(CLI::App& parser, const char* done) {
    const auto arguments = add_member_arguments(parser, true);
    parser
        .add_option("-r,--role", arguments->role,
                    "view, edit or admin (default: edit in domains, view in teams)")
        ->check(CLI::IsMember({"view", "edit", "admin"}));
    return [arguments, done](Session& session) {
        const std::string usual = arguments->team.empty() ? "edit" : "view";
        return give(session, *arguments, arguments->role.empty() ? usual : arguments->role, done);
    };
}

// Teams that give the member a role.
std::string teams_of(const Json& members, const Json& member) {
    std::string out;
    for (const Json& source : member.value("from", Json::array())) {
        for (const Json& team : members) {
            if (find<std::string>(source, "type") == "team" &&
                find<std::string>(team, "id") == find<std::string>(source, "id")) {
                out += (out.empty() ? "" : ", ") + find<std::string>(team, "name").value_or("-");
            }
        }
    }
    return out;
}

}  // namespace

Runner declare_member_list(CLI::App& parser) {
    const auto arguments = add_place(parser);
    parser.add_option("DOMAIN", arguments->domain, "as -n");
    return [arguments](Session& session) {
        const Json members = session.broker().get(members_path(session, *arguments)).data;
        if (session.print_json(members)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& member : members) {
            const bool is_owner = find<bool>(member, "owner").value_or(false);
            const std::string teams = teams_of(members, member);
            const auto login = find<std::string>(member, "login");
            rows.push_back({login ? *login : find<std::string>(member, "name").value_or("-"),
                            take<std::string>(member, "role") +
                                (is_owner ? " (owner)" : teams.empty() ? "" : " (by " + teams + ")"),
                            find<std::string>(member, "type").value_or("user")});
        }
        session.terminal().table({"NAME", "ROLE", "TYPE"}, rows);
        return 0;
    };
}

Runner declare_member_add(CLI::App& parser) { return declare_role(parser, "added"); }
Runner declare_member_update(CLI::App& parser) { return declare_role(parser, "updated"); }

Runner declare_member_remove(CLI::App& parser) {
    const auto arguments = add_member_arguments(parser, false);
    parser.add_flag("--all", arguments->all, "everybody but the owner");
    return [arguments](Session& session) {
        if (!arguments->all && arguments->names.empty()) {
            fail(ErrorKind::invalid, "name the members to remove, or give --all");
        }
        if (!arguments->all) {
            return give(session, *arguments, "none", "removed");
        }
        const Reply reply = session.broker().remove(members_path(session, *arguments));
        if (!session.print_json(reply.data)) {
            session.terminal().line("removed");
        }
        return 0;
    };
}

Runner declare_domain_leave(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name)->required();
    return [name](Session& session) {
        const Reply reply =
            session.broker().remove(str("/domain/", percent_encode(*name), "/members/self"));
        if (!session.print_json(reply.data)) {
            session.terminal().line(str("you are no longer a member of '", *name, "'"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
