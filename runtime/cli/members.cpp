// member list, add, update, remove; domain leave.
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct Arguments {
    std::vector<std::string> logins;
    std::string domain;
    std::string role = "edit";
};

std::shared_ptr<Arguments> add_arguments(CLI::App& parser) {
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("LOGIN", arguments->logins, "accounts of this appliance")->required();
    parser.add_option("-n,--namespace", arguments->domain, "the domain (default: the one in use)");
    return arguments;
}

std::string members_path(Session& session, const std::string& domain) {
    return str("/domain/", encode_segment(session.domain(domain)), "/members");
}

int give(Session& session, const Arguments& arguments, const std::string& role, const char* done) {
    Json members = Json::array();
    for (const std::string& login : arguments.logins) {
        members.push_back({{"login", login}, {"type", "user"}, {"role", role}});
    }
    const Reply reply = session.broker().patch(members_path(session, arguments.domain),
                                               {{"members", members}});
    if (!session.print_json(reply.data)) {
        session.print_messages(reply);
        session.terminal().line(done);
    }
    return 0;
}

Runner declare_role(CLI::App& parser, const char* done) {
    const auto arguments = add_arguments(parser);
    parser.add_option("-r,--role", arguments->role, "view, edit or admin")
        ->check(CLI::IsMember({"view", "edit", "admin"}))
        ->capture_default_str();
    return [arguments, done](Session& session) {
        return give(session, *arguments, arguments->role, done);
    };
}

}  // namespace

Runner declare_member_list(CLI::App& parser) {
    const auto domain = std::make_shared<std::string>();
    parser.add_option("DOMAIN", *domain, "default: the one in use");
    return [domain](Session& session) {
        const Json members = session.broker().get(members_path(session, *domain)).data;
        if (session.print_json(members)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& member : members) {
            const bool is_owner = find<bool>(member, "owner").value_or(false);
            rows.push_back({find<std::string>(member, "login").value_or("-"),
                            take<std::string>(member, "role") + (is_owner ? " (owner)" : "")});
        }
        session.terminal().table({"LOGIN", "ROLE"}, rows);
        return 0;
    };
}

Runner declare_member_add(CLI::App& parser) { return declare_role(parser, "added"); }
Runner declare_member_update(CLI::App& parser) { return declare_role(parser, "updated"); }

Runner declare_member_remove(CLI::App& parser) {
    const auto arguments = add_arguments(parser);
    return [arguments](Session& session) { return give(session, *arguments, "none", "removed"); };
}

Runner declare_domain_leave(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name)->required();
    return [name](Session& session) {
        const Reply reply =
            session.broker().remove(str("/domain/", encode_segment(*name), "/members/self"));
        if (!session.print_json(reply.data)) {
            session.terminal().line(str("you are no longer a member of '", *name, "'"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
