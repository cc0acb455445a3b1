// authorization list, add, delete, delete-all.
#include "base/percent.h"
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

Runner declare_authorization_list(CLI::App&) {
    return [](Session& session) {
        const Json all = session.broker().get("/user/authorizations").data;
        if (session.print_json(all)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& one : all) {
            rows.push_back({take<std::string>(one, "id"), find<std::string>(one, "scopes").value_or("-"),
                            find<std::string>(one, "note").value_or(""),
                            str(find<std::int64_t>(one, "expires_in_seconds").value_or(0) / 60, " min")});
        }
        session.terminal().table({"ID", "SCOPES", "NOTE", "EXPIRES IN"}, rows);
        return 0;
    };
}

Runner declare_authorization_add(CLI::App& parser) {
    struct Arguments {
        std::string scopes = "userinfo";
        std::string note;
        std::int64_t expires_in = 0;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("--scopes", arguments->scopes,
                      "session, read, userinfo, domain/ID/ROLE or application/ID/ROLE")
        ->capture_default_str();
    parser.add_option("--note", arguments->note, "what it is for");
    parser.add_option("--expires-in", arguments->expires_in, "seconds");
    return [arguments](Session& session) {
        Json body = {{"scope", arguments->scopes}, {"note", arguments->note}};
        if (arguments->expires_in > 0) {
            body["expires_in"] = arguments->expires_in;
        }
        const Reply reply = session.broker().post("/user/authorizations", body);
        if (!session.print_json(reply.data)) {
            session.terminal().line(take<std::string>(reply.data, "token"));
        }
        return 0;
    };
}

Runner declare_authorization_delete(CLI::App& parser) {
    const auto ids = std::make_shared<std::vector<std::string>>();
    parser.add_option("ID", *ids, "ids or tokens")->required();
    return [ids](Session& session) {
        for (const std::string& id : *ids) {
            session.broker().remove("/user/authorization/" + percent_encode(id));
        }
        if (!session.print_json(Json::object())) {
            session.terminal().line("revoked");
        }
        return 0;
    };
}

Runner declare_authorization_delete_all(CLI::App&) {
    return [](Session& session) {
        session.broker().remove("/user/authorizations");
        session.store().remove_token();
        if (!session.print_json(Json::object())) {
            session.terminal().line("every authorization is revoked, this session's too");
        }
        return 0;
    };
}

}  // namespace gearbox::cli
