#include "node/local_agent.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/log.h"
#include "node/catalogue.h"
#include "node/disk_limit.h"
#include "node/environ.h"
#include "node/gear_state.h"
#include "node/logs.h"
#include "sys/disk_quota.h"
#include "sys/users.h"

#include <algorithm>
#include <filesystem>

namespace gearbox {

namespace {

// They look at the file system that the homes are on.
Isolators make_isolators_for(const Settings& settings, const Paths& paths, const Profiles& profiles,
                             const SecurityPolicy& policy, const sys::Cgroups& cgroups) {
    std::filesystem::create_directories(paths.gear_base);
    return make_isolators(settings, paths, profiles, policy, cgroups);
}

}  // namespace

LocalAgent::LocalAgent(const Settings& settings, const Clock& clock)
    : settings_(settings),
      paths_(settings),
      policy_(make_security_policy(settings.security.policy)),
      profiles_(settings_, *policy_),
      cgroups_(settings.node.cgroup_parent),
      store_(paths_),
      isolators_(make_isolators_for(settings_, paths_, profiles_, *policy_, cgroups_)),
      launcher_(profiles_, paths_, *policy_, isolators_, store_, reaper_),
      node_{settings_, paths_, *policy_, profiles_, store_, launcher_, clock},
      runner_(node_),
      repositories_(node_, runner_),
      deployer_(node_, runner_, repositories_),
      router_(settings_),
      watcher_(node_, cgroups_,
               [this](const GearId& gear, const std::string& cartridge) { bring_back(gear, cartridge); },
               [this] { follow_host(); }),
      imported_(settings_.node.import_dir) {
    load_cartridges();
    std::vector<GearRecord> records;
    for (const GearId& id : store_.gears()) {
        records.push_back(store_.gear(id));
    }
    for (const auto& isolator : isolators_) {
        isolator->restore(records);
    }
    warn_of_unknown_cartridges();
}

void LocalAgent::follow_host() {
    for (const auto& isolator : isolators_) {
        isolator->follow_host();
    }
    router_.follow_certificate();
    tell_shortage();
}

// No mistake as such: a gear may have what is not offered any more.
void LocalAgent::warn_of_unknown_cartridges() const {
    for (const Profile& profile : profiles_.all()) {
        for (const std::string& word : profile.cartridges) {
            if (std::none_of(catalogue_.begin(), catalogue_.end(), [&](const Cartridge& cartridge) {
                    return cartridge.full_name() == word || cartridge.name == word;
                })) {
                log::warning("the security profile '", profile.name, "' is assigned to the cartridge '", word,
                             "', which is not offered");
            }
        }
    }
}

void LocalAgent::recover() {
    std::map<GearId, Routes> routes;
    int living = 0;
    for (const GearId& id : store_.gears()) {
        const GearRecord record = store_.gear(id);
        if (launcher_.is_running(record)) {
            ++living;
        }
        if (Routes own = routes_of(record); !own.empty()) {
            routes[id] = std::move(own);
        }
    }
    router_.reset(std::move(routes));
    log::info("found ", living, " running gears");
}

std::vector<uid_t> LocalAgent::foreign_ids(uid_t first, uid_t last) const {
    std::vector<uid_t> out;
    for (const sys::AccountId& entry : sys::account_ids()) {
        if (entry.id >= first && entry.id <= last && !is_object_id(entry.name)) {
            out.push_back(entry.id);
        }
    }
    return out;
}

void LocalAgent::create_gear(const GearSpec& spec) {
    check_room(settings_.node);
    GearRecord record = store_.find(spec.id).value_or(GearRecord{});
    record.spec = spec;
    // The record first: what exists of a gear can always be found and removed.
    store_.save(record);
    for (const auto& isolator : isolators_) {
        while_doing([&] { isolator->acquire(record); }, "creating gear '", spec.id.text(),
                    "': ", isolator->name());
    }
}

void LocalAgent::destroy_gear(const GearId& gear) {
    auto record = store_.find(gear);
    if (record) {
        router_.publish(gear, {});
        cgroups_.thaw(cgroup_name(gear));
        runner_.destroy_scripts(*record);
        launcher_.kill(*record);
    }
    const uid_t uid = record ? record->spec.uid : sys::find_uid(gear.text());
    for (auto isolator = isolators_.rbegin(); isolator != isolators_.rend(); ++isolator) {
        while_doing([&] { (*isolator)->release(gear, uid); }, "removing gear '", gear.text(),
                    "': ", (*isolator)->name());
    }
    store_.remove(gear);
    watcher_.drop(gear);
}

bool LocalAgent::has_gear(const GearId& gear) const {
    return store_.find(gear).has_value();
}

std::vector<GearId> LocalAgent::gears() const {
    std::vector<GearId> out = store_.gears();
    for (const auto& entry : std::filesystem::directory_iterator(paths_.gear_base)) {
        const std::string name = entry.path().filename();
        if (is_object_id(name) && std::find(out.begin(), out.end(), GearId(name)) == out.end()) {
            out.emplace_back(name);
        }
    }
    return out;
}

void LocalAgent::create_repository(const GearId& gear, const RepositorySource& source) {
    GearRecord record = store_.gear(gear);
    launcher_.ensure_running(record);
    std::string directory;
    for (const Cartridge& cartridge : cartridges()) {
        if (!record.cartridges.empty() && !record.cartridges.front().own &&
            cartridge.full_name() == record.cartridges.front().full_name) {
            directory = cartridge.source;
        }
    }
    repositories_.create(record, source, directory);
}

ScriptMessages LocalAgent::deploy_initially(const GearId& gear, const TextSink& output) {
    GearRecord record = store_.gear(gear);
    const ScriptMessages messages = deployer_.deploy_initially(record, output);
    watcher_.notice(record);
    return messages;
}

// Its services come and go on purpose now, and scripts must run.
void LocalAgent::begin_change(const GearId& gear) {
    watcher_.forget(gear);
    cgroups_.thaw(cgroup_name(gear));
}

GearUse LocalAgent::use(const GearId& gear) const {
    const sys::CgroupUse use = cgroups_.use(cgroup_name(gear));
    GearUse out{use.memory_bytes, use.cpu_us, use.processes, {}, {}, use.is_frozen};
    if (const auto disk = sys::find_disk_use(paths_.gear_base, store_.gear(gear).spec.uid)) {
        out.disk_bytes = disk->bytes;
        out.files = disk->files;
    }
    return out;
}

Json LocalAgent::plan(const GearId& gear) const {
    const GearRecord record = store_.gear(gear);
    Json out = to_json(make_launch_plan(record, isolators_));
    const Profile* const found = profiles_.find(record);
    out["profile"] = found == nullptr ? Json(nullptr) : to_json(*found);
    return out;
}

std::string LocalAgent::profile(const GearId& gear) const {
    const Profile* const found = profiles_.find(store_.gear(gear));
    return found == nullptr ? "" : found->name;
}

void LocalAgent::freeze(const GearId& gear, bool frozen) {
    const std::string group = cgroup_name(store_.gear(gear).spec.id);
    frozen ? cgroups_.freeze(group) : cgroups_.thaw(group);
}

// A service has ended by itself. Its cartridge may still hold a part of it for running.
void LocalAgent::bring_back(const GearId& gear, const std::string& cartridge) {
    GearRecord record = store_.gear(gear);
    if (cartridge.empty()) {
        launcher_.kill(record);
        launcher_.ensure_running(record);
        runner_.start_all(record);
    } else if (const RecordedCartridge* const found = record.find_cartridge(cartridge)) {
        runner_.control(record, *found, "stop");
        runner_.control(record, *found, "start");
    }
}

void LocalAgent::start(const GearId& gear) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    launcher_.ensure_running(record);
    node_.files(record).remove(home::stop_lock);
    runner_.start_all(record);
    set_gear_state(node_, record, GearState::started);
    watcher_.notice(record);
}

