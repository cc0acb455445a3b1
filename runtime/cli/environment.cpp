// env set, unset, list, show.
#include "cli/target.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct EnvironmentArguments {
    Target target;
    std::vector<std::string> words;
};

std::shared_ptr<EnvironmentArguments> add_environment_arguments(CLI::App& parser, const char* word, const char* help) {
    const auto arguments = std::make_shared<EnvironmentArguments>();
    parser.add_option(word, arguments->words, help)->required();
    add_target_option(parser, arguments->target);
    return arguments;
}

int change(Session& session, const EnvironmentArguments& arguments, const Json& list, const char* done) {
    const Reply reply = session.broker().patch(
        path_of(session, arguments.target) + "/environment-variables",
        {{"environment_variables", list}});
    return finish(session, reply, str(done, "; '", arguments.target.name,
                                      "' sees it after its next restart"));
}

int print(Session& session, const Json& variables) {
    if (!session.print_json(variables)) {
        for (const Json& variable : variables) {
            session.terminal().line(str(take<std::string>(variable, "name"), "=",
                                        take<std::string>(variable, "value")));
        }
    }
    return 0;
}

}  // namespace

Runner declare_env_set(CLI::App& parser) {
    const auto arguments = add_environment_arguments(parser, "VARIABLE", "NAME=VALUE, any number of them");
    return [arguments](Session& session) {
        Json list = Json::array();
        for (const std::string& word : arguments->words) {
            const auto equals = word.find('=');
            if (equals == std::string::npos || equals == 0) {
                fail(ErrorKind::invalid, "'", word, "' is not NAME=VALUE");
            }
            list.push_back({{"name", word.substr(0, equals)}, {"value", word.substr(equals + 1)}});
        }
        return change(session, *arguments, list, "set");
    };
}

Runner declare_env_unset(CLI::App& parser) {
    const auto arguments = add_environment_arguments(parser, "NAME", "variables");
    return [arguments](Session& session) {
        Json list = Json::array();
        for (const std::string& name : arguments->words) {
            list.push_back({{"name", name}});
        }
        return change(session, *arguments, list, "removed");
    };
}

Runner declare_env_list(CLI::App& parser) {
    const auto target = std::make_shared<Target>();
    add_target(parser, *target);
    return [target](Session& session) {
        return print(session,
                     session.broker().get(path_of(session, *target) + "/environment-variables").data);
    };
}

Runner declare_env_show(CLI::App& parser) {
    const auto arguments = add_environment_arguments(parser, "NAME", "variables");
    return [arguments](Session& session) {
        const Json all =
            session.broker().get(path_of(session, arguments->target) + "/environment-variables").data;
        Json wanted = Json::array();
        for (const std::string& name : arguments->words) {
            const auto found = std::find_if(all.begin(), all.end(), [&](const Json& variable) {
                return take<std::string>(variable, "name") == name;
            });
            if (found == all.end()) {
                throw ExitError(exit_status::no_variable,
                                str("'", arguments->target.name, "' has no variable '", name, "'"));
            }
            wanted.push_back(*found);
        }
        return print(session, wanted);
    };
}

}  // namespace gearbox::cli
