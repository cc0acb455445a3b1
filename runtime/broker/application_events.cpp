// Changes of an application that is there: its cartridges, variables and deployment settings.
#include "broker/applications.h"

#include "broker/gear_sizes.h"

#include <algorithm>
#include <cstdlib>

namespace gearbox {

namespace {

const InstalledCartridge* find_installed(const Application& application, const std::string& name) {
    const auto found =
        std::find_if(application.cartridges.begin(), application.cartridges.end(),
                     [&](const InstalledCartridge& c) { return c.name.text() == name; });
    return found == application.cartridges.end() ? nullptr : &*found;
}

const InstalledCartridge& check_installed(const Application& application, const std::string& name) {
    const InstalledCartridge* const found = find_installed(application, name);
    if (found == nullptr) {
        refuse(ErrorKind::not_found,
               str("Cartridge '", shown(name), "' not found in application '",
                   application.name.text(), "'"),
               exit_code::cartridge_not_found);
    }
    return *found;
}

}  // namespace

bool is_git_ref(const std::string& text) {
    return !text.empty() && text.size() <= 256 && text.front() != '-' && text.front() != '/' &&
           text.back() != '/' && text.back() != '.' && !text.ends_with(".lock") &&
           text.find("..") == std::string::npos && text.find("//") == std::string::npos &&
           text.find("@{") == std::string::npos &&
           std::none_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) <= ' ' || c == 0x7f ||
                      std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
           });
}

ScriptMessages ApplicationService::run_cartridge_verb(const Principal&,
                                                      const Application& application,
                                                      const std::string& cartridge,
                                                      const std::string& verb) {
    Application current;
    const auto lock = lock_ready(application, current);
    const auto known = catalogue_.find(check_installed(current, cartridge));
    if (!known) {
        refuse(ErrorKind::unavailable, str("Cartridge '", cartridge, "' is no longer offered here"),
               exit_code::cartridge_not_found);
    }
    return core_.agent.control(current.gear(), known->name, verb);
}

// What works for all applications of a domain (contract 1.2, a build server) is there once.
void ApplicationService::check_scope(const Application& application, const Cartridge& cartridge) const {
    if (!cartridge.has_category("domain_scope")) {
        return;
    }
    for (const ApplicationRecord& other : core_.store.applications(application.domain)) {
        for (const InstalledCartridge& there : other.value.cartridges) {
            const auto known = catalogue_.find(there);
            if (known && known->base_name() == cartridge.base_name()) {
                refuse(ErrorKind::invalid,
                       str("An application with ", there.name.text(), " already exists in the domain: '", other.value.name.text(),
                           "'. Its applications share one"),
                       exit_code::cartridge, "cartridge");
            }
        }
    }
}

void ApplicationService::check_addition(const Application& current, const Cartridge& cartridge) const {
    for (const InstalledCartridge& there : current.cartridges) {
        const auto known = catalogue_.find(there);
        if (there.name.text() == cartridge.full_name() || (known && known->name == cartridge.name)) {
            refuse(ErrorKind::invalid,
                   str(there.name.text(), " already exists in your application"),
                   exit_code::cartridge_exists);
        }
    }
    check_scope(current, cartridge);
    if (cartridge.is_web_framework()) {
        refuse(ErrorKind::invalid, "An application may contain only one web cartridge.",
               exit_code::cartridge_fixed, "cartridge");
    }
    std::vector<Cartridge> others;
    for (const InstalledCartridge& there : current.cartridges) {
        if (auto known = catalogue_.find(there)) {
            others.push_back(std::move(*known));
        }
    }
    if (const std::string unfit = unfit_among(cartridge, others); !unfit.empty()) {
        refuse(ErrorKind::invalid, unfit, exit_code::cartridge, "cartridge");
    }
    if (const std::string missing = cartridge.missing_before(others); !missing.empty()) {
        refuse(ErrorKind::invalid, str(cartridge.full_name(), " can not be added without ", missing), exit_code::dependency,
               "cartridge");
    }
    for (const std::string& feature : cartridge.requires_features) {
        const bool is_met = std::any_of(others.begin(), others.end(),
                                        [&](const Cartridge& other) { return other.answers_to(feature); });
        if (!is_met) {
            refuse(ErrorKind::invalid, str(cartridge.full_name(), " needs '", feature, "'"),
                   exit_code::dependency, "cartridge");
        }
    }
}

