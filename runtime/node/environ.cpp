#include "node/environ.h"

#include "base/error.h"
#include "base/file.h"
#include "node/paths.h"
#include "node/script_output.h"

#include <algorithm>
#include <filesystem>

namespace gearbox {

namespace {

constexpr const char* operator_directory = "/etc/openshift/env";
constexpr const char* system_path = "/bin:/usr/bin:/usr/sbin";

bool is_variable_file(const std::string& name) {
    return VariableName::parse(name).has_value();
}

// A file's content as a value: no newlines at the end, no NUL anywhere.
std::string to_value(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    return text;
}

Environment read_directory(const GearFiles& files, const std::string& directory) {
    Environment out;
    for (const std::string& name : files.list(directory)) {
        if (!is_variable_file(name)) {
            continue;
        }
        if (auto text = files.find(str(directory, "/", name))) {
            out[name] = to_value(std::move(*text));
        }
    }
    return out;
}

// Scripts of some cartridges add to theirs whenever they like: not over the gear's, and nothing that other purposes of the gear
// would run.
Environment read_cartridge(const GearFiles& files, const RecordedCartridge& cartridge, const Environment& gear) {
    const std::string directory = cartridge.name + "/env";
    const bool is_being_installed = files.is_unlocked(directory);
    Environment out = read_directory(files, directory);
    std::erase_if(out, [&](const auto& variable) {
        const bool is_late = !is_being_installed && leads_to_programs(variable.first) && files.is_unlocked(str(directory, "/", variable.first));
        return is_late || (gear.contains(variable.first) && !may_redefine(cartridge, variable.first));
    });
    return out;
}

Environment operator_environment(const Settings& settings) {
    Environment out = {
        {"OPENSHIFT_BROKER_HOST", settings.broker.cloud_domain},  // its router leads there to the broker
        {"OPENSHIFT_CLOUD_DOMAIN", settings.broker.cloud_domain},
        {"OPENSHIFT_UMASK", "077"},
        {"OPENSHIFT_CARTRIDGE_SDK_BASH", "/usr/lib/openshift/cartridge_sdk/bash/sdk"},
        {"OPENSHIFT_CARTRIDGE_SDK_RUBY", "/usr/lib/openshift/cartridge_sdk/ruby/sdk.rb"},
        {"PATH", system_path},
        {"LANG", "C.UTF-8"},
        {"SHELL", "/bin/bash"},
    };
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(operator_directory, absent)) {
        const std::string name = entry.path().filename();
        if (is_variable_file(name) && entry.is_regular_file()) {
            out[name] = to_value(read_file(entry.path()));
        }
    }
    return out;
}

void overlay(Environment& onto, const Environment& other) {
    for (const auto& [name, value] : other) {
        onto[name] = value;
    }
}

std::string short_name_variable(const RecordedCartridge& cartridge, const char* suffix) {
    return str("OPENSHIFT_", cartridge.short_name, suffix);
}

// PATH: the primary's element, the others', our commands, the system's. LD_LIBRARY_PATH: the
// primary's last.
void set_paths(Environment& environment, const GearRecord& record, const Settings& settings) {
    std::string path;
    std::string libraries;
    const auto element = [&](const RecordedCartridge& cartridge, const char* suffix) {
        const auto found = environment.find(short_name_variable(cartridge, suffix));
        return found == environment.end() ? std::string() : found->second;
    };
    const auto join = [](const std::string& a, const std::string& b) {
        return a.empty() || b.empty() ? a + b : str(a, ":", b);
    };
    for (std::size_t i = 0; i < record.cartridges.size(); ++i) {
        path = join(path, element(record.cartridges[i], "_PATH_ELEMENT"));
        const auto& rotated = record.cartridges[(i + 1) % record.cartridges.size()];
        libraries = join(libraries, element(rotated, "_LD_LIBRARY_PATH_ELEMENT"));
    }
    environment["PATH"] = join(join(path, settings.node.libexec_dir + "/bin"), system_path);
    if (!libraries.empty()) {
        environment["LD_LIBRARY_PATH"] = libraries;
    }
}

}  // namespace

bool leads_to_programs(std::string_view name) {
    return changes_programs(name) || name.ends_with("PATH_ELEMENT");
}

bool may_redefine(const RecordedCartridge& cartridge, const std::string& name) {
    // Where gems are kept is the cartridge's to say.
    return name == "PATH" || name == "LD_LIBRARY_PATH" || name == "GEM_HOME" || name.starts_with(short_name_variable(cartridge, "_"));
}

void write_variable(const GearFiles& files, const std::string& directory, const std::string& name,
                    const std::string& value) {
    files.write(str(directory, "/", name), value, files.locked(), 0640);
}

void write_variables(const GearFiles& files, const std::string& directory,
                     const std::vector<EnvironmentVariable>& variables) {
    for (const std::string& name : files.list(directory)) {
        const bool kept = std::any_of(variables.begin(), variables.end(),
                                      [&](const auto& variable) { return variable.name == name; });
        if (!kept) {
            files.remove(str(directory, "/", name));
        }
    }
    for (const EnvironmentVariable& variable : variables) {
        write_variable(files, directory, variable.name, variable.value);
    }
}

