// Aliases of an application and their certificates (broker contract, 18).
#include "broker/applications.h"
#include "broker/certificates.h"

#include <algorithm>

namespace gearbox {

namespace {

std::vector<Alias>::iterator find_alias(std::vector<Alias>& aliases, const std::string& name) {
    return std::find_if(aliases.begin(), aliases.end(),
                        [&](const Alias& alias) { return alias.name.text() == name; });
}

// APP-DOMAIN.SUFFIX and everything else below the suffix is the platform's to give.
bool is_below(const std::string& name, const std::string& suffix) {
    return name == suffix || name.ends_with("." + suffix);
}

}  // namespace

const Alias& ApplicationService::alias(const Application& application, const std::string& name) {
    const std::string wanted = to_lower(name);
    for (const Alias& alias : application.aliases) {
        if (alias.name.text() == wanted) {
            return alias;
        }
    }
    refuse(ErrorKind::not_found,
           str("Alias '", shown(name), "' not found for application '", application.name.text(),
               "'"),
           exit_code::alias_not_found);
}

AliasName ApplicationService::check_alias(const std::string& text) const {
    const auto name = AliasName::parse(text);
    const std::string& suffix = core_.settings.broker.cloud_domain;
    if (!name) {
        refuse(ErrorKind::invalid,
               text.empty() ? "An alias is required"
                            : str("Invalid alias '", shown(text),
                                  "'. It must be a host name such as www.example.org, at most 255"
                                  " characters"),
               exit_code::alias_name, "id");
    }
    if (is_below(name->text(), suffix) || is_below(name->text(), "localhost")) {
        refuse(ErrorKind::invalid,
               str("Alias '", name->text(), "' is in the domain of this platform, where names are"
                                            " given to applications only"),
               exit_code::alias_name, "id");
    }
    return *name;
}

void ApplicationService::run_aliases(const Principal& who, const Application& current,
                                     std::vector<Alias> aliases,
                                     const std::optional<RouterCertificate>& certificate) {
    if (certificate) {
        find_alias(aliases, certificate->host)->certificate_added = core_.clock.now();
    }
    std::sort(aliases.begin(), aliases.end(),
              [](const Alias& a, const Alias& b) { return a.name < b.name; });
    try {
        core_.runner.run(plan_set_aliases(current, who.user.id, aliases, certificate, core_.effects),
                         who.request_id);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::conflict) {
            refuse(ErrorKind::invalid, "The alias is already registered", exit_code::alias_exists,
                   "id");
        }
        throw;
    }
}

Application ApplicationService::add_alias(const Principal& who, const Application& application,
                                          const std::string& text,
                                          const AliasCertificate& certificate) {
    const AliasName name = check_alias(text);
    Application current;
    const auto lock = lock_ready(application, current);
    if (core_.store.is_alias(name.text())) {
        refuse(ErrorKind::invalid, str("Alias '", name.text(), "' is already registered"),
               exit_code::alias_exists, "id");
    }
    auto aliases = current.aliases;
    aliases.push_back({name, 0});
    run_aliases(who, current, aliases, check_certificate(current, name.text(), certificate));
    return this->application(who, current.id.text());
}

std::optional<RouterCertificate> ApplicationService::check_certificate(
    const Application& application, const std::string& host,
    const AliasCertificate& certificate) const {
    if (certificate.is_empty()) {
        return std::nullopt;
    }
    const auto owner = core_.store.find_user(application.owner);
    if (!owner || !owner->private_certificates) {
        refuse(ErrorKind::forbidden, "User is not authorized to add private SSL certificates",
               exit_code::certificates_not_allowed, "ssl_certificate");
    }
    return RouterCertificate{host, make_router_certificate(certificate.chain, certificate.key,
                                                           certificate.pass_phrase,
                                                           core_.clock.now())};
}

Application ApplicationService::update_alias(const Principal& who, const Application& application,
                                             const std::string& text,
                                             const AliasCertificate& certificate) {
    Application current;
    const auto lock = lock_ready(application, current);
    const std::string name = alias(current, text).name.text();
    auto aliases = current.aliases;
    find_alias(aliases, name)->certificate_added = 0;
    run_aliases(who, current, aliases, check_certificate(current, name, certificate));
    return this->application(who, current.id.text());
}

Application ApplicationService::remove_alias(const Principal& who, const Application& application,
                                             const std::string& text) {
    Application current;
    const auto lock = lock_ready(application, current);
    auto aliases = current.aliases;
    aliases.erase(find_alias(aliases, alias(current, text).name.text()));
    run_aliases(who, current, aliases, std::nullopt);
    return this->application(who, current.id.text());
}

}  // namespace gearbox