Cartridge ApplicationService::fetch_own(const Principal& who, const Application& current, const std::string& url) const {
    Problems problems;
    const auto own = std::count_if(current.cartridges.begin(), current.cartridges.end(),
                                   [](const InstalledCartridge& there) { return !there.url.empty(); });
    check_own_urls({url}, static_cast<std::size_t>(own), core_.settings, problems);
    problems.check();
    Cartridge fetched;
    const CartridgeRule rule = [&](const Cartridge& cartridge) { check_addition(current, cartridge); };
    core_.runner.run(plan_fetch_cartridge(current, who.user.id, url, rule, fetched, core_.effects), who.request_id);
    return fetched;
}

Created ApplicationService::add_cartridge(const Principal& who, const Application& application,
                                          const CartridgeWish& wish, const Problems& problems) {
    problems.check();
    Application current;
    const auto lock = lock_ready(application, current);
    Cartridge cartridge;
    if (!wish.url.empty()) {
        cartridge = fetch_own(who, current, wish.url);
    } else {
        const auto found = catalogue_.match(wish.name);
        if (found.empty()) {
            refuse(ErrorKind::invalid, str("Invalid cartridge '", shown(wish.name), "' specified."),
                   exit_code::cartridge, "cartridge");
        }
        if (found.size() > 1) {
            refuse(ErrorKind::invalid, str("Several cartridges match '", shown(wish.name), "'."),
                   exit_code::several_cartridges, "cartridge");
        }
        cartridge = found.front();
        check_addition(current, cartridge);
    }
    Created created;
    core_.runner.run(
        plan_add_cartridge(current, who.user.id, cartridge, core_.effects, created.output),
        who.request_id);
    created.application = this->application(who, current.id.text());
    return created;
}

CartridgeUpgrade ApplicationService::upgrade_cartridge(const Principal& who, const Application& application,
                                                       const std::string& name) {
    Application current;
    const auto lock = lock_ready(application, current);
    const InstalledCartridge& installed = check_installed(current, name);
    const auto offered = installed.url.empty() ? catalogue_.find(name) : std::nullopt;
    if (!offered) {
        fail(ErrorKind::not_found, "'", name, "' is not on offer: there is nothing to upgrade to");
    }
    CartridgeUpgrade done;
    core_.runner.run(plan_upgrade_cartridge(current, who.user.id, *offered, done, core_.effects), who.request_id);
    return done;
}

void ApplicationService::remove_cartridge(const Principal& who, const Application& application,
                                          const std::string& name) {
    Application current;
    const auto lock = lock_ready(application, current);
    const auto known = catalogue_.find(check_installed(current, name));
    if (current.cartridges.front().name.text() == name) {
        refuse(ErrorKind::invalid, str("Cartridge '", name, "' cannot be removed"),
               exit_code::cartridge_fixed);
    }
    if (!known) {
        refuse(ErrorKind::unavailable, str("Cartridge '", name, "' is no longer offered here"),
               exit_code::cartridge_not_found);
    }
    core_.runner.run(plan_remove_cartridge(current, who.user.id, *known, core_.effects),
                     who.request_id);
}

Application ApplicationService::change_variables(const Principal& who,
                                                 const Application& application,
                                                 const std::vector<VariableChange>& changes) {
    Application current;
    const auto lock = lock_ready(application, current);
    Problems problems;
    auto variables = current.variables;
    for (auto change = changes.begin(); change != changes.end(); ++change) {
        const auto same = [&](const auto& other) { return other.name == change->name; };
        const auto there = std::find_if(variables.begin(), variables.end(), same);
        if (std::find_if(changes.begin(), change, same) != change) {
            problems.add(str("Name '", shown(change->name), "' is given twice"),
                         exit_code::variable_name, "environment_variables");
        } else if (!change->value) {
            there != variables.end()
                ? void(variables.erase(there))
                : problems.add(str("Environment variable '", shown(change->name), "' not found"),
                               exit_code::variable_name, "environment_variables");
        } else if (there != variables.end()) {
            there->value = *change->value;
        } else {
            variables.push_back({change->name, *change->value});
        }
    }
    check_variables(variables, problems);
    problems.check();
    if (variables != current.variables) {
        core_.runner.run(plan_set_variables(current, who.user.id, variables, core_.effects),
                         who.request_id);
    }
    return this->application(who, current.id.text());
}

Application ApplicationService::resize(const Principal& who, const Application& application,
                                       const std::string& size) {
    Application current;
    const auto lock = lock_ready(application, current);
    Problems problems;
    check_sizes({size}, core_.settings, "gear_size", problems);
    problems.check();
    core_.runner.run(plan_set_resources(current, who.user.id, {size, current.resources.extra_gb},
                                        core_.effects),
                     who.request_id);
    return this->application(who, current.id.text());
}

