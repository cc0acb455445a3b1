// Adding cartridges: the order of the contract's section 3.1.
#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "node/agent.h"
#include "node/cartridge_runner.h"
#include "node/connectors.h"
#include "node/endpoints.h"
#include "node/environ.h"
#include "node/managed_files.h"
#include "node/script_output.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace gearbox {

namespace fs = std::filesystem;

namespace {

constexpr mode_t group_adds = 01770;  // of a directory: and nobody removes what is root's

ManagedFiles managed_files(const GearFiles& files, const RecordedCartridge& cartridge) {
    const auto yaml = files.find(cartridge.name + "/metadata/managed_files.yml");
    return parse_managed_files(yaml.value_or(""), cartridge.name);
}

std::vector<std::string> expand_in(const GearFiles& files, const std::string& pattern, const std::string& cartridge) {
    return expand(pattern, cartridge, [&](const std::string& directory) { return files.list(directory); });
}

std::string without_slash(std::string path) {
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

// Unless a cartridge locks env/ its scripts add variables whenever they like, as in OpenShift; ours do not.
bool has_open_variables(const ManagedFiles& managed, const RecordedCartridge& cartridge) {
    const std::string variables = cartridge.name + "/env";
    const bool is_ours = cartridge.full_name == str(cartridge.name, "-", cartridge.version);
    return !is_ours && std::none_of(managed.locked.begin(), managed.locked.end(), [&](const std::string& pattern) {
        return without_slash(pattern) == variables || pattern == variables + "/*";
    });
}

// Where nobody waits for them.
void log_all(const ScriptMessages& messages) {
    for (const std::string& text : messages.messages) {
        log::warning(text);
    }
}

}  // namespace

std::vector<std::string> CartridgeRunner::unlock(const GearRecord& record, const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    std::vector<std::string> made;
    // Scripts write their variables here; afterwards the platform trusts what it reads.
    const std::string variables = cartridge.name + "/env";
    files.give(variables, files.unlocked());
    // Some put the program that they fetch beside their scripts.
    if (const std::string scripts = cartridge.name + "/bin"; !files.list(scripts).empty()) {
        files.ensure_directory(scripts, files.locked(), group_adds);
    }
    for (const std::string& pattern : managed_files(files, cartridge).locked) {
        for (const std::string& path : expand_in(files, pattern, cartridge.name)) {
            const std::string name = without_slash(path);
            if (files.exists(name)) {
                files.give(name, files.unlocked());
                continue;
            }
            made.push_back(name);
            if (path.ends_with('/')) {
                files.ensure_directory(name, files.unlocked(), 0755);
            } else {
                files.write(name, "", files.unlocked(), 0644);
            }
        }
    }
    return made;
}

// The directories are the gear's own: it makes them itself.
void CartridgeRunner::make_dependency_directories(const GearRecord& record, const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    const std::string home = node_.home(record);
    std::vector<std::string> argv = {"/bin/mkdir", "-p", "--"};
    for (const DependencyDirectory& directory : managed_files(files, cartridge).dependencies) {
        argv.push_back(str(home, "/", directory.target));
        files.ensure_symlink(without_slash(directory.link), argv.back());
    }
    if (argv.size() > 3) {
        run_checked(record, Purpose::build, argv);
    }
}

void CartridgeRunner::lock(const GearRecord& record, const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    const std::string variables = cartridge.name + "/env";
    const ManagedFiles managed = managed_files(files, cartridge);
    const bool is_open = has_open_variables(managed, cartridge);
    files.give(cartridge.name + "/bin", files.locked());
    if (is_open) {
        files.ensure_directory(variables, files.locked(), group_adds);
    } else {
        files.give(variables, files.locked());
    }
    const std::string own = str("OPENSHIFT_", cartridge.short_name, "_");
    for (const std::string& name : files.list(variables)) {
        const bool is_platforms = name == own + "DIR" || name == own + "IDENT" || leads_to_programs(name);
        files.give(str(variables, "/", name), is_open && !is_platforms ? files.unlocked() : files.locked());
    }
    for (const std::string& pattern : managed.locked) {
        for (const std::string& path : expand_in(files, pattern, cartridge.name)) {
            files.give(without_slash(path), files.locked());
        }
    }
}

void CartridgeRunner::render_environment(const GearRecord& record, const RecordedCartridge& cartridge,
                                         ScriptMessages& messages) const {
    const GearFiles files = node_.files(record);
    const std::string directory = cartridge.name + "/env";
    for (const std::string& name : files.list(directory)) {
        if (!name.ends_with(".erb")) {
            continue;
        }
        const std::string path = str(directory, "/", name);
        GearCommand command = make_command(record, cartridge.name, Purpose::build);
        command.directory = node_.home(record);
        command.argv = {"/bin/bash", "-c", R"(exec oo-erb "$0")",
                        str(node_.home(record), "/", path)};
        command.name = str("the template '", path, "'");
        const GearResult result = node_.launcher.run(record, command);
        if (result.status != 0) {
            messages.messages.push_back(str("NOTE: the template '", path, "' could not be filled in: ", failure_text({}, "", result.err)));
            continue;
        }
        files.write(path.substr(0, path.size() - 4), result.out, files.unlocked(), 0644);
        files.remove(path);
    }
}

void CartridgeRunner::render_templates(const GearRecord& record, const RecordedCartridge& cartridge,
                                       ScriptMessages& messages) const {
    const GearFiles files = node_.files(record);
    const ManagedFiles managed = managed_files(files, cartridge);
    if (managed.templates.empty()) {
        return;
    }
    GearCommand command = make_command(record, cartridge.name, Purpose::build);
    constexpr const char* program = R"(shopt -s globstar nullglob dotglob
IFS=
cd "$HOME" || exit
for pattern in "$@"; do
    for file in $pattern; do
        [[ $file == *.erb && -f $file ]] || continue
        if why=$(oo-erb "$file" 2>&1 >"${file%.erb}"); then
            rm -f "$file"
        else
            rm -f "${file%.erb}"
            echo "CLIENT_MESSAGE: NOTE: the template '$file' could not be filled in: ${why%%$'\n'*}"
        fi
    done
done
)";
    // IFS is empty: the expansion of an unquoted word does nothing but file names.
    command.argv = {"/bin/bash", "-c", program, "render"};
    command.argv.insert(command.argv.end(), managed.templates.begin(), managed.templates.end());
    parse_script_output(node_.launcher.run(record, command).out, messages);
}

