#include "broker/access.h"

#include "broker/problems.h"

#include <algorithm>

namespace gearbox {

namespace {

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t month = 30 * day;

bool is_enough(const Scope& scope, const Target& target, Role needed, bool is_read) {
    switch (scope.kind) {
        case Scope::Kind::session:
            return true;
        case Scope::Kind::read:
            return is_read;
        case Scope::Kind::userinfo:
            return false;
        case Scope::Kind::domain:
            return scope.id == target.domain.text() && needed <= scope.role;
        case Scope::Kind::application:
            return target.application && scope.id == target.application->text() &&
                   needed <= scope.role;
    }
    return false;
}

}  // namespace

std::optional<Scope> parse_scope(const std::string& word) {
    if (word == "session") {
        return Scope{Scope::Kind::session, "", Role::owner, day, 7 * day};
    }
    if (word == "read") {
        return Scope{Scope::Kind::read, "", Role::view, month, 6 * month};
    }
    if (word == "userinfo") {
        return Scope{Scope::Kind::userinfo, "", Role::view, month, 6 * month};
    }
    const auto first = word.find('/');
    const auto second = word.rfind('/');
    if (first == std::string::npos || second == first) {
        return std::nullopt;
    }
    const std::string kind = word.substr(0, first);
    const std::string id = word.substr(first + 1, second - first - 1);
    const std::string level = word.substr(second + 1);
    const bool is_application = kind == "application";
    // Nothing can be scaled on one host: what is left of that scope is to look.
    const auto role = is_application && level == "scale" ? Role::view : parse_role(level);
    if ((!is_application && kind != "domain") || !is_object_id(id) || !role) {
        return std::nullopt;
    }
    return Scope{is_application ? Scope::Kind::application : Scope::Kind::domain, id, *role, month,
                 6 * month};
}

std::vector<Scope> parse_scopes(const std::string& text) {
    std::vector<Scope> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find_first_of(" ,", begin), text.size());
        if (auto scope = parse_scope(text.substr(begin, end - begin))) {
            out.push_back(std::move(*scope));
        }
        begin = end + 1;
    }
    return out;
}

std::optional<Role> role_in(const StateStore& store, const UserId& user, const DomainId& domain) {
    const auto found = store.find_domain(domain);
    if (!found) {
        return std::nullopt;
    }
    return found->owner == user ? std::optional(Role::owner) : store.find_role(domain, user);
}

Team find_team(const StateStore& store, const UserId& user, const std::string& id) {
    const auto is_seen_by_user = [&](const Team& team) {
        const auto members = store.team_members(team.id);
        const auto domains = store.domains_of_team(team.id);
        return team.owner == user || std::find(members.begin(), members.end(), user) != members.end() ||
               std::any_of(domains.begin(), domains.end(), [&](const DomainId& domain) {
                   return role_in(store, user, domain).has_value();
               });
    };
    auto team = is_object_id(id) ? store.find_team(TeamId(id)) : std::nullopt;
    if (!team || !is_seen_by_user(*team)) {
        refuse(ErrorKind::not_found, str("There is no team with the id '", shown(id), "'."),
               exit_code::member_not_found, "id");
    }
    return std::move(*team);
}

void check_access(const StateStore& store, const Principal& who, const Target& target, Role needed,
                  bool is_read) {
    const auto role = role_in(store, who.user.id, target.domain);
    if (!role) {
        // It was there when the path was looked up: deleted in the meantime, or left.
        refuse(ErrorKind::not_found, "Domain not found.", exit_code::domain_not_found);
    }
    if (*role < needed) {
        refuse(ErrorKind::forbidden,
               str("You are not permitted to perform this action: it needs the role '",
                   name_of(needed), "' in the domain"),
               exit_code::unspecified);
    }
    const auto scopes = parse_scopes(who.scopes);
    if (std::none_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
            return is_enough(scope, target, needed, is_read);
        })) {
        refuse(ErrorKind::forbidden,
               str("This action is not allowed with your current authorization, whose scopes are '",
                   who.scopes, "'"),
               exit_code::unspecified);
    }
}

bool may_see(const Principal& who, const Target& target) {
    const auto scopes = parse_scopes(who.scopes);
    return std::any_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
        // The domain of an application that may be seen is no secret.
        return is_enough(scope, target, Role::view, true);
    });
}

}  // namespace gearbox
