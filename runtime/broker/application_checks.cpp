// The rules for what may be created (broker contract, 14.3 and 23).
#include "broker/applications.h"
#include "broker/gear_sizes.h"
#include "model/cartridge_url.h"

#include <algorithm>
#include <array>
#include <set>

namespace gearbox {

namespace {

constexpr std::size_t most_variables = 50;
constexpr std::size_t longest_value = 512;

// Characters, not bytes: continuation bytes do not count.
std::size_t utf8_length(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

// Those of the gear itself (cartridge contract, 5.3 and 5.5): a user's value would break it. OPENSHIFT_SECRET_TOKEN is
// the exception: whoever moves an application here brings what it signs its cookies with.
bool is_platform_variable(const std::string& name) {
    constexpr std::array<std::string_view, 36> names = {
        "OPENSHIFT_PRIMARY_CARTRIDGE_DIR", "OPENSHIFT_NAMESPACE", "PATH", "IFS", "USER", "SHELL",
        "HOSTNAME", "LOGNAME", "HOME", "OPENSHIFT_HOMEDIR", "OPENSHIFT_APP_NAME",
        "OPENSHIFT_APP_UUID", "OPENSHIFT_APP_DNS", "OPENSHIFT_GEAR_NAME", "OPENSHIFT_GEAR_UUID",
        "OPENSHIFT_GEAR_DNS", "OPENSHIFT_DATA_DIR", "OPENSHIFT_REPO_DIR",
        "OPENSHIFT_DEPENDENCIES_DIR", "OPENSHIFT_BUILD_DEPENDENCIES_DIR",
        "OPENSHIFT_DEPLOYMENTS_DIR", "OPENSHIFT_LOG_DIR", "OPENSHIFT_TMP_DIR", "TMP", "TMPDIR",
        "TMP_DIR", "OPENSHIFT_GEAR_MEMORY_MB", "OPENSHIFT_APP_SSH_KEY",
        "OPENSHIFT_APP_SSH_PUBLIC_KEY", "OPENSHIFT_KEEP_DEPLOYMENTS",
        "OPENSHIFT_DEPLOYMENT_BRANCH", "OPENSHIFT_AUTO_DEPLOY", "OPENSHIFT_DEPLOYMENT_TYPE",
        "OPENSHIFT_CLOUD_DOMAIN", "OPENSHIFT_BROKER_HOST", "OPENSHIFT_CARTRIDGE_SDK_BASH"};
    return name.ends_with("_IDENT") ||
           std::find(names.begin(), names.end(), name) != names.end();
}

void check_git_url(const CreateApplication& request, const std::string& quickstart_dir,
                   Problems& problems) {
    const std::string& url = request.initial_git_url;
    if (url.empty()) {
        if (!request.initial_git_branch.empty()) {
            problems.add("initial_git_branch needs an initial_git_url", exit_code::git_url,
                         "initial_git_url");
        }
        return;
    }
    const bool is_with_ref = url.find('#') != std::string::npos;
    const std::string whole = request.initial_git_branch.empty() || is_with_ref
                                  ? url
                                  : str(url, "#", request.initial_git_branch);
    if (url != "empty" && !parse_git_source(whole, quickstart_dir)) {
        problems.add(str("Invalid initial git URL '", shown(public_git_url(url)),
                         "'. Use git, http, https, ssh, ftp, ftps or rsync, or user@host:path"),
                     exit_code::git_url, "initial_git_url");
    }
}

void check_wishes(const CreateApplication& request, const Settings& settings, Problems& problems) {
    std::vector<std::string> urls;
    for (const CartridgeWish& wish : request.cartridges) {
        if (wish.name.empty() == wish.url.empty()) {
            problems.add("Each cartridge must have either a name or a url", exit_code::cartridge,
                         "cartridge");
        } else if (!wish.url.empty()) {
            urls.push_back(wish.url);
        }
    }
    check_own_urls(urls, 0, settings, problems);
}

// The size asked for, which the host has and both the owner and the domain allow; without one, what the
// host offers of those.
std::string choose_size(const CreateApplication& request, const CreationRules& rules, Problems& problems) {
    std::vector<std::string> allowed;
    for (const std::string& size : rules.host_sizes) {
        const auto has = [&](const std::vector<std::string>& list) {
            return std::find(list.begin(), list.end(), size) != list.end();
        };
        if (has(rules.owner.gear_sizes) && has(rules.domain_sizes)) {
            allowed.push_back(size);
        }
    }
    std::string size = request.gear_size;
    for (const CartridgeWish& wish : request.cartridges) {
        size = size.empty() ? wish.gear_size : size;
        if (!wish.gear_size.empty() && wish.gear_size != size) {
            problems.add("All cartridges of an application that is not scaled share a gear: one size for all",
                         exit_code::gear_size, "gear_size");
        }
    }
    if (allowed.empty()) {
        problems.add("The domain allows no gear sizes", exit_code::gear_size, "gear_size");
    } else if (size.empty()) {
        size = rules.settings.size_offered(allowed);
    } else if (std::find(allowed.begin(), allowed.end(), size) == allowed.end()) {
        problems.add(str("The gear size '", shown(size), "' is not allowed. Allowed sizes: ", listed(allowed)),
                     exit_code::gear_size, "gear_size");
    }
    return size;
}

void check_name(const std::string& name, Problems& problems) {
    if (name.empty()) {
        problems.add("Application name is required and cannot be blank.",
                     exit_code::application_name, "name");
    } else if (!ApplicationName::parse(name)) {
        problems.add(str("Invalid application name '", shown(name),
                         "'. Application name must contain only alphanumeric characters (at most"
                         " 32)."),
                     exit_code::application_name, "name");
    }
}

std::string names_of(const std::vector<Cartridge>& cartridges) {
    std::string out;
    for (const Cartridge& cartridge : cartridges) {
        out += str(out.empty() ? "" : ", ", cartridge.full_name());
    }
    return out;
}

std::optional<Cartridge> resolve(const std::string& word, const CartridgeCatalogue& catalogue,
                                 Problems& problems) {
    const auto found = catalogue.match(word);
    if (found.size() == 1) {
        return found.front();
    }
    if (found.empty()) {
        problems.add(str("Invalid cartridge '", shown(word), "' specified."), exit_code::cartridge,
                     "cartridge");
    } else {
        problems.add(str("Several cartridges match '", shown(word), "': ", names_of(found),
                         ". Please name one."),
                     exit_code::several_cartridges, "cartridge");
    }
    return std::nullopt;
}

}  // namespace

std::string unfit_among(const Cartridge& cartridge, const std::vector<Cartridge>& others) {
    if (cartridge.obsolete && !cartridge.is_own()) {
        return str(cartridge.full_name(), " is obsolete: it is only for applications that have it");
    }
    for (const Cartridge& other : others) {
        const std::string word = other.name == cartridge.name ? "" : cartridge.conflict_with(other);
        if (!word.empty()) {
            return str(cartridge.full_name(), " and ", other.full_name(), " cannot be in one application: they conflict over '",
                       word, "'");
        }
    }
    return "";
}

void check_set(const std::vector<Cartridge>& chosen, const CartridgeCatalogue& catalogue,
               Problems& problems) {
    std::set<std::string> names;
    for (const Cartridge& cartridge : chosen) {
        const auto until = chosen.begin() + (&cartridge - chosen.data());  // each pair once
        if (const std::string unfit = unfit_among(cartridge, {chosen.begin(), until}); !unfit.empty()) {
            problems.add(unfit, exit_code::cartridge, "cartridge");
        }
        if (const std::string missing = cartridge.missing_before(chosen); !missing.empty()) {
            problems.add(str(cartridge.full_name(), " can not be added without ", missing), exit_code::dependency, "cartridge");
        }
        if (!names.insert(cartridge.name).second) {
            problems.add(str(cartridge.full_name(), " is given twice, or in two versions"),
                         exit_code::cartridge, "cartridge");
        }
        for (const std::string& feature : cartridge.requires_features) {
            if (std::none_of(chosen.begin(), chosen.end(),
                             [&](const Cartridge& c) { return c.answers_to(feature); })) {
                problems.add(str(cartridge.full_name(), " needs '", feature,
                                 "', which is not among the cartridges"),
                             exit_code::cartridge, "cartridges");
            }
        }
    }
    const auto frameworks = std::count_if(chosen.begin(), chosen.end(),
                                          [](const auto& c) { return c.is_web_framework(); });
    if (frameworks == 1) {
        return;
    }
    std::vector<Cartridge> available;
    const auto all = catalogue.list();
    for (const Cartridge& cartridge : *all) {
        if (cartridge.is_web_framework()) {
            available.push_back(cartridge);
        }
    }
    problems.add(frameworks == 0
                     ? str("An application must contain one web cartridge. Available: ",
                           names_of(available))
                     : std::string("An application may contain only one web cartridge."),
                 exit_code::cartridge, "cartridge");
}

void check_own_urls(const std::vector<std::string>& urls, std::size_t there, const Settings& settings,
                    Problems& problems) {
    if (urls.empty()) {
        return;
    }
    if (!settings.cartridges.by_url) {
        problems.add("Downloaded cartridges are not enabled on this host", exit_code::cartridge, "cartridge");
        return;
    }
    constexpr std::size_t most = 5;
    if (urls.size() + there > most) {
        problems.add(str("An application may have at most ", most, " downloaded cartridges"), exit_code::cartridge,
                     "cartridge");
    }
    for (const std::string& url : urls) {
        const std::string wrong = wrong_with_cartridge_url(url, settings.cartridges.url_prefixes);
        if (!wrong.empty()) {
            problems.add(str("The address '", shown(public_git_url(url)), "' ", wrong), exit_code::cartridge, "cartridge");
        }
    }
}

std::string public_git_url(const std::string& url) {
    if (url == "empty") {
        return "";
    }
    const auto scheme = url.find("://");
    if (scheme == std::string::npos) {
        return url;
    }
    const auto host = scheme + 3;
    const auto path = url.find('/', host);
    const auto at = url.rfind('@', path);
    const bool has_user = at != std::string::npos && at >= host;
    return has_user ? url.substr(0, host) + url.substr(at + 1) : url;
}

void check_variables(const std::vector<EnvironmentVariable>& variables, Problems& problems) {
    if (variables.size() > most_variables) {
        problems.add(str("An application may have at most ", most_variables,
                         " environment variables"),
                     exit_code::variables, "environment_variables");
    }
    std::set<std::string> names;
    for (const EnvironmentVariable& variable : variables) {
        if (!VariableName::parse(variable.name)) {
            problems.add(str("Name '", shown(variable.name),
                             "' must start with a letter or underscore and contain only letters,"
                             " digits and underscores (at most 128)"),
                         exit_code::variable_name, "environment_variables");
        } else if (is_platform_variable(variable.name)) {
            problems.add(str("Name '", variable.name, "' belongs to the platform"),
                         exit_code::variable_name, "environment_variables");
        } else if (!names.insert(variable.name).second) {
            problems.add(str("Name '", variable.name, "' is given twice"), exit_code::variable_name,
                         "environment_variables");
        }
        if (utf8_length(variable.value) > longest_value ||
            variable.value.find('\0') != std::string::npos) {
            problems.add(str("Value of '", shown(variable.name), "' is longer than ", longest_value,
                             " characters or contains a null byte"),
                         exit_code::variable_value, "environment_variables");
        }
    }
}

void check_storage(std::int64_t gigabytes, const User& owner, Problems& problems) {
    if (gigabytes != 0 && owner.max_storage == 0) {
        problems.add("You are not allowed to request additional gear storage",
                     exit_code::storage_not_allowed, "additional_storage");
    } else if (gigabytes < 0 || gigabytes > owner.max_storage) {
        problems.add(str("Additional gear storage must be from 0 to ", owner.max_storage, " GB"),
                     exit_code::storage, "additional_storage");
    }
}

std::vector<Cartridge> choose_cartridges(const std::vector<std::string>& words,
                                         const CartridgeCatalogue& catalogue, Problems& problems,
                                         bool is_whole) {
    std::vector<Cartridge> chosen;
    for (const std::string& word : words) {
        // "": a wish that was no name; check_wishes has told it.
        if (const auto found = word.empty() ? std::nullopt : resolve(word, catalogue, problems)) {
            chosen.push_back(*found);
        }
    }
    if (is_whole && chosen.size() == words.size()) {
        check_set(chosen, catalogue, problems);
    }
    return in_configure_order(std::move(chosen));
}

CheckedCreation check_creation(const CreateApplication& request, const CreationRules& rules,
                               const CartridgeCatalogue& catalogue, Problems& problems) {
    const User& owner = rules.owner;
    if (!request.region.empty()) {
        problems.add("Regions are not supported on this host", exit_code::unspecified, "region");
    }
    if (is_reserved_name(request.name)) {
        refuse(ErrorKind::forbidden,
               str("Application name '", request.name, "' is not allowed. Please choose another."),
               exit_code::application_name, "name");
    }
    check_git_url(request, rules.settings.node.quickstart_dir, problems);
    check_wishes(request, rules.settings, problems);
    if (owner.gear_sizes.empty()) {
        refuse(ErrorKind::forbidden, "You are not allowed to use any gear size",
               exit_code::gear_size, "gear_size");
    }
    CheckedCreation checked;
    checked.gear_size = choose_size(request, rules, problems);
    if (request.ha) {
        problems.add("High availability is not supported on this host", exit_code::unspecified, "ha");
    }
    if (request.scale) {
        problems.add("Scaled applications are not supported on this host: an application is one gear, which may have a larger size",
                     exit_code::unspecified, "scale");
    }
    check_name(request.name, problems);
    if (rules.consumed_gears >= owner.max_gears) {
        problems.add(str("You have reached your gear limit: ", rules.consumed_gears, " of ",
                         owner.max_gears, " in use"),
                     exit_code::gear_limit);
    }
    check_variables(request.variables, problems);
    std::vector<std::string> words;
    for (const CartridgeWish& wish : request.cartridges) {
        if (wish.url.empty()) {
            words.push_back(wish.name);
        } else {
            checked.own_urls.push_back(wish.url);
        }
        check_storage(wish.additional_storage.value_or(0), owner, problems);
    }
    checked.cartridges = choose_cartridges(words, catalogue, problems, checked.own_urls.empty());
    return checked;
}

}  // namespace gearbox