void LocalAgent::halt(GearRecord& record, bool force) {
    begin_change(record.spec.id);
    if (launcher_.is_running(record)) {
        runner_.stop_all(record, force);
    }
    const GearFiles files = node_.files(record);
    files.write(home::stop_lock, "", files.locked(), 0640);
    set_gear_state(node_, record, GearState::stopped);
}

void LocalAgent::stop(const GearId& gear, bool force) {
    GearRecord record = store_.gear(gear);
    halt(record, force);
    force ? launcher_.kill(record) : launcher_.end(record);
}

void LocalAgent::stop_services(const GearId& gear) {
    GearRecord record = store_.gear(gear);
    halt(record, false);
}

void LocalAgent::restart(const GearId& gear) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    if (record.state != GearState::started || !launcher_.is_running(record)) {
        start(gear);
        return;
    }
    runner_.run_action_hook(record, "pre_restart", {});
    runner_.control_each(record, "restart");
    runner_.run_action_hook(record, "post_restart", {});
    set_gear_state(node_, record, GearState::started);
    watcher_.notice(record);
}

void LocalAgent::reload(const GearId& gear) {
    cgroups_.thaw(cgroup_name(gear));
    GearRecord record = store_.gear(gear);
    // A stopped application reads its configuration when it starts.
    if (launcher_.is_running(record)) {
        runner_.run_action_hook(record, "pre_reload", {});
        runner_.control_each(record, "reload");
        runner_.run_action_hook(record, "post_reload", {});
    }
}

