// app create: resolves the words given, posts, shows the progress, ends with what is next.
#include "base/id.h"
#include "base/percent.h"
#include "base/settings.h"
#include "cli/applications.h"
#include "cli/catalogue.h"
#include "cli/command.h"
#include "cli/progress.h"

#include <algorithm>
#include <memory>

namespace gearbox::cli {

namespace {

struct CreateArguments {
    std::string name;
    std::vector<std::string> cartridges;
    std::string source;
    std::string domain;
    std::vector<std::string> variables;
    std::string from_app;
    std::string size;
    std::string repository;
    bool scaled = false;
};

// A quickstart's name, or a git URL as it is.
std::optional<Quickstart> find_quickstart(BrokerClient& broker, const std::string& source) {
    if (source.empty() || source.find_first_of(":/@") != std::string::npos || source == "empty") {
        return std::nullopt;
    }
    std::vector<std::string> known;
    for (Quickstart& quickstart : parse_quickstarts(broker.get("/quickstarts").data)) {
        if (quickstart.id == source) {
            if (!quickstart.unavailable.empty()) {
                fail(ErrorKind::unavailable, "the quickstart '", source, "' cannot be deployed: ", quickstart.unavailable);
            }
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

// "domain/app" or "app": its cartridges with their limits, variables and deployment settings.
Json request_like(Session& session, const std::string& other) {
    const auto slash = other.find('/');
    const Json model = slash == std::string::npos
                           ? session.application(other, "")
                           : session.application(other.substr(slash + 1), other.substr(0, slash));
    const std::string path = "/application/" + percent_encode(take<std::string>(model, "id"));
    Json request = {{"scale", find<bool>(model, "scalable").value_or(false)},
                    {"gear_profile", find<std::string>(model, "gear_profile").value_or("small")}};
    if (const auto url = find<std::string>(model, "initial_git_url"); url && !url->empty()) {
        request["initial_git_url"] = *url;
    }
    for (const Json& cartridge : model.value("cartridges", Json::array())) {
        const std::string url = find<std::string>(cartridge, "url").value_or("");
        Json wish = url.empty() ? Json{{"name", take<std::string>(cartridge, "name")}} : Json{{"url", url}};
        for (const auto& [from, to] : {std::pair{"gear_profile", "gear_size"},
                                       std::pair{"additional_gear_storage", "additional_gear_storage"},
                                       std::pair{"scales_from", "scales_from"},
                                       std::pair{"scales_to", "scales_to"}}) {
            if (const Json value = cartridge.value(from, Json(nullptr)); !value.is_null()) {
                wish[to] = value;
            }
        }
        request["cartridges"].push_back(wish);
    }
    for (const Json& variable : session.broker().get(path + "/environment-variables").data) {
        request["environment_variables"].push_back({{"name", take<std::string>(variable, "name")},
                                                    {"value", take<std::string>(variable, "value")}});
    }
    for (const char* name : {"auto_deploy", "deployment_branch", "deployment_type", "keep_deployments"}) {
        if (const Json value = model.value(name, Json(nullptr)); !value.is_null()) {
            request["config"][name] = value;
        }
    }
    return request;
}

Json request_of(Session& session, const CreateArguments& arguments) {
    Json request = arguments.from_app.empty() ? Json::object() : request_like(session, arguments.from_app);
    request["name"] = arguments.name;
    if (arguments.scaled) {
        request["scale"] = true;
    }
    if (!arguments.size.empty()) {
        request["gear_profile"] = arguments.size;
    }
    std::vector<std::string> words = arguments.cartridges;
    if (const auto quickstart = find_quickstart(session.broker(), arguments.source)) {
        request["initial_git_url"] = quickstart->url;
        words = words.empty() ? quickstart->cartridges : words;
    } else if (!arguments.source.empty()) {
        request["initial_git_url"] = arguments.source;
    }
    if (words.empty() && arguments.from_app.empty()) {
        fail(ErrorKind::invalid, "name at least one cartridge; see 'gearbox cartridge list'");
    }
    const Json catalogue = session.broker().get("/cartridges").data;
    Json cartridges = Json::array();
    for (const std::string& word : words) {
        cartridges.push_back(cartridge_wish(catalogue, word));
    }
    if (!cartridges.empty()) {
        request["cartridges"] = cartridges;
    }
    if (const Json variables = variables_of(arguments.variables); !variables.empty()) {
        Json all = variables;
        for (const Json& copied : request.value("environment_variables", Json::array())) {
            const bool is_given = std::any_of(variables.begin(), variables.end(), [&](const Json& variable) {
                return variable["name"] == copied["name"];
            });
            if (!is_given) {
                all.push_back(copied);
            }
        }
        request["environment_variables"] = std::move(all);
    }
    return request;
}

int create(Session& session, const CreateArguments& arguments) {
    const std::string domain = session.domain(arguments.domain);
    const Json request = request_of(session, arguments);
    const std::string path =
        str("/domain/", percent_encode(domain), "/applications?include=cartridges");
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
    if (const std::string hint = hosts_hint(session, reply.data); !hint.empty()) {
        terminal.note(hint);
    }
    if (!arguments.repository.empty()) {
        return clone_repository(session, reply.data, arguments.repository);
    }
    terminal.line(str("Get the source:  gearbox git-clone ", arguments.name,
                      session.config().domain == domain ? "" : " -n " + domain));
    return 0;
}

}  // namespace

Runner declare_app_create(CLI::App& parser) {
    const auto arguments = std::make_shared<CreateArguments>();
    parser.add_option("NAME", arguments->name, "letters and digits, at most 32")->required();
    parser.add_option("CARTRIDGE", arguments->cartridges,
                      "one web cartridge and any add-ons; 'php' means the newest php, an address one of your own; "
                      "NAME=VALUE as for -e");
    parser.add_option("--from-code", arguments->source,
                      "git URL or quickstart to start from (default: the cartridge's example)");
    parser.add_option("-n,--namespace", arguments->domain, "domain (default: the one in use)");
    parser.add_option("-e,--env", arguments->variables, "NAME=VALUE for the application's environment");
    parser.add_option("--from-app", arguments->from_app,
                      "be like this one (APP or DOMAIN/APP): cartridges, variables, settings");
    parser.add_option("-g,--gear-size", arguments->size, "size of its gears");
    parser.add_option("-r,--repo", arguments->repository, "clone its source into this directory");
    parser.add_flag("-s,--scaling", arguments->scaled, "have more gears when there is more to do");
    return [arguments](Session& session) {
        // An address may have '=' as well, further back.
        const auto is_variable = [](const std::string& word) {
            return word.find('=') != std::string::npos && word.find('=') < word.find("://");
        };
        auto& words = arguments->cartridges;
        std::copy_if(words.begin(), words.end(), std::back_inserter(arguments->variables), is_variable);
        words.erase(std::remove_if(words.begin(), words.end(), is_variable), words.end());
        return create(session, *arguments);
    };
}

}  // namespace gearbox::cli
