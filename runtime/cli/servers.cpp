// server list, show, use, remove, status; server add is in setup.cpp.
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

namespace {

std::shared_ptr<std::string> add_server(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "as 'server list' shows it")->required();
    return name;
}

Json describe(const ServerList& servers, const std::string& name) {
    const Config config = servers.store(name).load();
    return {{"name", name},
            {"server", config.server},
            {"login", config.login},
            {"domain", config.domain},
            {"in_use", name == servers.current()}};
}

}  // namespace

Runner declare_server_list(CLI::App&) {
    return [](Session& session) {
        Json all = Json::array();
        for (const std::string& name : session.servers().names()) {
            all.push_back(describe(session.servers(), name));
        }
        if (session.print_json(all)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& server : all) {
            const auto url = take<std::string>(server, "server");
            rows.push_back({take<std::string>(server, "name") + (take<bool>(server, "in_use") ? " (in use)" : ""),
                            url.empty() ? "not set up" : url, take<std::string>(server, "login")});
        }
        session.terminal().table({"NAME", "SERVER", "LOGIN"}, rows);
        return 0;
    };
}

Runner declare_server_show(CLI::App& parser) {
    const auto name = add_server(parser);
    return [name](Session& session) {
        session.servers().check_known(*name);
        const Json server = describe(session.servers(), *name);
        if (!session.print_json(server)) {
            session.terminal().line(str(*name, ": ", take<std::string>(server, "login"), " at ",
                                        take<std::string>(server, "server"), ", domain '",
                                        take<std::string>(server, "domain"), "'"));
        }
        return 0;
    };
}

Runner declare_server_use(CLI::App& parser) {
    const auto name = add_server(parser);
    return [name](Session& session) {
        session.servers().check_known(*name);
        session.servers().use(*name);
        if (!session.print_json(describe(session.servers(), *name))) {
            session.terminal().line(str("'", *name, "' is used from now on"));
        }
        return 0;
    };
}

Runner declare_server_remove(CLI::App& parser) {
    const auto name = add_server(parser);
    return [name](Session& session) {
        session.servers().check_known(*name);
        if (*name == session.servers().current() || *name == ServerList::first) {
            fail(ErrorKind::invalid, "'", *name, "' is ",
                 *name == ServerList::first ? "the first one, which stays: 'gearbox setup' changes it"
                                            : "in use; use another one first");
        }
        session.servers().remove(*name);
        if (!session.print_json(Json::object())) {
            session.terminal().line(str("'", *name, "' is forgotten; its tokens end by themselves"));
        }
        return 0;
    };
}

Runner declare_server_status(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "as 'server list' shows it (default: the one in use)");
    return [name](Session& session) {
        if (!name->empty()) {
            session.servers().check_known(*name);
            session.use_server(*name);
        }
        const Json root = session.connect("").get("/api").data;
        const Json environment = session.connect("").get("/environment").data;
        if (!session.print_json({{"server", session.config().server}, {"environment", environment}})) {
            session.terminal().line(str(session.config().server, " answers; ", root.size(),
                                        " links, applications are below '",
                                        find<std::string>(environment, "domain_suffix").value_or("?"),
                                        "'"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