void LocalAgent::tidy(const GearId& gear) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    const bool was_started = record.state == GearState::started;
    launcher_.ensure_running(record);
    runner_.run_action_hook(record, "pre_tidy", {});
    runner_.stop_all(record, true);
    set_gear_state(node_, record, GearState::stopped);
    runner_.tidy(record, repositories_.path(record));
    if (was_started) {
        start(gear);
    }
    const Defer stay_down([&] {
        if (!was_started) {
            launcher_.kill(record);
        }
    });
    // The databases are there again.
    runner_.run_action_hook(record, "post_tidy", {});
}

ScriptMessages LocalAgent::control(const GearId& gear, const std::string& cartridge,
                                   const std::string& verb, const TextSink& output) {
    GearRecord record = store_.gear(gear);
    const RecordedCartridge* const found = record.find_cartridge(cartridge);
    if (found == nullptr) {
        fail(ErrorKind::not_found, "the application has no cartridge '", cartridge, "'");
    }
    begin_change(gear);
    const bool was_running = launcher_.is_running(record);
    launcher_.ensure_running(record);
    ScriptMessages messages = runner_.control(record, *found, verb, output);
    if (verb == "status") {
        if (const auto disk = sys::find_disk_use(paths_.gear_base, record.spec.uid)) {
            messages.attributes.push_back(str("quota_blocks=", disk->bytes / 1024));
            messages.attributes.push_back(str("quota_files=", disk->files));
        }
        // A question to a stopped application leaves it stopped.
        if (!was_running) {
            launcher_.kill(record);
        }
    }
    return messages;
}

GearState LocalAgent::state(const GearId& gear) const {
    return store_.gear(gear).state;
}

void LocalAgent::publish_routes(const GearId& gear, const std::vector<std::string>& hosts) {
    GearRecord record = store_.gear(gear);
    record.hosts.clear();
    std::transform(hosts.begin(), hosts.end(), std::back_inserter(record.hosts),
                   [](const std::string& host) { return to_lower(host); });
    store_.save(record);
    router_.publish(gear, routes_of(record));
}