void CartridgeRunner::write_endpoint_variables(const GearRecord& record,
                                               const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
        write_variable(files, ".env", endpoint.ip_variable, endpoint.address);
        write_variable(files, ".env", endpoint.port_variable, std::to_string(endpoint.port));
        if (!endpoint.public_port_variable.empty() && endpoint.proxy_port != 0) {
            write_variable(files, ".env", endpoint.public_port_variable, std::to_string(endpoint.proxy_port));
        }
        if (!endpoint.websocket_port_variable.empty()) {
            write_variable(files, ".env", endpoint.websocket_port_variable, std::to_string(endpoint.websocket_port));
        }
    }
}

void CartridgeRunner::install(GearRecord& record, const RecordedCartridge& cartridge,
                              ScriptMessages& messages) const {
    const GearFiles files = node_.files(record);
    const std::vector<std::string> home = files.list(".");
    const auto made_in_home = [&] {
        std::vector<std::string> out;
        const std::vector<std::string> now = files.list(".");
        std::set_difference(now.begin(), now.end(), home.begin(), home.end(), std::back_inserter(out));
        return out;
    };
    const std::vector<std::string> made = unlock(record, cartridge);
    // Dotfiles of programs, as OpenShift let them be made.
    files.open_home(true);
    Defer undo([&] {
        try {
            files.open_home(false);
            for (const std::vector<std::string>& names : {made, made_in_home()}) {
                for (const std::string& name : names) {
                    files.remove(name);
                }
            }
        } catch (const Error& error) {
            log::error("removing files of a failed cartridge: ", error.text());
        }
    });
    make_dependency_directories(record, cartridge);
    render_environment(record, cartridge, messages);
    append(messages, run_script(record, cartridge, "setup"));
    render_templates(record, cartridge, messages);
    append(messages, run_script(record, cartridge, "install"));
    files.open_home(false);
    for (const std::string& name : made_in_home()) {
        if (!name.starts_with('.')) {
            throw ScriptError(script_failure, ErrorKind::invalid,
                              str(cartridge.full_name, " has made '~/", name, "': a home has room for names that begin with a dot only"));
        }
    }
    lock(record, cartridge);
    check_variables(record, cartridge);
    undo.cancel();
}

