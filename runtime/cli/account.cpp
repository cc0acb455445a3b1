// account and logout.
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

Runner declare_account(CLI::App&) {
    return [](Session& session) {
        const Json user = session.broker().get("/user").data;
        if (session.print_json(user)) {
            return 0;
        }
        Terminal& terminal = session.terminal();
        terminal.line(str("login   ", take<std::string>(user, "login")));
        terminal.line(str("server  ", session.config().server));
        terminal.line(str("gears   ", find<std::int64_t>(user, "consumed_gears").value_or(0), " of ",
                          find<std::int64_t>(user, "max_gears").value_or(0)));
        terminal.line(str("domains up to ", find<std::int64_t>(user, "max_domains").value_or(1)));
        return 0;
    };
}

Runner declare_region_list(CLI::App&) {
    return [](Session& session) {
        const Json regions = session.broker().get("/regions").data;
        if (!session.print_json(regions)) {
            session.terminal().note("this appliance has no regions");
        }
        return regions.empty() ? exit_status::no_regions : 0;
    };
}

Runner declare_logout(CLI::App& parser) {
    const auto all = std::make_shared<bool>(false);
    parser.add_flag("--all", *all, "end every session of the account, on other machines too");
    return [all](Session& session) {
        if (*all) {
            session.broker().remove("/user/authorizations");
            session.store().remove_token();
        }
        session.log_out();
        if (!session.print_json(Json::object())) {
            session.terminal().line("logged out");
        }
        return 0;
    };
}

}  // namespace gearbox::cli