std::vector<std::string> LocalAgent::check_routes(
    const std::map<GearId, std::vector<std::string>>& hosts) const {
    Routes wanted;
    for (const auto& [gear, names] : hosts) {
        if (has_gear(gear)) {
            GearRecord record = store_.gear(gear);
            record.hosts = names;
            wanted.merge(routes_of(record));
        }
    }
    return router_.differences(wanted);
}

std::vector<GearEndpoint> LocalAgent::endpoints(const GearId& gear) const {
    const GearRecord record = store_.gear(gear);
    std::vector<GearEndpoint> out;
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            out.push_back({cartridge.full_name, endpoint.address, endpoint.port,
                           link_addresses(record.spec.uid).gear, endpoint.proxy_port});
        }
    }
    return out;
}

void LocalAgent::set_authorized_keys(const GearId& gear, const std::vector<PublicKey>& keys) {
    const GearRecord record = store_.gear(gear);
    std::string text;
    for (const PublicKey& key : keys) {
        text += authorized_key_line(gear, record.spec.uid, key);
    }
    const GearFiles files = node_.files(record);
    files.write(".ssh/authorized_keys", text, files.locked(), 0440);
}

void LocalAgent::set_user_variables(const GearId& gear,
                                    const std::vector<EnvironmentVariable>& variables) {
    GearRecord record = store_.gear(gear);
    record.spec.user_variables = variables;
    store_.save(record);
    write_variables(node_.files(record), user_variables, variables);
}

void LocalAgent::set_domain_variables(const GearId& gear,
                                      const std::vector<EnvironmentVariable>& variables) {
    const GearFiles files = node_.files(store_.gear(gear));
    files.ensure_directory(domain_variables, files.locked(), 0750);
    write_variables(files, domain_variables, variables);
}

void LocalAgent::set_deployment_settings(const GearId& gear, const DeploymentSettings& settings) {
    GearRecord record = store_.gear(gear);
    record.spec.deployment = settings;
    store_.save(record);
    write_deployment_variables(node_.files(record), settings);
}

void LocalAgent::set_resources(const GearId& gear, const GearResources& resources) {
    GearRecord record = store_.gear(gear);
    record.spec.resources = resources;
    store_.save(record);
    apply_resources(record);
}

void LocalAgent::apply_resources(const GearRecord& record) {
    const pid_t running = launcher_.is_running(record) ? record.init_pid : 0;
    for (const auto& isolator : isolators_) {
        while_doing([&] { isolator->adapt(record, running); }, "changing the limits of gear '", record.spec.id.text(), "': ",
                    isolator->name());
    }
}

bool LocalAgent::deploy(const GearId& gear, const DeployRequest& request, const TextSink& output) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    const bool success = deployer_.deploy(record, request, output);
    end_deployment(record);
    return success;
}

bool LocalAgent::activate(const GearId& gear, const std::string& deployment,
                          const TextSink& output) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    const bool success = deployer_.activate_kept(record, deployment, output);
    end_deployment(record);
    return success;
}

bool LocalAgent::activate_current(const GearId& gear, const TextSink& output) {
    begin_change(gear);
    GearRecord record = store_.gear(gear);
    const bool success = deployer_.activate_current(record, output);
    end_deployment(record);
    return success;
}

void LocalAgent::end_deployment(const GearRecord& record) {
    if (record.state == GearState::started) {
        node_.files(record).remove(home::stop_lock);
        watcher_.notice(record);
    }
}

std::vector<Deployment> LocalAgent::deployments(const GearId& gear) const {
    return deployer_.deployments(store_.gear(gear));
}

LogPage LocalAgent::logs(const GearId& gear, const std::string& after, int lines) const {
    const GearRecord record = store_.gear(gear);
    std::vector<std::string> folders = {"app-root/logs"};
    for (const RecordedCartridge& cartridge : record.cartridges) {
        folders.push_back(cartridge.name + "/logs");
    }
    return read_logs(node_.files(record), folders, after, lines);
}

}  // namespace gearbox
