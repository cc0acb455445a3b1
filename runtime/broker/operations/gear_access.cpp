// What a gear gets from its domain, whoever holds the application's lock: who may log in, and the
// variables that cartridges of other applications give.
#include "broker/operations/plans.h"

namespace gearbox {

namespace {

// One at a time in a domain: the last to write has read last, and nobody writes to a gear that is
// being removed.
KeyedMutex::Lock lock_files(const Effects& e, const DomainId& domain) {
    return e.domain_locks.lock("files:" + domain.text());
}

// One that is being made gets everything when it is complete.
bool can_be_written(const Effects& e, const ApplicationRecord& record) {
    return record.stage == Stage::ready && e.agent.has_gear(record.value.gear());
}

template <typename Change>
void change_variables(const Effects& e, const DomainId& domain, const Change& change) {
    const auto lock = lock_files(e, domain);
    change();
    const auto variables = e.store.domain_variables(domain);
    for (const ApplicationRecord& record : e.store.applications(domain)) {
        if (can_be_written(e, record)) {
            e.agent.set_domain_variables(record.value.gear(), variables);
        }
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
        change_variables(e, *domain, [&] {
            e.store.set_domain_variables(application, cartridge, variables);
        });
    }
}

void take_domain_variables(const Effects& e, const ApplicationId& application,
                           const std::string& cartridge) {
    const auto domain = domain_of(e, application);
    if (domain && !e.store.domain_variables(*domain).empty()) {
        change_variables(e, *domain, [&] { e.store.set_domain_variables(application, cartridge, {}); });
    }
}

void forget_application(const Effects& e, const ApplicationId& application) {
    const auto domain = domain_of(e, application);
    if (!domain || e.store.domain_variables(*domain).empty()) {
        e.store.remove_application(application);
    } else {
        change_variables(e, *domain, [&] { e.store.remove_application(application); });
    }
}

void write_keys(const Effects& e, const Application& application) {
    const auto lock = lock_files(e, application.domain);
    const auto record = e.store.find_application(application.id.text());
    if (record && can_be_written(e, *record)) {
        e.agent.set_authorized_keys(application.gear(), authorized_keys(e.store, application.domain));
    }
}

void complete_gear(const Effects& e, const Application& application) {
    const auto lock = lock_files(e, application.domain);
    e.agent.set_authorized_keys(application.gear(), authorized_keys(e.store, application.domain));
    const auto variables = e.store.domain_variables(application.domain);
    if (!variables.empty()) {
        e.agent.set_domain_variables(application.gear(), variables);
    }
    e.agent.flush();
    e.store.set_stage(application.id, Stage::ready);
}

void mark_for_deletion(const Effects& e, const ApplicationId& application) {
    if (const auto domain = domain_of(e, application)) {
        const auto lock = lock_files(e, *domain);
        e.store.set_stage(application, Stage::deleting);
    }
}

}  // namespace gearbox
