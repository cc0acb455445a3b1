// Users and their passwords.
#pragma once
#include "broker/core.h"
#include "broker/passwords.h"

#include <filesystem>
#include <optional>

namespace gearbox {

/// What an operator may change of a user; absent members stay.
struct UserLimits {
    std::optional<std::int64_t> max_domains = {};  ///< 0 to 1,000,000, as all numbers here
    std::optional<std::int64_t> max_gears = {};
    std::optional<std::int64_t> max_teams = {};
    std::optional<std::int64_t> max_storage = {};  ///< GB a gear, beside its base
    std::optional<bool> private_certificates = {};
    std::optional<std::vector<std::string>> gear_sizes = {};  ///< of those that this host has
};

class UserService {
public:
    UserService(Core& core, Passwords& passwords) : core_(core), passwords_(passwords) {}

    /// Empty: unknown login or wrong password; both take the time of one check.
    std::optional<User> authenticate(const std::string& login, const std::string& password);

    std::vector<User> list() const { return core_.store.users(); }
    /// Throws RequestError 107 for a bad login or password, Error(conflict) if it is there.
    User create(const std::string& login, const std::string& password);
    void set_password(const std::string& login, const std::string& password);
    /// Throws RequestError 107 for numbers out of range, 110 for sizes that do not exist. What is in
    /// use already stays, even if it is more than allowed from now on.
    User set_limits(const std::string& login, const UserLimits& limits);
    /// The user must have no domains.
    void remove(const std::string& login);
    User user(const std::string& login) const;
    std::int64_t consumed_gears(const User& user) const { return core_.store.gears_of(user.id); }

    /// Makes the users of {"users":[{"login","password"}]} that are not there yet and removes the
    /// file. No file: nothing to do.
    void import(const std::filesystem::path& file);

private:
    Core& core_;
    Passwords& passwords_;
};

}  // namespace gearbox
