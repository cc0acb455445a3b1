#include "broker/domains.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/gear_sizes.h"
#include "broker/problems.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

[[noreturn]] void refuse_taken(const std::string& name) {
    refuse(ErrorKind::invalid,
           str("Namespace '", name, "' is already in use. Please choose another."),
           exit_code::namespace_exists, "id");
}

}  // namespace

bool is_reserved_name(const std::string& name) {
    // What would make one host look like the platform itself.
    constexpr std::array<std::string_view, 3> reserved = {"openshift", "gearbox", "broker"};
    return std::find(reserved.begin(), reserved.end(), to_lower(name)) != reserved.end();
}

Namespace parse_namespace(const std::string& name) {
    if (is_reserved_name(name)) {
        refuse(ErrorKind::forbidden,
               str("Namespace '", name, "' is not allowed. Please choose another."),
               exit_code::namespace_name, "name");
    }
    const auto parsed = Namespace::parse(name);
    if (!parsed) {
        refuse(ErrorKind::invalid,
               name.empty() ? "Namespace is required and cannot be blank."
                            : str("Invalid namespace '", shown(name),
                                  "'. Namespace must only contain alphanumeric characters and have"
                                  " at most 16 of them."),
               exit_code::namespace_name, "name");
    }
    return *parsed;
}

std::vector<Domain> DomainService::own(const Principal& who) const {
    std::vector<Domain> out = core_.store.domains(who.user.id);
    std::erase_if(out, [&](const Domain& domain) { return !may_see(who, {domain.id}); });
    return out;
}

std::vector<Domain> DomainService::list(const Principal& who) const {
    std::vector<Domain> out = own(who);
    for (Domain& domain : core_.store.domains_of_member(who.user.id)) {
        if (may_see(who, {domain.id})) {
            out.push_back(std::move(domain));
        }
    }
    return out;
}

Domain DomainService::domain(const Principal& who, const std::string& name) const {
    const auto found = core_.store.find_domain(to_lower(name));
    if (!found || !role_in(core_.store, who.user.id, found->id)) {
        refuse(ErrorKind::not_found, str("Domain '", shown(name), "' not found."),
               exit_code::domain_not_found);
    }
    return *found;
}

Domain DomainService::create(const Principal& who, const DomainChange& request) {
    const Namespace name = parse_namespace(request.name.value_or(""));
    Problems problems;
    check_sizes(request.gear_sizes.value_or(std::vector<std::string>()), core_.settings,
                "allowed_gear_sizes", problems);
    problems.check();
    // Both locks: two requests must neither take one name nor the last domain of one user.
    const auto user_lock = core_.domain_locks.lock("user:" + who.user.id.text());
    const auto lock = core_.domain_locks.lock(name.text());
    if (static_cast<std::int64_t>(core_.store.domains(who.user.id).size()) >=
        who.user.max_domains) {
        refuse(ErrorKind::conflict,
               str("You may not have more than ", who.user.max_domains, " domains."),
               exit_code::namespace_exists);
    }
    if (core_.store.find_domain(name.text())) {
        refuse_taken(name.text());
    }
    Domain domain;
    domain.id = DomainId(core_.ids());
    domain.name = name;
    domain.owner = who.user.id;
    domain.created = core_.clock.now();
    domain.gear_sizes = request.gear_sizes.value_or(who.user.gear_sizes);
    core_.store.insert_domain(domain);
    log::info("domain created", log::field("domain", name.text()),
              log::field("login", who.user.login.text()));
    return domain;
}

Domain DomainService::update(const Principal& who, const std::string& name,
                             const DomainChange& change) {
    Domain domain = this->domain(who, name);
    const Domain before = domain;
    if (change.name) {
        domain.name = parse_namespace(*change.name);
    }
    Problems problems;
    check_sizes(change.gear_sizes.value_or(std::vector<std::string>()), core_.settings,
                "allowed_gear_sizes", problems);
    problems.check();
    if (change.gear_sizes) {
        domain.gear_sizes = *change.gear_sizes;
    }
    if (domain.name == before.name && domain.gear_sizes == before.gear_sizes) {
        refuse(ErrorKind::invalid, "No changes specified to the domain.",
               exit_code::domain_unchanged);
    }
    // In the order of the names, so that two crossing renames cannot wait for each other.
    const auto first = core_.domain_locks.lock(std::min(before.name, domain.name).text());
    std::optional<KeyedMutex::Lock> second;
    if (domain.name != before.name) {
        second.emplace(core_.domain_locks.lock(std::max(before.name, domain.name).text()));
        if (!core_.store.applications(domain.id).empty()) {
            refuse(ErrorKind::invalid,
                   "Domains with applications cannot be renamed. Delete the applications first.",
                   exit_code::domain_not_empty);
        }
        if (core_.store.find_domain(domain.name.text())) {
            refuse_taken(domain.name.text());
        }
    }
    core_.store.update_domain(domain);
    return domain;
}

void DomainService::remove_if_empty(const Domain& domain) {
    const auto lock = core_.domain_locks.lock(domain.name.text());
    if (core_.store.applications(domain.id).empty()) {
        core_.store.remove_domain(domain.id);
    }
}

void DomainService::remove(const Principal& who, const std::string& name, bool force) {
    const auto lock = core_.domain_locks.lock(to_lower(name));
    const Domain domain = this->domain(who, name);
    const auto applications = core_.store.applications(domain.id);
    if (!applications.empty() && !force) {
        refuse(ErrorKind::invalid,
               "Domain contains applications. Delete applications first or set force to true.",
               exit_code::domain_not_empty);
    }
    for (const ApplicationRecord& record : applications) {
        remove_application_(who, record.value);
    }
    core_.store.remove_domain(domain.id);
    log::info("domain deleted", log::field("domain", domain.name.text()));
}

}  // namespace gearbox