void CartridgeRunner::check_variables(const GearRecord& record, const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    std::string taken;
    for (const std::string& name : files.list(cartridge.name + "/env")) {
        if (!may_redefine(cartridge, name) && VariableName::parse(name) && files.exists(".env/" + name)) {
            taken += str(taken.empty() ? "" : ", ", name);
        }
    }
    if (!taken.empty()) {
        throw ScriptError(script_failure, ErrorKind::invalid,
                          str(cartridge.full_name, " has variables in env/ that are the gear's: ", taken));
    }
}

CartridgeLabels CartridgeRunner::labels_of(const GearRecord& record, const Cartridge& cartridge) const {
    const auto label = [&](FileKind kind) { return node_.policy.file_label(record.spec.uid, kind); };
    const bool is_database = cartridge.has_category("database") && !cartridge.is_web_framework();
    return {label(FileKind::cartridge), label(is_database ? FileKind::database : FileKind::home)};
}

// What gears can read need not be copied.
std::string CartridgeRunner::shared_usr_of(const Cartridge& cartridge) const {
    const fs::path usr = fs::absolute(cartridge.source) / "usr";
    return cartridge.source.starts_with(node_.settings.node.cartridge_dir) && fs::exists(usr) ? usr.native() : "";
}

void CartridgeRunner::copy_files(const GearRecord& record, const Cartridge& cartridge, const std::string& name) const {
    const GearFiles files = node_.files(record);
    const CartridgeLabels labels = labels_of(record, cartridge);
    if (!cartridge.is_own()) {
        files.copy_cartridge(open_directory(cartridge.source), name, labels, shared_usr_of(cartridge));
        return;
    }
    const auto& most = node_.settings.cartridges;
    files.copy_cartridge(files.open_tree(cartridge.source), name, labels, "", {most.url_mb << 20, most.url_files});
    // What was read of it before counts, whatever the gear has made of the file since.
    files.write(name + "/metadata/manifest.yml", cartridge.manifest, files.locked(), 0644);
}

ScriptMessages CartridgeRunner::add(GearRecord& record, const Cartridge& cartridge) const {
    ScriptMessages messages;
    if (record.find_cartridge(cartridge.name) != nullptr) {
        return messages;
    }
    GearRecord changed = record;
    RecordedCartridge added{cartridge.name,
                            cartridge.short_name,
                            cartridge.version,
                            cartridge.full_name(),
                            cartridge.is_web_framework(),
                            cartridge.install_build_required,
                            plan_endpoints(record, cartridge),
                            cartridge.has_category("database") && !cartridge.is_web_framework(),
                            cartridge.is_own(),
                            cartridge.cartridge_version,
                            cartridge.deployment_verbs,
                            cartridge.publishes,
                            cartridge.subscribes,
                            cartridge.has_category("ci_builder")};
    const GearFiles files = node_.files(record);
    if (files.exists(added.name)) {
        // Left over from an operation that did not end; its scripts may still be at work.
        node_.launcher.kill(record);
        discard(record, added);
    }
    changed.cartridges.push_back(added);
    const bool was_running = node_.launcher.is_running(record);
    node_.launcher.ensure_running(record, &changed);
    changed.init_pid = record.init_pid;
    changed.init_start = record.init_start;
    Defer undo([&] {
        try {
            if (record.state != GearState::started) {
                node_.launcher.kill(record);  // what its scripts have left
            }
            discard(record, added);
            node_.launcher.refresh_forwardings(record);
        } catch (const Error& error) {
            log::error("removing a failed cartridge: ", error.text());
        }
    });
    const auto label = [&](FileKind kind) {
        return node_.policy.file_label(record.spec.uid, kind);
    };
    copy_files(record, cartridge, added.name);
    files.ensure_directory(added.name + "/env", files.locked(), 0750, label(FileKind::home));
    // Old action hooks write here without asking (contract 21.9).
    files.ensure_directory(added.name + "/logs", files.unlocked(), 0750, label(FileKind::log));
    const std::string directory = str(node_.home(record), "/", added.name, "/");
    const std::string prefix = str("OPENSHIFT_", added.short_name);
    write_variable(files, added.name + "/env", prefix + "_DIR", directory);
    write_variable(files, added.name + "/env", prefix + "_IDENT", cartridge.ident());
    if (changed.cartridges.size() == 1) {
        write_variable(files, ".env", "OPENSHIFT_PRIMARY_CARTRIDGE_DIR", directory);
    }
    write_endpoint_variables(record, added);
    if (was_running && forwardings_of(changed) != forwardings_of(record)) {
        node_.launcher.refresh_forwardings(changed);
    }
    install(changed, added, messages);
    connect(changed, added.name, messages);
    node_.store.save(changed);
    undo.cancel();
    record = changed;
    return messages;
}

