#include "broker/users.h"

#include "base/file.h"
#include "base/log.h"
#include "broker/access_change.h"
#include "broker/gear_sizes.h"
#include "broker/problems.h"

namespace gearbox {

namespace {

constexpr int bad_login = 107;
constexpr std::size_t longest_password = 1024;

void check_password(const std::string& password) {
    if (password.empty() || password.size() > longest_password ||
        password.find('\0') != std::string::npos) {
        refuse(ErrorKind::invalid, "A password has from 1 to 1024 characters", bad_login, "password");
    }
}

}  // namespace

std::optional<User> UserService::authenticate(const std::string& login,
                                              const std::string& password) {
    if (password.empty() || password.size() > longest_password) {
        return std::nullopt;
    }
    const auto found = core_.store.find_user(login);
    if (found) {
        const std::string stored = core_.store.password_hash(found->id);
        return passwords_.verify(found->id, stored, password) ? found : std::nullopt;
    }
    if (core_.settings.broker.create_users && Login::parse(login)) {
        return create(login, password);
    }
    // As slow as a wrong password, so that the time does not tell which logins exist.
    passwords_.hash(password);
    return std::nullopt;
}

User UserService::create(const std::string& login, const std::string& password) {
    const auto parsed = Login::parse(login);
    if (!parsed) {
        refuse(ErrorKind::invalid, str("Login '", shown(login), "' is not valid"), bad_login, "login");
    }
    check_password(password);
    if (core_.store.find_user(login)) {
        refuse(ErrorKind::conflict, str("User '", login, "' exists already"), bad_login, "login");
    }
    User user;
    user.id = UserId(core_.ids());
    user.login = *parsed;
    user.max_domains = core_.settings.broker.max_domains;
    user.max_gears = core_.settings.broker.max_gears;
    if (const std::string& size = core_.settings.broker.default_gear_size; size != user.gear_sizes.front()) {
        user.gear_sizes.push_back(size);
    }
    user.created = core_.clock.now();
    core_.store.insert_user(user, passwords_.hash(password));
    log::info("user created", log::field("login", login));
    return user;
}

User UserService::user(const std::string& login) const {
    auto found = core_.store.find_user(login);
    if (!found) {
        refuse(ErrorKind::not_found, str("User '", shown(login), "' not found"),
               exit_code::user_not_found);
    }
    return *found;
}

void UserService::set_password(const std::string& login, const std::string& password) {
    check_password(password);
    core_.store.set_password_hash(user(login).id, passwords_.hash(password));
}

User UserService::set_limits(const std::string& login, const UserLimits& limits) {
    constexpr std::int64_t most = 1'000'000;
    const auto lock = core_.domain_locks.lock("login:" + login);
    User changed = user(login);
    Problems problems;
    const auto set = [&](const char* name, const std::optional<std::int64_t>& value,
                         std::int64_t& target) {
        if (value && (*value < 0 || *value > most)) {
            problems.add(str("'", name, "' must be from 0 to ", most), bad_login, name);
        }
        target = value.value_or(target);
    };
    set("max_domains", limits.max_domains, changed.max_domains);
    set("max_gears", limits.max_gears, changed.max_gears);
    set("max_teams", limits.max_teams, changed.max_teams);
    set("max_storage", limits.max_storage, changed.max_storage);
    check_sizes(limits.gear_sizes.value_or(std::vector<std::string>()), core_.settings, "gear_sizes", problems);
    problems.check();
    changed.private_certificates =
        limits.private_certificates.value_or(changed.private_certificates);
    changed.gear_sizes = limits.gear_sizes.value_or(changed.gear_sizes);
    core_.store.update_limits(changed);
    log::info("limits changed", log::field("login", login));
    return changed;
}

void UserService::remove(const std::string& login) {
    const User found = user(login);
    if (!core_.store.domains(found.id).empty()) {
        refuse(ErrorKind::invalid, str("User '", login, "' still has domains"), 139);
    }
    // Their teams go with them, and so do the rights of others that came from these.
    std::vector<DomainId> joined;
    for (const Domain& domain : core_.store.domains_of_member(found.id)) {
        joined.push_back(domain.id);
    }
    for (const Team& team : core_.store.teams_of_owner(found.id)) {
        const auto domains = core_.store.domains_of_team(team.id);
        joined.insert(joined.end(), domains.begin(), domains.end());
    }
    core_.store.remove_user(found.id);
    distribute_keys(core_, applications_of(core_.store, joined));
    log::info("user removed", log::field("login", login));
}

void UserService::import(const std::filesystem::path& file) {
    const auto text = find_file(file);
    if (!text) {
        return;
    }
    const Json json = while_doing([&] { return parse_json(*text); }, "reading '", file.native(), "'");
    for (const Json& entry : take<Json>(json, "users")) {
        const auto login = take<std::string>(entry, "login");
        if (!core_.store.find_user(login)) {
            create(login, take<std::string>(entry, "password"));
        }
    }
    std::filesystem::remove(file);
}

}  // namespace gearbox
