// The application that a command is about: NAME and -n.
#pragma once
#include "base/percent.h"
#include "cli/command.h"

#include <string>

namespace gearbox::cli {

struct Target {
    std::string name;
    std::string domain;
};

/// A positional NAME, which -a may give as well; Session::application refuses to go without.
inline void add_target(CLI::App& parser, Target& target) {
    CLI::Option* const name = parser.add_option("NAME", target.name, "the application");
    parser.add_option("-a,--app", target.name, "the same, as an option")->excludes(name);
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}
/// Before other positionals: NAME only.
inline void add_first_target(CLI::App& parser, Target& target) {
    parser.add_option("NAME", target.name, "the application")->required();
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}
/// For commands whose first word is something else.
inline void add_target_option(CLI::App& parser, Target& target) {
    parser.add_option("-a,--app", target.name, "the application")->required();
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}

inline Json application_of(Session& session, const Target& target) {
    return session.application(target.name, target.domain);
}

/// "/application/ID" of the application.
inline std::string path_of(const Json& application) {
    return "/application/" + percent_encode(take<std::string>(application, "id"));
}
inline std::string path_of(Session& session, const Target& target) {
    return path_of(application_of(session, target));
}

/// Prints what the broker said, then the sentence; or the data as JSON.
inline int finish(Session& session, const Reply& reply, const std::string& done) {
    if (!session.print_json(reply.data)) {
        session.print_messages(reply);
        session.terminal().line(done);
    }
    return 0;
}

/// "name: value" a line.
inline void print_fields(Session& session, const Json& object) {
    for (const auto& [name, value] : object.items()) {
        session.terminal().line(
            str(name, ": ", value.is_string() ? value.get<std::string>() : to_text(value)));
    }
}

/// Runs the command by ssh in each gear of the application, one after the other; the status.
int run_in_gears(Session& session, const Json& application, const std::vector<std::string>& words);

/// "ssh -p … user@host", to which a remote command is added.
std::vector<std::string> ssh_command(const Session& session, const Json& application);

}  // namespace gearbox::cli