std::string CartridgeRunner::packaging(const GearRecord& record, const RecordedCartridge& cartridge) const {
    if (!cartridge.cartridge_version.empty()) {
        return cartridge.cartridge_version;
    }
    const auto ident = node_.files(record).find(str(cartridge.name, "/env/OPENSHIFT_", cartridge.short_name, "_IDENT"));
    const std::string text = ident.value_or("").substr(0, ident.value_or("").find('\n'));
    return text.substr(text.rfind(':') + 1);
}

// The files of that packaging, with what is made of them.
void CartridgeRunner::overlay(const GearRecord& record, const RecordedCartridge& next, const Cartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    files.overlay_cartridge(open_directory(cartridge.source), next.name, labels_of(record, cartridge),
                            shared_usr_of(cartridge));
    files.ensure_directory(next.name + "/env", files.locked(), 0750);
    write_variable(files, next.name + "/env", str("OPENSHIFT_", next.short_name, "_IDENT"), cartridge.ident());
    unlock(record, next);
    // What setup has written there before, it may write again; lock() takes it back.
    for (const std::string& name : files.list(next.name + "/env")) {
        if (!name.ends_with("_IDENT") && !name.ends_with("_DIR")) {
            files.give(str(next.name, "/env/", name), files.unlocked());
        }
    }
    ScriptMessages messages;
    render_environment(record, next, messages);
    log_all(messages);
}

void CartridgeRunner::upgrade(GearRecord& record, const Cartridge& cartridge, const Cartridge& before) const {
    const RecordedCartridge* const found = record.find_cartridge(cartridge.name);
    if (found == nullptr) {
        fail(ErrorKind::not_found, "the gear has no cartridge '", cartridge.name, "'");
    }
    const RecordedCartridge old = *found;
    const std::string from = packaging(record, old);
    const auto& easy = cartridge.compatible_versions;
    const bool is_compatible = std::find(easy.begin(), easy.end(), from) != easy.end();
    const bool was_started = record.state == GearState::started;
    node_.launcher.ensure_running(record);
    GearRecord changed = record;
    RecordedCartridge& next = *std::find_if(changed.cartridges.begin(), changed.cartridges.end(),
                                            [&](const auto& other) { return other.name == old.name; });
    next.cartridge_version = cartridge.cartridge_version;
    next.deployment_verbs = cartridge.deployment_verbs;
    next.publishes = cartridge.publishes;
    next.subscribes = cartridge.subscribes;
    next.endpoints = plan_endpoints(record, cartridge, old.endpoints);
    const GearFiles files = node_.files(record);
    if (!is_compatible && was_started) {
        control(record, old, "stop");
    }
    Defer back([&] {
        try {
            overlay(record, old, before);
            ScriptMessages messages;
            render_templates(record, old, messages);
            log_all(messages);
            lock(record, old);
            write_endpoint_variables(record, old);
            if (!is_compatible && was_started) {
                control(record, old, "start");
            }
        } catch (const Error& error) {
            log::error("going back to ", old.full_name, " ", from, ": ", error.text(),
                       log::field("gear", record.spec.id.text()));
        }
    });
    if (!is_compatible) {
        const auto yaml = find_file(fs::path(cartridge.source) / "metadata/managed_files.yml");
        for (const std::string& pattern : parse_managed_files(yaml.value_or(""), old.name).setup_rewritten) {
            for (const std::string& path : expand_in(files, pattern, old.name)) {
                files.remove(without_slash(path));
            }
        }
    }
    overlay(changed, next, cartridge);
    write_endpoint_variables(changed, next);
    if (!is_compatible) {
        run_script(changed, next, "upgrade", {cartridge.version, from, cartridge.cartridge_version});
        run_script(changed, next, "setup");
    }
    ScriptMessages messages;
    render_templates(changed, next, messages);
    lock(changed, next);
    check_variables(changed, next);
    connect(changed, next.name, messages);
    log_all(messages);
    if (forwardings_of(changed) != forwardings_of(record)) {
        node_.launcher.refresh_forwardings(changed);
    }
    if (!is_compatible && was_started) {
        control(changed, next, "start");
    }
    node_.store.save(changed);
    back.cancel();
    record = changed;
}

}  // namespace gearbox
