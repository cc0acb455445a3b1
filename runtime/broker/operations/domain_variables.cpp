// Variables that a cartridge of one application gives every application of its domain.
#include "broker/operations/plans.h"

namespace gearbox {

namespace {

// Store and gears change together: two changes in one domain must not write over each other.
template <typename Change>
void change_domain(const Effects& e, const DomainId& domain, const Change& change) {
    const auto lock = e.domain_locks.lock("variables:" + domain.text());
    change();
    const auto variables = e.store.domain_variables(domain);
    for (const ApplicationRecord& record : e.store.applications(domain)) {
        e.agent.set_domain_variables(record.value.gear(), variables);
    }
}

std::optional<DomainId> domain_of(const Effects& e, const ApplicationId& application) {
    const auto record = e.store.find_application(application.text());
    return record ? std::optional(record->value.domain) : std::nullopt;
}

}  // namespace

void give_domain_variables(const Effects& e, const ApplicationId& application,
                           const std::string& cartridge,
                           const std::vector<DomainVariable>& variables) {
    const auto domain = domain_of(e, application);
    if (domain && !variables.empty()) {
        change_domain(e, *domain, [&] {
            e.store.set_domain_variables(application, cartridge, variables);
        });
    }
}

void take_domain_variables(const Effects& e, const ApplicationId& application,
                           const std::string& cartridge) {
    const auto domain = domain_of(e, application);
    if (domain && !e.store.domain_variables(*domain).empty()) {
        change_domain(e, *domain, [&] { e.store.set_domain_variables(application, cartridge, {}); });
    }
}

void forget_application(const Effects& e, const ApplicationId& application) {
    const auto domain = domain_of(e, application);
    if (!domain || e.store.domain_variables(*domain).empty()) {
        e.store.remove_application(application);
    } else {
        change_domain(e, *domain, [&] { e.store.remove_application(application); });
    }
}

}  // namespace gearbox
