#include "rest/handlers/handlers.h"

#include "rest/payloads.h"
#include "rest/present.h"

#include <algorithm>
#include <array>

namespace gearbox::rest::handlers {

namespace {

Json present_one(const Call& call, const Application& application,
                 const InstalledCartridge& cartridge) {
    return present_installed(cartridge, call.broker.catalogue.find(cartridge),
                             application, call.view);
}

const InstalledCartridge& installed_of(const Call& call, const Application& application) {
    const std::string& name = call.part("cartridge");
    for (const InstalledCartridge& cartridge : application.cartridges) {
        if (cartridge.name.text() == name) {
            return cartridge;
        }
    }
    refuse(ErrorKind::not_found,
           str("Cartridge '", shown(name), "' not found in application '", application.name.text(),
               "'"),
           exit_code::cartridge_not_found);
}

const EnvironmentVariable& variable_of(const Call& call, const Application& application) {
    const std::string& name = call.part("variable");
    for (const EnvironmentVariable& variable : application.variables) {
        if (variable.name == name) {
            return variable;
        }
    }
    refuse(ErrorKind::not_found, str("Environment variable '", shown(name), "' not found"),
           exit_code::variable_name);
}

// The contract: a set value is shown in the reply, a removed one is not.
Json present_changed(const Call& call, const Application& application,
                     const std::vector<VariableChange>& changes) {
    Json list = Json::array();
    for (const VariableChange& change : changes) {
        if (change.value) {
            list.push_back(
                present_variable({change.name, *change.value}, application, call.view));
        }
    }
    return list;
}

Json present_group(const Call& call, const Application& application) {
    const ApplicationService& service = call.broker.applications;
    Json group = present_gear_group(application, service.state(application), service.health(application),
                                    call.broker.catalogue, call.view);
    if (call.includes("endpoints")) {
        group["gears"][0]["endpoints"] = present_endpoints(
            application, service.endpoints(application), call.broker.catalogue);
    }
    return group;
}

std::string required_text(const Call& call, const char* name, int exit_code) {
    Problems problems;
    const auto text = Fields(call.params, problems).text(name, exit_code);
    if (!text && problems.empty()) {
        problems.add(str("'", name, "' is required"), exit_code, name);
    }
    problems.check();
    return *text;
}

}  // namespace

Reply list_application_cartridges(const Call& call) {
    const Application application = application_of(call);
    Json list = Json::array();
    for (const InstalledCartridge& cartridge : application.cartridges) {
        list.push_back(present_one(call, application, cartridge));
    }
    return {200, "cartridges", std::move(list), {}, {}};
}

Reply show_application_cartridge(const Call& call) {
    const Application application = application_of(call);
    const InstalledCartridge& cartridge = installed_of(call, application);
    Json shown_one = present_one(call, application, cartridge);
    if (call.includes("status_messages")) {
        const ScriptMessages said = call.broker.applications.run_cartridge_verb(
            call.who, application, cartridge.name.text(), "status");
        std::string text;
        for (const auto* lines : {&said.results, &said.messages, &said.errors, &said.attributes}) {
            for (const std::string& line : *lines) {
                text += line + "\n";
            }
        }
        shown_one["status_messages"] =
            Json::array({{{"gear_id", application.id.text()}, {"message", text}}});
    }
    return {200, "cartridge", std::move(shown_one), {}, {}};
}

Reply add_application_cartridge(const Call& call) {
    const Application application = application_of(call);
    Problems problems;
    const CartridgeWish wish = parse_cartridge_wish(call.params, problems);
    const Created added =
        call.broker.applications.add_cartridge(call.who, application, wish, problems);
    const InstalledCartridge& cartridge = added.application.cartridges.back();
    return {201, "cartridge", present_one(call, added.application, cartridge),
            messages_of(str("Added ", cartridge.name.text(), " to application ",
                            application.name.text()),
                        added.output),
            {}};
}

Reply update_application_cartridge(const Call& call) {
    const Application application = application_of(call);
    const std::string name = installed_of(call, application).name.text();
    Problems problems;
    Fields fields(call.params, problems);
    ScalingChange change;
    change.from = fields.integer("scales_from", exit_code::scales);
    change.to = fields.integer("scales_to", exit_code::scales);
    change.additional_storage =
        fields.integer("additional_gear_storage", exit_code::storage_not_a_number);
    problems.check();
    const Application changed =
        call.broker.applications.change_scaling(call.who, application, name, change);
    return {200, "cartridge", present_one(call, changed, installed_of(call, changed)),
            {{"info", str("Updated ", name, " of application ", changed.name.text())}}, {}};
}

Reply delete_application_cartridge(const Call& call) {
    const Application application = application_of(call);
    const std::string& name = call.part("cartridge");
    call.broker.applications.remove_cartridge(call.who, application, name);
    return {200, "", nullptr,
            {{"info", str("Removed ", name, " from application ", application.name.text())}}, {}};
}

Reply run_cartridge_event(const Call& call) {
    const Application application = application_of(call);
    const std::string name = installed_of(call, application).name.text();
    const std::string event = required_text(call, "event", exit_code::event);
    constexpr std::array<std::string_view, 4> known = {"start", "stop", "restart", "reload"};
    if (std::find(known.begin(), known.end(), event) == known.end()) {
        refuse(ErrorKind::invalid,
               str("Invalid event '", shown(event), "'. Valid events: start, stop, restart, reload"),
               exit_code::event, "event");
    }
    const ScriptMessages said =
        call.broker.applications.run_cartridge_verb(call.who, application, name, event);
    OperationOutput output;
    output.messages.push_back(said);
    return {200, "application", present(call, application),
            messages_of(str("Sent ", event, " to ", name), output), {}};
}

Reply list_gear_groups(const Call& call) {
    const Application application = application_of(call);
    return {200, "gear_groups", Json::array({present_group(call, application)}), {}, {}};
}

Reply show_gear_group(const Call& call) {
    const Application application = application_of(call);
    if (call.part("group") != application.id.text()) {
        refuse(ErrorKind::not_found, str("Gear group '", shown(call.part("group")), "' not found"),
               exit_code::application_not_found);
    }
    return {200, "gear_group", present_group(call, application), {}, {}};
}

Reply list_gears(const Call& call) {
    const Application application = application_of(call);
    Reply moved;
    moved.status = 301;
    moved.messages.push_back(
        {"info", "Gears are listed as part of gear_groups", exit_code::moved, ""});
    moved.headers.emplace_back(
        "Location", str(call.view.base, "/application/", application.id.text(), "/gear_groups"));
    return moved;
}

Reply list_variables(const Call& call) {
    const Application application = application_of(call);
    Json list = Json::array();
    for (const EnvironmentVariable& variable : application.variables) {
        list.push_back(present_variable(variable, application, call.view));
    }
    return {200, "environment-variables", std::move(list), {}, {}};
}

Reply show_variable(const Call& call) {
    const Application application = application_of(call);
    return {200, "environment-variable",
            present_variable(variable_of(call, application), application, call.view), {}, {}};
}

Reply change_variables(const Call& call) {
    const Application application = application_of(call);
    Problems problems;
    const Json& list = Fields(call.params, problems).raw("environment_variables");
    const auto changes = parse_variables(list, true, problems);
    if (changes.empty() && problems.empty()) {
        problems.add("environment_variables is required", exit_code::variables,
                     "environment_variables");
    }
    problems.check();
    const Application changed =
        call.broker.applications.change_variables(call.who, application, changes);
    return {201, "environment-variables", present_changed(call, changed, changes),
            {{"info", str("Added/Updated/Deleted environment variables of application ",
                          changed.name.text())}}, {}};
}

Reply add_variable(const Call& call) {
    if (call.params.contains("environment_variables")) {
        return change_variables(call);  // API 1.5 posts lists
    }
    const Application application = application_of(call);
    const std::string name = required_text(call, "name", exit_code::variable_name);
    const std::string value = required_text(call, "value", exit_code::variable_value);
    for (const EnvironmentVariable& variable : application.variables) {
        if (variable.name == name) {
            refuse(ErrorKind::invalid,
                   str("Environment variable named '", name, "' already exists in application"),
                   exit_code::variable_name, "name");
        }
    }
    const Application changed = call.broker.applications.change_variables(
        call.who, application, {{name, value}});
    return {201, "environment-variable", present_variable({name, value}, changed, call.view),
            {{"info", str("Added environment variable '", name, "'")}}, {}};
}

Reply update_variable(const Call& call) {
    const Application application = application_of(call);
    const std::string name = variable_of(call, application).name;
    const std::string value = required_text(call, "value", exit_code::variable_value);
    const Application changed = call.broker.applications.change_variables(
        call.who, application, {{name, value}});
    return {200, "environment-variable", present_variable({name, value}, changed, call.view),
            {{"info", str("Updated environment variable '", name, "'")}}, {}};
}

Reply delete_variable(const Call& call) {
    const Application application = application_of(call);
    const std::string name = variable_of(call, application).name;
    call.broker.applications.change_variables(call.who, application, {{name, std::nullopt}});
    return {200, "", nullptr, {{"info", str("Deleted environment variable '", name, "'")}}, {}};
}

}  // namespace gearbox::rest::handlers
