// admin user …, app …, gear …, status, check: through the daemon's control socket, root only.
#include "cli/command.h"
#include "control/control_client.h"

#include <cstring>
#include <memory>
#include <string_view>

namespace gearbox::cli {

namespace {

struct AdminArguments {
    std::string login;
    std::string application;
    std::string socket = "/run/gearbox/control.sock";
    bool password_stdin = false;
};

std::shared_ptr<AdminArguments> add_admin_arguments(CLI::App& parser, bool with_login, bool with_password) {
    const auto arguments = std::make_shared<AdminArguments>();
    if (with_login) {
        parser.add_option("LOGIN", arguments->login)->required();
    }
    if (with_password) {
        parser.add_flag("--password-stdin", arguments->password_stdin,
                        "read the password from standard input");
    }
    parser.add_option("--socket", arguments->socket, "the daemon's control socket")
        ->capture_default_str();
    return arguments;
}

std::shared_ptr<AdminArguments> add_application(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    parser.add_option("APPLICATION", arguments->application, "APP-DOMAIN or its gear's id")->required();
    return arguments;
}

std::string password_of(Session& session, const AdminArguments& arguments) {
    Terminal& terminal = session.terminal();
    if (arguments.password_stdin) {
        return terminal.read_line();
    }
    const std::string first =
        terminal.ask_secret(str("Password for ", arguments.login), "--password-stdin");
    if (terminal.ask_secret("The same again", "--password-stdin") != first) {
        fail(ErrorKind::invalid, "the two passwords differ");
    }
    return first;
}

// Runs the verb; prints the result as JSON or the sentence.
int ask_daemon(Session& session, const AdminArguments& arguments, const std::string& verb,
               const Json& request, const std::string& done) {
    const Json result = call(arguments.socket, verb, request);
    if (!session.print_json(result)) {
        session.terminal().line(done);
    }
    return 0;
}

}  // namespace

Runner declare_user_create(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, true, true);
    return [arguments](Session& session) {
        const std::string password = password_of(session, *arguments);
        return ask_daemon(session, *arguments, "user.create",
                          {{"login", arguments->login}, {"password", password}},
                          str("account '", arguments->login, "' created"));
    };
}

Runner declare_user_password(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, true, true);
    return [arguments](Session& session) {
        const std::string password = password_of(session, *arguments);
        return ask_daemon(session, *arguments, "user.password",
                          {{"login", arguments->login}, {"password", password}},
                          str("password of '", arguments->login, "' set"));
    };
}

Runner declare_user_delete(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, true, false);
    return [arguments](Session& session) {
        return ask_daemon(session, *arguments, "user.delete", {{"login", arguments->login}},
                          str("account '", arguments->login, "' deleted"));
    };
}

namespace {

// One "name: value" a line.
void print_members(Session& session, const Json& object) {
    if (session.print_json(object)) {
        return;
    }
    for (const auto& [name, value] : object.items()) {
        session.terminal().line(str(name, ": ", value.is_string() ? value.get<std::string>()
                                                                    : to_text(value)));
    }
}

}  // namespace

Runner declare_user_show(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, true, false);
    return [arguments](Session& session) {
        print_members(session, call(arguments->socket, "user.show", {{"login", arguments->login}}));
        return 0;
    };
}

Runner declare_user_set(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, true, false);
    const auto request = std::make_shared<Json>(Json::object());
    const auto number = [&](const char* option, const char* name, const char* help) {
        parser.add_option_function<std::int64_t>(
            option, [request, name](const std::int64_t& value) { (*request)[name] = value; }, help);
    };
    number("--max-domains", "max_domains", "how many domains");
    number("--max-gears", "max_gears", "how many gears, in all domains together");
    number("--max-teams", "max_teams", "how many teams");
    number("--max-storage", "max_storage", "GB of extra storage a gear");
    const auto flag = [&](const char* option, bool value, const char* help) {
        parser.add_flag_callback(
            option, [request, value] { (*request)["private_certificates"] = value; }, help);
    };
    flag("--allow-private-certificates", true, "aliases may have certificates of their own");
    flag("--forbid-private-certificates", false, "they may not");
    parser.add_option_function<std::vector<std::string>>(
        "--gear-sizes",
        [request](const std::vector<std::string>& sizes) { (*request)["gear_sizes"] = sizes; },
        "the sizes that may be used");
    return [arguments, request](Session& session) {
        Json args = *request;
        if (args.empty()) {
            fail(ErrorKind::invalid, "nothing to set; see 'gearbox admin user set --help'");
        }
        args["login"] = arguments->login;
        print_members(session, call(arguments->socket, "user.set", args));
        return 0;
    };
}

Runner declare_admin_status(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        print_members(session, call(arguments->socket, "status"));
        return 0;
    };
}

Runner declare_admin_app_list(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        const Json applications = call(arguments->socket, "application.list");
        if (session.print_json(applications)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& application : applications) {
            rows.push_back({take<std::string>(application, "name"),
                            take<std::string>(application, "domain"),
                            find<std::string>(application, "owner").value_or("-"),
                            take<std::string>(application, "state"),
                            std::to_string(take<std::int64_t>(application, "uid")),
                            take<std::string>(application, "id")});
        }
        session.terminal().table({"NAME", "DOMAIN", "OWNER", "STATE", "UID", "GEAR"}, rows);
        return 0;
    };
}

namespace {

Runner declare_admin_event(CLI::App& parser, const char* event, const char* done) {
    const auto arguments = add_application(parser);
    return [arguments, event, done](Session& session) {
        return ask_daemon(session, *arguments, "application.event",
                          {{"application", arguments->application}, {"event", event}}, str("'", arguments->application, "' ", done));
    };
}

}  // namespace