void write_deployment_variables(const GearFiles& files, const DeploymentSettings& settings) {
    write_variable(files, ".env", "OPENSHIFT_KEEP_DEPLOYMENTS", std::to_string(settings.keep));
    write_variable(files, ".env", "OPENSHIFT_DEPLOYMENT_BRANCH", settings.branch);
    write_variable(files, ".env", "OPENSHIFT_AUTO_DEPLOY", settings.auto_deploy ? "true" : "false");
    write_variable(files, ".env", "OPENSHIFT_DEPLOYMENT_TYPE", settings.type);
}

void write_resource_variables(const GearFiles& files, const GearSettings& limits, std::int64_t disk_mb) {
    write_variable(files, ".env", "OPENSHIFT_GEAR_MEMORY_MB", std::to_string(limits.memory_mb));
    write_variable(files, ".env", "GEARBOX_DISK_MB", std::to_string(disk_mb));
    write_variable(files, ".env", "GEARBOX_FILES", std::to_string(limits.files));
    write_variable(files, ".env", "GEARBOX_CPU_PERCENT", std::to_string(limits.cpu_percent));
}

void write_gear_variables(const GearFiles& files, const GearSpec& spec, const std::string& home) {
    const std::string name = spec.application_name.text();
    const std::string uuid = spec.id.text();
    const Environment variables = {
        {"HOME", home},
        {"USER", uuid},
        {"LOGNAME", uuid},
        {"HISTFILE", home + "/app-root/data/.bash_history"},
        {"GEM_HOME", home + "/.gem"},
        {"OPENSHIFT_HOMEDIR", home + "/"},
        {"OPENSHIFT_APP_NAME", name},
        {"OPENSHIFT_APP_UUID", spec.application.text()},
        {"OPENSHIFT_APP_DNS", spec.dns},
        {"OPENSHIFT_GEAR_NAME", name},
        {"OPENSHIFT_GEAR_UUID", uuid},
        {"OPENSHIFT_GEAR_DNS", spec.dns},
        {"OPENSHIFT_NAMESPACE", spec.domain.text()},
        {"OPENSHIFT_DATA_DIR", home + "/app-root/data/"},
        {"OPENSHIFT_REPO_DIR", home + "/app-root/runtime/repo/"},
        {"OPENSHIFT_DEPENDENCIES_DIR", home + "/app-root/runtime/dependencies/"},
        {"OPENSHIFT_BUILD_DEPENDENCIES_DIR", home + "/app-root/runtime/build-dependencies/"},
        {"OPENSHIFT_DEPLOYMENTS_DIR", home + "/app-deployments/"},
        {"OPENSHIFT_LOG_DIR", home + "/app-root/logs/"},
        {"OPENSHIFT_TMP_DIR", "/tmp/"},
        {"TMP", "/tmp/"},
        {"TMPDIR", "/tmp/"},
        {"TMP_DIR", "/tmp/"},
        {"OPENSHIFT_APP_SSH_KEY", home + "/.openshift_ssh/id_rsa"},
        {"OPENSHIFT_APP_SSH_PUBLIC_KEY", home + "/.openshift_ssh/id_rsa.pub"},
        {"OPENSHIFT_SECRET_TOKEN", spec.secret_token},
    };
    for (const auto& [key, value] : variables) {
        write_variable(files, ".env", key, value);
    }
    write_deployment_variables(files, spec.deployment);
    write_variables(files, user_variables, spec.user_variables);
}

Environment make_environment(const GearFiles& files, const GearRecord& record,
                             const Settings& settings, const std::string& for_cartridge) {
    Environment out = operator_environment(settings);
    const Environment gear = read_directory(files, ".env");
    overlay(out, gear);
    for (const RecordedCartridge& cartridge : record.cartridges) {
        overlay(out, read_cartridge(files, cartridge, gear));
    }
    // Published variables: one directory per publisher.
    for (const std::string& name : files.list(".env")) {
        if (name != "user_vars" && name != "domain_vars" && !out.contains(name)) {
            overlay(out, read_directory(files, ".env/" + name));
        }
    }
    if (!record.cartridges.empty()) {
        overlay(out, read_cartridge(files, record.cartridges.front(), gear));
    }
    if (const RecordedCartridge* const own = record.find_cartridge(for_cartridge)) {
        overlay(out, read_cartridge(files, *own, gear));
    }
    set_paths(out, record, settings);
    // The user's and those of other applications last: none of the platform's is shadowed.
    for (const auto& [name, value] : read_directory(files, user_variables)) {
        if (name == "OPENSHIFT_SECRET_TOKEN" || !out.contains(name)) {
            out[name] = value;
        }
    }
    out.merge(read_directory(files, domain_variables));
    return out;
}

std::vector<std::string> to_pairs(const Environment& environment) {
    std::vector<std::string> out;
    for (const auto& [name, value] : environment) {
        out.push_back(str(name, "=", value));
    }
    return out;
}

}  // namespace gearbox
