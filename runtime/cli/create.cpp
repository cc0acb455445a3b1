// app create: resolves the words given, posts, shows the progress, ends with what is next.
#include "base/id.h"
#include "base/settings.h"
#include "cli/applications.h"
#include "cli/catalogue.h"
#include "cli/command.h"
#include "cli/progress.h"

#include <algorithm>
#include <memory>

namespace gearbox::cli {

namespace {

struct Arguments {
    std::string name;
    std::vector<std::string> cartridges;
    std::string source;
    std::string domain;
    std::vector<std::string> variables;
};

// A quickstart's name, or a git URL as it is.
std::optional<Quickstart> find_quickstart(BrokerClient& broker, const std::string& source) {
    if (source.empty() || source.find_first_of(":/@") != std::string::npos || source == "empty") {
        return std::nullopt;
    }
    std::vector<std::string> known;
    for (Quickstart& quickstart : parse_quickstarts(broker.get("/quickstarts").data)) {
        if (quickstart.id == source) {
            return std::move(quickstart);
        }
        known.push_back(quickstart.id);
    }
    const std::string near = nearest(source, known);
    fail(ErrorKind::invalid, "there is no quickstart '", source, "'",
         near.empty() ? "; see 'gearbox quickstart list', or give a git URL"
                      : str("; did you mean '", near, "'?"));
}

Json variables_of(const std::vector<std::string>& assignments) {
    Json out = Json::array();
    for (const std::string& assignment : assignments) {
        const auto equals = assignment.find('=');
        if (equals == std::string::npos || equals == 0) {
            fail(ErrorKind::invalid, "'", assignment, "' is no variable; write NAME=VALUE");
        }
        out.push_back({{"name", assignment.substr(0, equals)}, {"value", assignment.substr(equals + 1)}});
    }
    return out;
}

Json request_of(Session& session, const Arguments& arguments) {
    Json request = {{"name", arguments.name}};
    std::vector<std::string> words = arguments.cartridges;
    if (const auto quickstart = find_quickstart(session.broker(), arguments.source)) {
        request["initial_git_url"] = quickstart->url;
        words = words.empty() ? quickstart->cartridges : words;
    } else if (!arguments.source.empty()) {
        request["initial_git_url"] = arguments.source;
    }
    if (words.empty()) {
        fail(ErrorKind::invalid, "name at least one cartridge; see 'gearbox cartridge list'");
    }
    const Json catalogue = session.broker().get("/cartridges").data;
    Json cartridges = Json::array();
    for (const std::string& word : words) {
        cartridges.push_back(resolve_cartridge(catalogue, word));
    }
    request["cartridges"] = cartridges;
    if (const Json variables = variables_of(arguments.variables); !variables.empty()) {
        request["environment_variables"] = variables;
    }
    return request;
}

int create(Session& session, const Arguments& arguments) {
    const std::string domain = session.domain(arguments.domain);
    const Json request = request_of(session, arguments);
    const std::string path =
        str("/domain/", encode_segment(domain), "/applications?include=cartridges");
    const std::string request_id = random_hex(16);
    Terminal& terminal = session.terminal();
    if (!session.wants_json()) {
        terminal.note(str("Creating application '", arguments.name, "' in domain '", domain, "'"));
    }
    Reply reply;
    {
        std::unique_ptr<Progress> progress;
        if (!session.wants_json()) {
            progress = std::make_unique<Progress>(terminal, session.second_broker(), request_id);
        }
        reply = session.broker().post(path, request, request_id);
    }
    if (session.wants_json()) {
        Json shown = with_addresses(session, reply.data);
        shown["messages"] = reply.texts("result");
        session.print_json(shown);
        return 0;
    }
    terminal.line(str("'", arguments.name, "' is running"));
    print_application(session, reply.data);
    session.print_messages(reply);
    terminal.line(str("Get the source:  gearbox git-clone ", arguments.name,
                      session.config().domain == domain ? "" : " -n " + domain));
    return 0;
}

}  // namespace

Runner declare_app_create(CLI::App& parser) {
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("NAME", arguments->name, "letters and digits, at most 32")->required();
    parser.add_option("CARTRIDGE", arguments->cartridges,
                      "one web cartridge and any add-ons; 'php' means the newest php");
    parser.add_option("--from-code", arguments->source,
                      "git URL or quickstart to start from (default: the cartridge's example)");
    parser.add_option("-n,--namespace", arguments->domain, "domain (default: the one in use)");
    parser.add_option("-e,--env", arguments->variables, "NAME=VALUE for the application's environment");
    return [arguments](Session& session) { return create(session, *arguments); };
}

}  // namespace gearbox::cli
