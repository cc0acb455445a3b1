// account and logout.
#include "cli/command.h"

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

Runner declare_logout(CLI::App&) {
    return [](Session& session) {
        session.log_out();
        if (!session.print_json(Json::object())) {
            session.terminal().line("logged out");
        }
        return 0;
    };
}

}  // namespace gearbox::cli