Application ApplicationService::change_scaling(const Principal& who,
                                               const Application& application,
                                               const std::string& cartridge,
                                               const ScalingChange& change) {
    Application current;
    const auto lock = lock_ready(application, current);
    check_installed(current, cartridge);
    Problems problems;
    if (!change.from && !change.to && !change.additional_storage) {
        problems.add("No update parameters specified. Give scales_from, scales_to or"
                     " additional_gear_storage",
                     exit_code::scales, "scales_from");
    }
    const bool is_in_order = change.from.value_or(1) >= 1 && change.to.value_or(1) >= -1 &&
                             change.to.value_or(1) != 0 &&
                             (change.to.value_or(-1) == -1 ||
                              change.to.value_or(1) >= change.from.value_or(1));
    if (!is_in_order) {
        problems.add("scales_from must be at least 1, scales_to -1 (unlimited) or not less than it",
                     exit_code::scales, change.from.value_or(1) < 1 ? "scales_from" : "scales_to");
    } else if (change.from.value_or(1) != 1 || std::abs(change.to.value_or(1)) != 1) {
        problems.add(str("The application '", current.name.text(), "' is not scalable"),
                     exit_code::not_scalable, "name");
    }
    if (change.additional_storage) {
        const auto owner = core_.store.find_user(current.owner);
        check_storage(*change.additional_storage, owner.value_or(User{}), problems);
    }
    problems.check();
    if (change.additional_storage) {
        const GearResources resources{current.resources.size, *change.additional_storage};
        core_.runner.run(plan_set_resources(current, who.user.id, resources, core_.effects), who.request_id);
    }
    return this->application(who, current.id.text());
}

ScriptMessages ApplicationService::dump_threads(const Principal&, const Application& application) {
    Application current;
    const auto lock = lock_ready(application, current);
    ScriptMessages all;
    bool is_found = false;
    for (const InstalledCartridge& installed : current.cartridges) {
        const auto known = catalogue_.find(installed);
        const auto has = [&](const std::string& verb) {
            return known && std::find(known->additional_actions.begin(),
                                      known->additional_actions.end(),
                                      verb) != known->additional_actions.end();
        };
        if (!has("threaddump") && !has("thread-dump")) {
            continue;
        }
        is_found = true;
        const ScriptMessages said = core_.agent.control(current.gear(), known->name, "threaddump");
        all.results.insert(all.results.end(), said.results.begin(), said.results.end());
        all.messages.insert(all.messages.end(), said.messages.begin(), said.messages.end());
    }
    if (!is_found) {
        refuse(ErrorKind::invalid, "No cartridge of the application can make a thread dump",
               exit_code::no_thread_dump);
    }
    return all;
}

DeploymentSettings apply(const DeploymentChange& change, DeploymentSettings settings,
                         Problems& problems) {
    settings.auto_deploy = change.auto_deploy.value_or(settings.auto_deploy);
    if (change.branch) {
        settings.branch = *change.branch;
        if (!is_git_ref(*change.branch)) {
            problems.add(str("Invalid deployment branch '", shown(*change.branch), "'"),
                         exit_code::unspecified, "deployment_branch");
        }
    }
    if (change.keep) {
        if (*change.keep < 1 || *change.keep > 1000) {
            problems.add("keep_deployments must be from 1 to 1000", exit_code::unspecified,
                         "keep_deployments");
        } else {
            settings.keep = static_cast<int>(*change.keep);
        }
    }
    if (change.type) {
        settings.type = *change.type;
        if (settings.type != "git" && settings.type != "binary") {
            problems.add("deployment_type must be git or binary", exit_code::unspecified,
                         "deployment_type");
        }
    }
    return settings;
}

Application ApplicationService::change_deployment(const Principal& who,
                                                  const Application& application,
                                                  const DeploymentChange& change) {
    Application current;
    const auto lock = lock_ready(application, current);
    Problems problems;
    const DeploymentSettings settings = apply(change, current.deployment, problems);
    if (!change.auto_deploy && !change.branch && !change.keep && !change.type) {
        problems.add("No settings to change were given", exit_code::unspecified);
    }
    problems.check();
    core_.runner.run(plan_set_deployment(current, who.user.id, settings, core_.effects),
                     who.request_id);
    return this->application(who, current.id.text());
}

}  // namespace gearbox
