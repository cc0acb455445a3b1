// The application that a command is about: NAME and -n.
#pragma once
#include "cli/command.h"

#include <string>

namespace gearbox::cli {

struct Target {
    std::string name;
    std::string domain;
};

/// A positional NAME first, or, for commands whose first word is something else, the option -a.
inline void add_target(CLI::App& parser, Target& target) {
    parser.add_option("NAME", target.name, "the application")->required();
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}
inline void add_target_option(CLI::App& parser, Target& target) {
    parser.add_option("-a,--app", target.name, "the application")->required();
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}

inline Json application_of(Session& session, const Target& target) {
    return session.application(target.name, target.domain);
}

/// "/application/ID" of the application.
inline std::string path_of(const Json& application) {
    return "/application/" + encode_segment(take<std::string>(application, "id"));
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

/// "ssh -p … user@host", to which a remote command is added.
std::vector<std::string> ssh_command(const Session& session, const Json& application);

}  // namespace gearbox::cli
