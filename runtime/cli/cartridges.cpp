// cartridge add, remove, show, status, start, stop, restart, reload, storage, scale: of an application.
#include "base/percent.h"
#include "cli/catalogue.h"
#include "cli/target.h"
#include "model/names.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct CartridgeArguments {
    Target target;
    std::string cartridge;
    bool confirm = false;
};

std::shared_ptr<CartridgeArguments> add_cartridge_arguments(CLI::App& parser) {
    const auto arguments = std::make_shared<CartridgeArguments>();
    parser.add_option("CARTRIDGE", arguments->cartridge, "name, with or without its version")
        ->required();
    add_target_option(parser, arguments->target);
    return arguments;
}

// The full name of one that the application has: by its name, or by an end of it that no other has ("redis" for
// "acme-redis-7").
std::string installed(const Json& application, const std::string& word) {
    std::string all;
    std::string fitting;
    int fits = 0;
    for (const Json& cartridge : application.value("cartridges", Json::array())) {
        const auto name = take<std::string>(cartridge, "name");
        if (name == word || without_version(name) == word) {
            return name;
        }
        all += (all.empty() ? "" : ", ") + name;
        if (name.ends_with("-" + word) || without_version(name).ends_with("-" + word)) {
            fitting += (fits++ == 0 ? "" : " or ") + name;
        }
    }
    if (fits == 1) {
        return fitting;
    }
    throw ExitError(exit_status::no_cartridge,
                    fits == 0 ? str("the application has no cartridge '", word, "', but ", all)
                              : str("'", word, "' may be ", fitting, ": name one of them"));
}

std::string cartridge_path(Session& session, const CartridgeArguments& arguments) {
    const Json application = application_of(session, arguments.target);
    return str(path_of(application), "/cartridge/",
               percent_encode(installed(application, arguments.cartridge)));
}

Runner declare_verb(CLI::App& parser, const char* event, const char* done) {
    const auto arguments = add_cartridge_arguments(parser);
    return [arguments, event, done](Session& session) {
        const Reply reply = session.broker().post(cartridge_path(session, *arguments) + "/events",
                                                  {{"event", event}});
        return finish(session, reply, str("'", arguments->cartridge, "' ", done));
    };
}

void print_cartridge(Session& session, const Json& cartridge) {
    Terminal& terminal = session.terminal();
    terminal.line(str(take<std::string>(cartridge, "name"), "  ",
                      find<std::string>(cartridge, "display_name").value_or("")));
    for (const Json& property : cartridge.value("properties", Json::array())) {
        // Those without a value are announced only.
        if (const auto value = find<std::string>(property, "value")) {
            terminal.line(str("  ", find<std::string>(property, "name").value_or("?"), " = ", *value));
        }
    }
    terminal.line(str("  extra storage: ",
                      find<std::int64_t>(cartridge, "additional_gear_storage").value_or(0), " GB"));
}

}  // namespace

Runner declare_cartridge_add(CLI::App& parser) {
    const auto arguments = add_cartridge_arguments(parser);
    return [arguments](Session& session) {
        const Json wish = cartridge_wish(session.broker().get("/cartridges").data, arguments->cartridge);
        const Reply reply = session.broker().post(path_of(session, arguments->target) + "/cartridges", wish.is_string() ? Json{{"name", wish}} : wish);
        const std::string name = find<std::string>(reply.data, "name").value_or(arguments->cartridge);
        return finish(session, reply, str("'", name, "' added to '", arguments->target.name, "'"));
    };
}

Runner declare_cartridge_remove(CLI::App& parser) {
    const auto arguments = add_cartridge_arguments(parser);
    parser.add_flag("--confirm", arguments->confirm, "do not ask");
    return [arguments](Session& session) {
        const std::string path = cartridge_path(session, *arguments);
        if (!arguments->confirm &&
            !session.terminal().confirm(str("Remove '", arguments->cartridge, "' with its data?"),
                                        "--confirm")) {
            session.terminal().note("nothing removed");
            return exit_status::error;
        }
        return finish(session, session.broker().remove(path),
                      str("'", arguments->cartridge, "' removed"));
    };
}

