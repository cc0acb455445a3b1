#include "rest/handlers/handlers.h"

#include "rest/params.h"
#include "rest/payloads.h"
#include "rest/present.h"

#include <algorithm>
#include <array>

namespace gearbox::rest::handlers {

namespace {

Json present_all(const Call& call, const std::vector<Application>& applications) {
    Json list = Json::array();
    for (const Application& application : applications) {
        list.push_back(present(call, application));
    }
    return list;
}

// [a-z]+(-[a-z]+)*
bool is_event_word(const std::string& text) {
    return !text.empty() && text.front() != '-' && text.back() != '-' &&
           text.find("--") == std::string::npos &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); });
}

// Events of the contract that one host without scaling and aliases cannot do.
[[noreturn]] void refuse_event(const std::string& event) {
    constexpr std::array<std::string_view, 3> retired = {"show-port", "expose-port", "conceal-port"};
    if (std::find(retired.begin(), retired.end(), event) != retired.end()) {
        throw HttpError(410, str("The event '", event, "' is no longer supported"),
                        exit_code::moved);
    }
    if (event == "scale-up" || event == "scale-down") {
        throw RequestError(ErrorKind::invalid,
                           {{"The application is not scalable", std::nullopt, ""}});
    }
    if (event == "make-ha" || event == "disable-ha") {
        refuse(ErrorKind::invalid, "High availability is not supported on this host",
               exit_code::unspecified, "event");
    }
    refuse(ErrorKind::invalid,
           str("Invalid application event '", shown(event),
               "' specified. Valid events: start, stop, force-stop, restart, reload, tidy,"
               " thread-dump, activate, add-alias, remove-alias"),
           exit_code::event, "event");
}

const char* past_tense(GearEvent event) {
    switch (event) {
        case GearEvent::start:
            return "has started";
        case GearEvent::stop:
            return "has stopped";
        case GearEvent::force_stop:
            return "has forcefully stopped";
        case GearEvent::restart:
            return "has restarted";
        case GearEvent::reload:
            return "called reload";
        case GearEvent::tidy:
            return "called tidy";
    }
    return "";
}

std::string event_argument(const Call& call, const char* name) {
    Problems problems;
    const auto text = Fields(call.params, problems).text(name, exit_code::event);
    if (problems.empty() && text.value_or("").empty()) {
        problems.add(str("The event needs '", name, "'"), exit_code::event, name);
    }
    problems.check();
    return *text;
}

Reply dump_threads(const Call& call, const Application& application) {
    OperationOutput output;
    output.messages.push_back(call.broker.applications.dump_threads(call.who, application));
    return {200, "application", present(call, application),
            messages_of(str("Application ", application.name.text(), " called thread dump"), output),
            {}};
}

Reply activate(const Call& call, const Application& application) {
    call.broker.applications.activate(call.who, application, event_argument(call, "deployment_id"));
    return {200, "application", present(call, application),
            {{"info", str("Application ", application.name.text(), " has activated the deployment")}},
            {}};
}

Reply add_alias_by_event(const Call& call, const Application& application) {
    const Application changed = call.broker.applications.add_alias(
        call.who, application, event_argument(call, "alias"), {});
    return {200, "application", present(call, changed),
            {{"info", str("Application ", changed.name.text(), " has added alias")}}, {}};
}

Reply remove_alias_by_event(const Call& call, const Application& application) {
    const Application changed = call.broker.applications.remove_alias(
        call.who, application, event_argument(call, "alias"));
    return {200, "application", present(call, changed),
            {{"info", str("Application ", changed.name.text(), " has removed alias")}}, {}};
}

using EventHandler = Reply (*)(const Call&, const Application&);

// Events that do more than to tell the gear.
const std::map<std::string, EventHandler>& other_events() {
    static const std::map<std::string, EventHandler> table = {{"thread-dump", dump_threads},
                                                              {"activate", activate},
                                                              {"add-alias", add_alias_by_event},
                                                              {"remove-alias", remove_alias_by_event}};
    return table;
}

}  // namespace

Application application_of(const Call& call) {
    if (call.path.contains("application")) {
        return call.broker.applications.application(call.who, call.part("application"));
    }
    const Domain domain = call.broker.domains.domain(call.who, call.part("domain"));
    return call.broker.applications.application(domain, call.part("name"));
}

Json present(const Call& call, const Application& application) {
    const auto domain = call.broker.core.store.find_domain(application.domain);
    const auto members = domain ? call.broker.members.list(*domain) : std::vector<Member>();
    return present_application(application, members, call.broker.catalogue,
                               call.includes("cartridges"), call.view);
}

Reply list_applications(const Call& call) {
    auto found = call.broker.applications.list(call.who);
    if (wants_own(call)) {
        std::erase_if(found, [&](const auto& a) { return a.owner != call.who.user.id; });
    }
    return {200, "applications", present_all(call, found), {}, {}};
}

Reply list_domain_applications(const Call& call) {
    const Domain domain = call.broker.domains.domain(call.who, call.part("domain"));
    return {200, "applications", present_all(call, call.broker.applications.list(domain)), {}, {}};
}

Reply add_application(const Call& call) {
    const CreateApplication request = parse_create_application(call.params);
    const Created created = call.broker.applications.create(call.who, call.part("domain"), request,
                                                            call.broker.domains);
    return {201, "application", present(call, created.application),
            messages_of(str("Application ", created.application.name.text(), " was created."),
                        created.output),
            {}};
}

Reply show_application(const Call& call) {
    return {200, "application", present(call, application_of(call)), {}, {}};
}

Reply update_application(const Call& call) {
    const Application application = application_of(call);
    Problems problems;
    const DeploymentChange change = parse_deployment_change(call.params, problems);
    problems.check();
    const Application changed =
        call.broker.applications.change_deployment(call.who, application, change);
    return {200, "application", present(call, changed),
            {{"info", str("Application ", changed.name.text(), " has been updated.")}}, {}};
}

Reply delete_application(const Call& call) {
    const Application application = application_of(call);
    call.broker.applications.remove(call.who, application);
    return {200, "", nullptr,
            {{"info", str("Application ", application.name.text(), " is deleted.")}}, {}};
}

Reply run_event(const Call& call) {
    const Application application = application_of(call);
    Problems problems;
    const std::string word =
        Fields(call.params, problems).text("event", exit_code::event).value_or("");
    problems.check();
    if (const auto other = other_events().find(word); other != other_events().end()) {
        return other->second(call, application);
    }
    const auto event = is_event_word(word) ? parse_gear_event(word) : std::nullopt;
    if (!event) {
        refuse_event(word);
    }
    call.broker.applications.run_event(call.who, application, *event);
    return {200, "application", present(call, application),
            {{"info", str("Application ", application.name.text(), " ", past_tense(*event))}}, {}};
}

Reply show_descriptor(const Call& call) {
    return {200, "descriptor", to_yaml(descriptor(application_of(call))), {}, {}};
}

Reply check_dns(const Call& call) {
    // The appliance answers for every name below its suffix; an application that exists resolves.
    application_of(call);
    return {200, "boolean", true, {}, {}};
}

}  // namespace gearbox::rest::handlers
