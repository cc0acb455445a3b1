// Domains: the namespaces that hold a user's applications.
#pragma once
#include "broker/core.h"

#include <functional>
#include <optional>

namespace gearbox {

/// Present members are to be changed.
struct DomainChange {
    std::optional<std::string> name;
    std::optional<std::vector<std::string>> gear_sizes;
};

class DomainService {
public:
    /// Deletes one application; used by remove with force.
    using RemoveApplication = std::function<void(const Principal&, const Application&)>;
    DomainService(Core& core, RemoveApplication remove_application)
        : core_(core), remove_application_(std::move(remove_application)) {}

    /// The user's own, oldest first.
    std::vector<Domain> own(const Principal& who) const;
    /// The same, then those of which the user is a member; what the token may see of them.
    std::vector<Domain> list(const Principal& who) const;
    /// Throws 404/127 for what does not exist and for those of which the user is no member.
    Domain domain(const Principal& who, const std::string& name) const;
    Domain create(const Principal& who, const DomainChange& request);
    Domain update(const Principal& who, const std::string& name, const DomainChange& change);
    void remove(const Principal& who, const std::string& name, bool force);
    /// For a domain that was made for an application which then could not be created.
    void remove_if_empty(const Domain& domain);

private:
    Core& core_;
    RemoveApplication remove_application_;
};

/// 106 for a name that breaks the rule; 403/106 for a reserved word.
Namespace parse_namespace(const std::string& name);

/// Words that neither domains nor applications may be called.
bool is_reserved_name(const std::string& name);

}  // namespace gearbox