Runner declare_admin_app_start(CLI::App& parser) { return declare_admin_event(parser, "start", "started"); }
Runner declare_admin_app_stop(CLI::App& parser) { return declare_admin_event(parser, "stop", "stopped"); }
Runner declare_admin_app_restart(CLI::App& parser) {
    return declare_admin_event(parser, "restart", "restarted");
}

Runner declare_admin_app_resize(CLI::App& parser) {
    const auto arguments = add_application(parser);
    const auto size = std::make_shared<std::string>();
    parser.add_option("SIZE", *size, "one of the daemon's settings")->required();
    return [arguments, size](Session& session) {
        return ask_daemon(session, *arguments, "application.resize",
                          {{"application", arguments->application}, {"size", *size}}, str("'", arguments->application, "' is ", *size));
    };
}

Runner declare_admin_app_delete(CLI::App& parser) {
    const auto arguments = add_application(parser);
    const auto confirmed = std::make_shared<bool>(false);
    parser.add_flag("--confirm", *confirmed, "do not ask");
    return [arguments, confirmed](Session& session) {
        if (!*confirmed &&
            !session.terminal().confirm(str("Delete '", arguments->application, "' with its data and repository?"), "--confirm")) {
            session.terminal().note("nothing deleted");
            return exit_status::error;
        }
        return ask_daemon(session, *arguments, "application.delete", {{"application", arguments->application}},
                          str("'", arguments->application, "' deleted"));
    };
}

Runner declare_admin_gear_list(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        const Json gears = call(arguments->socket, "gear.list");
        if (session.print_json(gears)) {
            return 0;
        }
        constexpr std::int64_t mebibyte = 1024 * 1024;
        std::vector<std::vector<std::string>> rows;
        for (const Json& gear : gears) {
            const auto disk = find<std::int64_t>(gear, "disk_bytes");
            const auto profile = take<std::string>(gear, "profile");
            rows.push_back({take<std::string>(gear, "id"), take<std::string>(gear, "application"),
                            take<std::string>(gear, "size"), profile.empty() ? "-" : profile,
                            take<std::string>(gear, "state"),
                            std::to_string(take<std::int64_t>(gear, "memory_bytes") / mebibyte),
                            disk ? std::to_string(*disk / mebibyte) : "-",
                            std::to_string(take<std::int64_t>(gear, "processes")),
                            std::to_string(take<std::int64_t>(gear, "cpu_us") / 1'000'000)});
        }
        session.terminal().table(
            {"GEAR", "APPLICATION", "SIZE", "PROFILE", "STATE", "MEMORY MB", "DISK MB", "PROCESSES", "CPU S"}, rows);
        return 0;
    };
}

Runner declare_admin_profile_list(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        const Json profiles = call(arguments->socket, "profile.list");
        if (session.print_json(profiles)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& profile : profiles) {
            std::string assigned;
            for (const char* kind : {"domains", "sizes", "cartridges"}) {
                for (const auto& word : take<std::vector<std::string>>(profile, kind)) {
                    assigned += str(assigned.empty() ? "" : ", ", std::string_view(kind, std::strlen(kind) - 1), " ", word);
                }
            }
            rows.push_back({take<std::string>(profile, "name"), assigned.empty() ? "-" : assigned,
                            std::to_string(take<std::int64_t>(profile, "gears")),
                            take<std::string>(profile, "description")});
        }
        session.terminal().table({"PROFILE", "ASSIGNED TO", "GEARS", "DESCRIPTION"}, rows);
        return 0;
    };
}

Runner declare_admin_gear_plan(CLI::App& parser) {
    const auto arguments = add_application(parser);
    return [arguments](Session& session) {
        const Json plan = call(arguments->socket, "gear.plan", {{"application", arguments->application}});
        if (!session.print_json(plan)) {
            session.terminal().line(plan.dump(2));
        }
        return 0;
    };
}

namespace {

Runner declare_freeze(CLI::App& parser, bool frozen, const char* done) {
    const auto arguments = add_application(parser);
    return [arguments, frozen, done](Session& session) {
        return ask_daemon(session, *arguments, "gear.freeze",
                          {{"application", arguments->application}, {"frozen", frozen}}, str("'", arguments->application, "' ", done));
    };
}

}  // namespace

Runner declare_admin_gear_freeze(CLI::App& parser) {
    return declare_freeze(parser, true, "stands still");
}
Runner declare_admin_gear_thaw(CLI::App& parser) { return declare_freeze(parser, false, "goes on"); }

Runner declare_admin_check(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        const Json result = call(arguments->socket, "check");
        const Json problems = take<Json>(result, "problems");
        if (!session.print_json(result)) {
            for (const Json& problem : problems) {
                session.terminal().line(problem.get<std::string>());
            }
            session.terminal().line(problems.empty() ? "nothing is wrong"
                                                     : str(problems.size(), " problems"));
        }
        return problems.empty() ? 0 : exit_status::error;
    };
}

Runner declare_user_list(CLI::App& parser) {
    const auto arguments = add_admin_arguments(parser, false, false);
    return [arguments](Session& session) {
        const Json users = call(arguments->socket, "user.list");
        if (session.print_json(users)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& user : users) {
            rows.push_back({take<std::string>(user, "login"),
                            std::to_string(find<std::int64_t>(user, "max_gears").value_or(0))});
        }
        session.terminal().table({"LOGIN", "GEARS ALLOWED"}, rows);
        return 0;
    };
}

}  // namespace gearbox::cli