Runner declare_cartridge_show(CLI::App& parser) {
    const auto arguments = add_cartridge_arguments(parser);
    return [arguments](Session& session) {
        const Json cartridge = session.broker().get(cartridge_path(session, *arguments)).data;
        if (!session.print_json(cartridge)) {
            print_cartridge(session, cartridge);
        }
        return 0;
    };
}

Runner declare_cartridge_status(CLI::App& parser) {
    const auto arguments = add_cartridge_arguments(parser);
    return [arguments](Session& session) {
        const Json cartridge =
            session.broker().get(cartridge_path(session, *arguments) + "?include=status_messages").data;
        if (!session.print_json(cartridge)) {
            for (const Json& message : cartridge.value("status_messages", Json::array())) {
                session.terminal().line(find<std::string>(message, "message").value_or(""));
            }
        }
        return 0;
    };
}

Runner declare_cartridge_storage(CLI::App& parser) {
    const auto arguments = add_cartridge_arguments(parser);
    struct Gigabytes {
        bool show = false;  ///< what happens anyway when nothing is to be changed
        std::optional<std::int64_t> set;
        std::int64_t add = 0;
        std::int64_t remove = 0;
    };
    const auto gigabytes = std::make_shared<Gigabytes>();
    parser.add_flag("--show", gigabytes->show, "the extra storage that it has, as without options");
    auto* set = parser.add_option("--set", gigabytes->set, "extra storage in GB");
    auto* add = parser.add_option("--add", gigabytes->add, "GB more")->check(CLI::PositiveNumber)->excludes(set);
    parser.add_option("--remove", gigabytes->remove, "GB less")
        ->check(CLI::PositiveNumber)
        ->excludes(set)
        ->excludes(add);
    return [arguments, gigabytes](Session& session) {
        const std::string path = cartridge_path(session, *arguments);
        Json cartridge = session.broker().get(path).data;
        const auto now = find<std::int64_t>(cartridge, "additional_gear_storage").value_or(0);
        const auto wanted = gigabytes->set.value_or(now + gigabytes->add - gigabytes->remove);
        if (wanted < 0) {
            fail(ErrorKind::invalid, "it has ", now, " GB of extra storage: fewer cannot be removed than that");
        }
        if (wanted != now) {
            cartridge = session.broker().put(path, {{"additional_gear_storage", wanted}}).data;
        }
        if (!session.print_json(cartridge)) {
            print_cartridge(session, cartridge);
        }
        return 0;
    };
}

Runner declare_cartridge_scale(CLI::App& parser) {
    struct Scales {
        std::int64_t count = 0;
        std::int64_t from = 0;
        std::int64_t to = 0;
    };
    const auto arguments = add_cartridge_arguments(parser);
    const auto scales = std::make_shared<Scales>();
    auto* count = parser.add_option("COUNT", scales->count, "exactly so many gears");
    parser.add_option("--min", scales->from, "fewest gears")->excludes(count);
    parser.add_option("--max", scales->to, "most gears, -1 for no limit")->excludes(count);
    return [arguments, scales](Session& session) {
        if (scales->count != 0) {
            scales->from = scales->to = scales->count;
        }
        Json body = Json::object();
        if (scales->from != 0) {
            body["scales_from"] = scales->from;
        }
        if (scales->to != 0) {
            body["scales_to"] = scales->to;
        }
        const Reply reply = session.broker().put(cartridge_path(session, *arguments), body);
        return finish(session, reply, str("limits of '", arguments->cartridge, "' set"));
    };
}

Runner declare_cartridge_start(CLI::App& parser) { return declare_verb(parser, "start", "started"); }
Runner declare_cartridge_stop(CLI::App& parser) { return declare_verb(parser, "stop", "stopped"); }
Runner declare_cartridge_restart(CLI::App& parser) {
    return declare_verb(parser, "restart", "restarted");
}
Runner declare_cartridge_reload(CLI::App& parser) { return declare_verb(parser, "reload", "reloaded"); }

}  // namespace gearbox::cli
