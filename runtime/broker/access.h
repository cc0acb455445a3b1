// Who may do what: roles in domains, and what a token is good for (broker contract, 11 and 13).
#pragma once
#include "broker/core.h"
#include "model/role.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// One word of a token's scopes.
struct Scope {
    enum class Kind { session, read, userinfo, domain, application };
    Kind kind = Kind::session;
    std::string id = {};      ///< of the domain or application
    Role role = Role::view;   ///< there
    std::int64_t lifetime = 0;  ///< seconds, when none is asked for
    std::int64_t longest = 0;
};

/// session, read, userinfo, domain/ID/(view|edit|admin), application/ID/(view|edit|admin|scale).
std::optional<Scope> parse_scope(const std::string& word);
/// Words separated by blanks or commas; unknown ones are left out.
std::vector<Scope> parse_scopes(const std::string& text);

/// What a request is about.
struct Target {
    DomainId domain;
    std::optional<ApplicationId> application = std::nullopt;
};

/// What the user is in the domain; empty for strangers.
std::optional<Role> role_in(const StateStore& store, const UserId& user, const DomainId& domain);

/// The team, if the user owns it, is one of its members or shares a domain with it. Throws 404/132
/// otherwise.
Team find_team(const StateStore& store, const UserId& user, const std::string& id);

/// Throws 403 unless the caller has the role there and their token is good for it. Strangers are
/// the caller's to keep out before, with a 404.
void check_access(const StateStore& store, const Principal& who, const Target& target, Role needed,
                  bool is_read);

/// Whether the scopes let their holder see the target at all; for lists.
bool may_see(const Principal& who, const Target& target);

}  // namespace gearbox
