#include "rest/handlers/handlers.h"

#include "rest/params.h"
#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

Json present(const Call& call, const Domain& domain) {
    const auto members = call.broker.members.list(domain);
    const User& owner = members.front().user;
    DomainDetails details{members, owner.max_gears - call.broker.users.consumed_gears(owner)};
    if (call.includes("application_info")) {
        const auto applications = call.broker.applications.list(domain);
        details.application_count = static_cast<std::int64_t>(applications.size());
        for (const Application& application : applications) {
            ++details.gear_counts[application.resources.size];
        }
    }
    return present_domain(domain, details, call.view);
}

}  // namespace

bool wants_own(const Call& call) {
    const auto owner = call.params.find("owner");
    if (owner != call.params.end() && *owner != "@self") {
        throw HttpError(400, "Only @self is supported for the 'owner' argument.");
    }
    return owner != call.params.end();
}

Reply list_domains(const Call& call) {
    Json list = Json::array();
    const auto domains = wants_own(call) ? call.broker.domains.own(call.who)
                                         : call.broker.domains.list(call.who);
    for (const Domain& domain : domains) {
        list.push_back(present(call, domain));
    }
    return {200, "domains", std::move(list), {}, {}};
}

Reply add_domain(const Call& call) {
    Problems problems;
    const DomainChange request = parse_domain_change(call.params, problems);
    problems.check();
    const Domain domain = call.broker.domains.create(call.who, request);
    return {201, "domain", present(call, domain),
            {{"info", str("Created domain with name ", domain.name.text())}}, {}};
}

Reply show_domain(const Call& call) {
    return {200, "domain", present(call, call.broker.domains.domain(call.who, call.part("domain"))),
            {}, {}};
}

Reply update_domain(const Call& call) {
    Problems problems;
    const DomainChange change = parse_domain_change(call.params, problems);
    problems.check();
    const Domain domain = call.broker.domains.update(call.who, call.part("domain"), change);
    return {200, "domain", present(call, domain),
            {{"info", str("Updated domain ", domain.name.text())}}, {}};
}

Reply delete_domain(const Call& call) {
    Problems problems;
    const bool force = Fields(call.params, problems).boolean("force").value_or(false);
    problems.check();
    call.broker.domains.remove(call.who, call.part("domain"), force);
    return {200, "", nullptr, {{"info", str("Domain ", call.part("domain"), " deleted.")}}, {}};
}

}  // namespace gearbox::rest::handlers
