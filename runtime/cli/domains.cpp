// domain create, list, show, configure, rename, delete.
#include "base/percent.h"
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

Runner declare_domain_create(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "letters and digits, at most 16; part of every URL")->required();
    return [name](Session& session) {
        const Reply reply = session.broker().post("/domains", {{"name", *name}});
        if (session.config().domain.empty()) {
            Config config = session.config();
            config.domain = take<std::string>(reply.data, "name");
            session.store().save(config);
        }
        if (!session.print_json(reply.data)) {
            session.print_messages(reply);
            session.terminal().line(str("domain '", take<std::string>(reply.data, "name"), "' created"));
        }
        return 0;
    };
}

Runner declare_domain_list(CLI::App& parser) {
    const auto mine = std::make_shared<bool>(false);
    parser.add_flag("--mine", *mine, "only those that you own");
    return [mine](Session& session) {
        const Json domains =
            session.broker()
                .get(str("/domains?include=application_info", *mine ? "&owner=@self" : ""))
                .data;
        if (session.print_json(domains)) {
            return domains.empty() ? exit_status::error : 0;
        }
        if (domains.empty()) {
            session.terminal().note("no domains yet; make one with 'gearbox domain create NAME'");
            return exit_status::error;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& domain : domains) {
            const auto count = find<std::int64_t>(domain, "application_count");
            rows.push_back({take<std::string>(domain, "name"),
                            count ? std::to_string(*count) : "-",
                            find<std::string>(domain, "creation_time").value_or("-")});
        }
        session.terminal().table({"DOMAIN", "APPLICATIONS", "CREATED"}, rows);
        return 0;
    };
}

Runner declare_domain_show(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "default: the one in use");
    return [name](Session& session) {
        const std::string domain = session.domain(*name);
        Json shown = session.broker().get("/domain/" + percent_encode(domain)).data;
        const Json applications =
            session.broker().get(str("/domain/", percent_encode(domain), "/applications")).data;
        shown["applications"] = applications;
        if (session.print_json(shown)) {
            return 0;
        }
        Terminal& terminal = session.terminal();
        terminal.line(str("domain ", take<std::string>(shown, "name"), ", suffix ",
                          find<std::string>(shown, "suffix").value_or("?")));
        for (const Json& application : applications) {
            terminal.line(str("  ", take<std::string>(application, "name"), "  ",
                              url_of(application, session.config())));
        }
        return 0;
    };
}

Runner declare_domain_configure(CLI::App& parser) {
    struct Arguments {
        std::string name;
        std::vector<std::string> sizes;
        bool none = false;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("NAME", arguments->name, "default: the one in use");
    auto* sizes = parser.add_option("--allowed-gear-sizes", arguments->sizes, "sizes, separated by commas")
                      ->delimiter(',');
    parser.add_flag("--no-allowed-gear-sizes", arguments->none, "no new gears at all")->excludes(sizes);
    return [arguments](Session& session) {
        const std::string path = "/domain/" + percent_encode(session.domain(arguments->name));
        const bool is_change = arguments->none || !arguments->sizes.empty();
        const Json domain =
            is_change
                ? session.broker().put(path, {{"allowed_gear_sizes", arguments->sizes}}).data
                : session.broker().get(path).data;
        if (!session.print_json(domain)) {
            session.terminal().line(
                str("allowed gear sizes: ", to_text(domain.value("allowed_gear_sizes", Json::array()))));
        }
        return 0;
    };
}

Runner declare_domain_rename(CLI::App& parser) {
    struct Arguments {
        std::string name;
        std::string to;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("NAME", arguments->name)->required();
    parser.add_option("NEW_NAME", arguments->to)->required();
    return [arguments](Session& session) {
        const Reply reply = session.broker().put("/domain/" + percent_encode(arguments->name),
                                                 {{"name", arguments->to}});
        if (session.config().domain == arguments->name) {
            Config config = session.config();
            config.domain = take<std::string>(reply.data, "name");
            session.store().save(config);
        }
        if (!session.print_json(reply.data)) {
            session.terminal().line(str("domain '", arguments->name, "' is '", arguments->to, "' now"));
        }
        return 0;
    };
}

Runner declare_domain_delete(CLI::App& parser) {
    struct Arguments {
        std::string name;
        bool force = false;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("NAME", arguments->name)->required();
    parser.add_flag("--force", arguments->force, "delete its applications with it");
    return [arguments](Session& session) {
        const Reply reply = session.broker().remove("/domain/" + percent_encode(arguments->name),
                                                    {{"force", arguments->force}});
        if (session.config().domain == arguments->name) {
            Config config = session.config();
            config.domain.clear();
            session.store().save(config);
        }
        if (!session.print_json(reply.data)) {
            session.print_messages(reply);
            session.terminal().line(str("domain '", arguments->name, "' deleted"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
