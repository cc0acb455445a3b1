// Applications, domains and users as values; what the store keeps and the REST layer shows.
#pragma once
#include "base/id.h"
#include "model/gear.h"
#include "model/names.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

struct User {
    UserId id;
    Login login;
    std::int64_t max_domains = 0;
    std::int64_t max_gears = 0;
    std::int64_t created = 0;
    std::int64_t max_teams = 0;
    std::int64_t max_storage = 0;  ///< GB that a gear may have beside its base
    bool private_certificates = false;
    std::vector<std::string> gear_sizes = {"small"};
};

struct Domain {
    DomainId id;
    Namespace name;
    UserId owner;
    std::int64_t created = 0;
    std::vector<std::string> gear_sizes = {"small"};  ///< that its applications may use
};

/// A value that a cartridge showed at installation (CART_DATA), e.g. connection_url.
struct CartridgeProperty {
    std::string name;
    std::string value;
    bool operator==(const CartridgeProperty&) const = default;
};

/// A variable that a cartridge gives every application of its domain (cartridge contract, 7).
struct DomainVariable {
    VariableName name;
    std::string value;
    bool is_unique = false;  ///< no other application of the domain may give it
};

/// A cartridge that is part of an application.
struct InstalledCartridge {
    CartridgeName name;
    std::vector<CartridgeProperty> properties;
    std::int64_t added = 0;
    std::string url = {};       ///< of a user's own: where it came from; "" for those of the catalogue
    std::string manifest = {};  ///< of a user's own
};

/// Another host name of an application.
struct Alias {
    AliasName name;
    std::int64_t certificate_added = 0;  ///< seconds since the epoch; 0: it has none of its own
    bool operator==(const Alias&) const = default;
};

struct Application {
    ApplicationId id;
    ApplicationName name;
    DomainId domain;
    Namespace domain_name;
    UserId owner;
    uid_t uid = 0;  ///< of its gear
    std::vector<InstalledCartridge> cartridges;  ///< the web framework first
    std::string initial_git_url;                 ///< "" if none
    std::string secret_token;
    DeploymentSettings deployment;
    std::vector<EnvironmentVariable> variables;
    std::int64_t created = 0;
    GearResources resources = {};
    std::vector<Alias> aliases;           ///< sorted by name

    GearId gear() const { return GearId(id.text()); }
};

/// APP-DOMAIN.SUFFIX
std::string application_host(const Application& application, const std::string& cloud_domain);

/// For who has waited so long for the application's lock (broker.lock_wait_seconds).
std::string busy_text(const ApplicationName& name, std::chrono::seconds waited);

/// A git URL given at creation: what may be cloned (cartridge contract, 14.3).
struct GitSource {
    std::string url;     ///< "" and "empty" are not GitSources
    std::string branch;  ///< from "#fragment" or initial_git_branch; "" = the default branch
};
/// Empty if the text is not an acceptable URL: schemes git http https ftp ftps rsync, user@host:path,
/// and file: below the quickstart directory only. No control characters, no leading hyphen.
std::optional<GitSource> parse_git_source(std::string_view text, std::string_view quickstart_dir);

}  // namespace gearbox
