// app show, list, delete and the events.
#include "cli/applications.h"

#include "base/percent.h"
#include "cli/target.h"

#include <memory>

namespace gearbox::cli {

namespace {

std::shared_ptr<Target> add_target(CLI::App& parser) {
    const auto target = std::make_shared<Target>();
    cli::add_target(parser, *target);
    return target;
}

// Every gear of the application.
std::vector<Json> gears_of(Session& session, const Json& application) {
    std::vector<Json> out;
    for (const Json& group : session.broker().get(path_of(application) + "/gear_groups").data) {
        for (const Json& gear : group.value("gears", Json::array())) {
            out.push_back(gear);
        }
    }
    return out;
}

std::string state_of(const std::vector<Json>& gears) {
    std::string out;
    for (const Json& gear : gears) {
        out += (out.empty() ? "" : ", ") + find<std::string>(gear, "state").value_or("unknown");
    }
    return out.empty() ? "unknown" : out;
}

// What the platform had to do for it; servers other than ours tell nothing.
void print_health(Session& session, const std::vector<Json>& gears) {
    for (const Json& gear : gears) {
        if (const auto kills = find<std::int64_t>(gear, "oom_kills").value_or(0); kills > 0) {
            session.terminal().line(str("  ! ", kills, " of its processes ran out of memory and were killed"));
        }
        if (const auto restarts = find<std::int64_t>(gear, "service_restarts").value_or(0); restarts > 0) {
            session.terminal().line(str("  ! services ended by themselves and were started again, ", restarts, restarts == 1 ? " time" : " times"));
        }
        if (find<bool>(gear, "has_given_up").value_or(false)) {
            session.terminal().line("  ! a service ends again and again and is left alone; see 'gearbox tail'");
        }
    }
}

Runner declare_event(CLI::App& parser, const char* event, const char* done) {
    const auto target = add_target(parser);
    return [target, event, done](Session& session) {
        const Json application = session.application(target->name, target->domain);
        const Reply reply =
            session.broker().post(path_of(application) + "/events", {{"event", event}});
        return finish(session, reply, str("'", target->name, "' ", done));
    };
}

}  // namespace

Json with_addresses(const Session& session, Json application) {
    application["url"] = url_of(application, session.config());
    application["clone_url"] = git_url(application, session.config());
    application["ssh_target"] = ssh_target(application, session.config());
    return application;
}

void print_application(Session& session, const Json& application) {
    Terminal& terminal = session.terminal();
    const Config& config = session.config();
    terminal.line(str("  URL      ", url_of(application, config)));
    terminal.line(str("  git URL  ", git_url(application, config)));
    terminal.line(str("  ssh      ", ssh_target(application, config),
                      config.ssh_port == 22 ? "" : str(" port ", config.ssh_port)));
    for (const Json& cartridge : application.value("cartridges", Json::array())) {
        if (!cartridge.is_object()) {
            continue;
        }
        terminal.line("  " + take<std::string>(cartridge, "name"));
        for (const Json& property : cartridge.value("properties", Json::array())) {
            // Those without a value are announced only.
            if (const auto value = find<std::string>(property, "value")) {
                terminal.line(str("    ", find<std::string>(property, "name").value_or("?"), " = ", *value));
            }
        }
    }
}

namespace {

int show_gears(Session& session, const Json& application, const std::string& what) {
    if (what == "quota") {
        return run_in_gears(session, application, {"quota"});
    }
    const Json groups = session.broker().get(path_of(application) + "/gear_groups").data;
    if (session.print_json(groups)) {
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const Json& group : groups) {
        std::string cartridges;
        for (const Json& cartridge : group.value("cartridges", Json::array())) {
            cartridges += (cartridges.empty() ? "" : " ") + find<std::string>(cartridge, "name").value_or("-");
        }
        for (const Json& gear : group.value("gears", Json::array())) {
            if (what == "ssh") {
                session.terminal().line(find<std::string>(gear, "ssh_url").value_or("-"));
                continue;
            }
            rows.push_back({find<std::string>(gear, "id").value_or("-"),
                            find<std::string>(gear, "state").value_or("unknown"), cartridges,
                            find<std::string>(group, "gear_profile").value_or("-"),
                            find<std::string>(gear, "ssh_url").value_or("-")});
        }
    }
    if (what != "ssh") {
        session.terminal().table({"ID", "STATE", "CARTRIDGES", "SIZE", "SSH URL"}, rows);
    }
    return 0;
}

int show_configuration(Session& session, const Json& application) {
    Json shown = Json::object();
    for (const char* name : {"deployment_type", "keep_deployments", "auto_deploy", "deployment_branch",
                             "initial_git_url", "gear_profile", "scalable"}) {
        shown[name] = application.value(name, Json(nullptr));
    }
    if (!session.print_json(shown)) {
        print_fields(session, shown);
    }
    return 0;
}

}  // namespace

Runner declare_app_show(CLI::App& parser) {
    struct Parts {
        std::string gears;
        bool state = false;
        bool configuration = false;
    };
    const auto target = add_target(parser);
    const auto parts = std::make_shared<Parts>();
    parser.add_option("--gears", parts->gears, "only its gears: all of them, or their quota or ssh address")
        ->expected(0, 1)
        ->default_str("all")
        ->check(CLI::IsMember({"all", "quota", "ssh"}));
    parser.add_flag("--state", parts->state, "only the state");
    parser.add_flag("--configuration", parts->configuration, "only how it is deployed");
    return [target, parts](Session& session) {
        Json application = session.application(target->name, target->domain);
        if (!parts->gears.empty()) {
            return show_gears(session, application, parts->gears);
        }
        if (parts->configuration) {
            return show_configuration(session, application);
        }
        const std::vector<Json> gears = gears_of(session, application);
        const std::string state = state_of(gears);
        if (parts->state && !session.wants_json()) {
            session.terminal().line(state);
            return 0;
        }
        application["state"] = state;
        if (session.print_json(with_addresses(session, application))) {
            return 0;
        }
        session.terminal().line(str(take<std::string>(application, "name"), " in domain ",
                                    take<std::string>(application, "domain_id"), ": ", state));
        print_health(session, gears);
        print_application(session, application);
        return 0;
    };
}

Runner declare_app_list(CLI::App& parser) {
    const auto domain = std::make_shared<std::string>();
    const auto mine = std::make_shared<bool>(false);
    auto* only = parser.add_option("-n,--namespace", *domain, "only this domain");
    parser.add_flag("--mine", *mine, "only those in your own domains")->excludes(only);
    return [domain, mine](Session& session) {
        const std::string path =
            domain->empty() ? str("/applications", *mine ? "?owner=@self" : "")
                            : str("/domain/", percent_encode(*domain), "/applications");
        Json applications = session.broker().get(path).data;
        for (Json& application : applications) {
            application = with_addresses(session, application);
        }
        const int status = applications.empty() ? exit_status::error : 0;
        if (session.print_json(applications)) {
            return status;
        }
        if (applications.empty()) {
            session.terminal().note("no applications yet; see 'gearbox app create --help'");
            return status;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& application : applications) {
            rows.push_back({take<std::string>(application, "name"),
                            take<std::string>(application, "domain_id"),
                            find<std::string>(application, "framework").value_or("-"),
                            take<std::string>(application, "url")});
        }
        session.terminal().table({"NAME", "DOMAIN", "FRAMEWORK", "URL"}, rows);
        return status;
    };
}

Runner declare_app_delete(CLI::App& parser) {
    const auto target = add_target(parser);
    const auto confirmed = std::make_shared<bool>(false);
    parser.add_flag("--confirm", *confirmed, "do not ask");
    return [target, confirmed](Session& session) {
        const Json application = session.application(target->name, target->domain);
        if (!*confirmed &&
            !session.terminal().confirm(str("Delete '", target->name, "' with its data and repository?"),
                                        "--confirm")) {
            session.terminal().note("nothing deleted");
            return exit_status::error;
        }
        const Reply reply = session.broker().remove(path_of(application));
        if (!session.print_json(reply.data)) {
            session.print_messages(reply);
            session.terminal().line(str("'", target->name, "' deleted"));
        }
        return 0;
    };
}

namespace {

// Whether a server can is told by its links.
Runner declare_ha(CLI::App& parser, const char* link, const char* event, const char* done) {
    const auto target = add_target(parser);
    return [target, link, event, done](Session& session) {
        const Json application = session.application(target->name, target->domain);
        if (!application.value("links", Json::object()).contains(link)) {
            throw ExitError(exit_status::no_ha, "this server does not offer high availability");
        }
        const Reply reply =
            session.broker().post(path_of(application) + "/events", {{"event", event}});
        return finish(session, reply, str("'", target->name, "' ", done));
    };
}

}  // namespace

Runner declare_app_enable_ha(CLI::App& parser) {
    return declare_ha(parser, "MAKE_HA", "make-ha", "is highly available");
}
Runner declare_app_disable_ha(CLI::App& parser) {
    return declare_ha(parser, "DISABLE_HA", "disable-ha", "is highly available no longer");
}
Runner declare_app_start(CLI::App& parser) { return declare_event(parser, "start", "started"); }
Runner declare_app_stop(CLI::App& parser) { return declare_event(parser, "stop", "stopped"); }
Runner declare_app_restart(CLI::App& parser) { return declare_event(parser, "restart", "restarted"); }
Runner declare_app_force_stop(CLI::App& parser) { return declare_event(parser, "force-stop", "killed"); }
Runner declare_app_reload(CLI::App& parser) { return declare_event(parser, "reload", "reloaded"); }
Runner declare_app_tidy(CLI::App& parser) { return declare_event(parser, "tidy", "tidied up"); }
Runner declare_app_scale_up(CLI::App& parser) { return declare_event(parser, "scale-up", "scaled up"); }
Runner declare_app_scale_down(CLI::App& parser) {
    return declare_event(parser, "scale-down", "scaled down");
}
Runner declare_threaddump(CLI::App& parser) {
    return declare_event(parser, "thread-dump", "has dumped its threads; see 'gearbox tail'");
}

}  // namespace gearbox::cli
