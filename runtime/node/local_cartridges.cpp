// LocalAgent: cartridges, on offer and in gears.
#include "base/defer.h"
#include "base/error.h"
#include "node/catalogue.h"
#include "node/disk_limit.h"
#include "node/local_agent.h"

#include <algorithm>
#include <numeric>

namespace gearbox {

namespace {

// One sentence for each package that is missing.
std::vector<std::string> unmet_wishes(const Cartridge& cartridge) {
    std::vector<std::string> out;
    for (const std::string& package : missing_packages(cartridge.native_requires)) {
        out.push_back(str(cartridge.full_name(), " asks for the package '", package, "', which is not installed"));
    }
    return out;
}

bool has_name(const std::vector<Cartridge>& cartridges, const std::string& full_name) {
    return std::any_of(cartridges.begin(), cartridges.end(),
                       [&](const Cartridge& cartridge) { return cartridge.full_name() == full_name; });
}

}  // namespace

void LocalAgent::load_cartridges() {
    const std::vector<std::filesystem::path> ours = cartridges_below(settings_.node.cartridge_dir);
    catalogue_ = load_catalogue(ours, true);
    for (Cartridge& cartridge : load_catalogue(imported_.offered(), false)) {
        catalogue_.push_back(std::move(cartridge));
    }
    withdrawn_.clear();
    for (const auto& directories : {ours, imported_.newest_first()}) {
        for (Cartridge& cartridge : load_catalogue(directories, false)) {
            if (!has_name(catalogue_, cartridge.full_name()) && !has_name(withdrawn_, cartridge.full_name())) {
                withdrawn_.push_back(std::move(cartridge));
            }
        }
    }
}

std::vector<Cartridge> LocalAgent::withdrawn_cartridges() const {
    const std::lock_guard lock(catalogue_mutex_);
    return withdrawn_;
}

std::vector<Cartridge> LocalAgent::cartridges() const {
    const std::lock_guard lock(catalogue_mutex_);
    return catalogue_;
}

std::vector<std::string> LocalAgent::missing_packages(const std::vector<std::string>& packages) const {
    return gearbox::missing_packages(packages);
}

std::vector<ImportedCartridge> LocalAgent::imported_cartridges() const {
    const std::lock_guard lock(catalogue_mutex_);
    return imported_.list();
}

std::string LocalAgent::make_cartridge_staging() {
    const std::lock_guard lock(catalogue_mutex_);
    return imported_.make_staging();
}

CartridgeImport LocalAgent::import_cartridge(const std::string& staging) {
    const std::lock_guard lock(catalogue_mutex_);
    const cartridge::Report report = imported_.accept(staging);
    load_cartridges();
    CartridgeImport out{report.name, report.offers, {}};
    for (const cartridge::Finding& finding : report.findings) {
        out.remarks.push_back(cartridge::to_line(finding));
    }
    for (const Cartridge& cartridge : catalogue_) {
        if (cartridge.base_name() != report.name) {
            continue;
        }
        const std::vector<std::string> wants = unmet_wishes(cartridge);
        out.remarks.insert(out.remarks.end(), wants.begin(), wants.end());
    }
    return out;
}

void LocalAgent::activate_cartridge(const std::string& name, bool active) {
    const std::lock_guard lock(catalogue_mutex_);
    imported_.activate(name, active);
    load_cartridges();
}

void LocalAgent::forget_cartridge(const std::string& name) {
    const std::lock_guard lock(catalogue_mutex_);
    imported_.remove(name);
    load_cartridges();
}

// In the gear, as the gear: what an address can reach, a server can answer and an archive can do is what the gear's
// programs could have done anyway.
Cartridge LocalAgent::fetch_cartridge(const GearId& gear, const std::string& url) {
    check_room(settings_.node);
    GearRecord record = store_.gear(gear);
    cgroups_.thaw(cgroup_name(gear));
    launcher_.ensure_running(record);
    const GearFiles files = node_.files(record);
    files.ensure_directory(home::downloaded, files.locked(), 0750);
    const std::string place = str(home::downloaded, "/", files.list(home::downloaded).size());
    const std::string home = node_.home(record);
    const std::string tree = place + "/tree";
    const std::string work = place + "/work";
    for (const std::string& directory : {place, tree, work}) {
        files.ensure_directory(directory, files.unlocked(), 0750);
    }
    const CartridgeSettings& most = settings_.cartridges;
    GearCommand command;
    command.purpose = Purpose::build;
    command.environment = {"PATH=/usr/bin:/usr/sbin", "LC_ALL=C.UTF-8", str("HOME=", home), str("TMPDIR=", home, "/", work)};
    command.directory = home;
    command.deadline = std::chrono::seconds(most.url_seconds + 30);  // it ends by itself
    command.argv = {paths_.gear_fetch(),          url, str(home, "/", tree), std::to_string(most.url_mb),
                    std::to_string(most.url_files), std::to_string(most.url_seconds)};
    command.argv.insert(command.argv.end(), most.url_prefixes.begin(), most.url_prefixes.end());
    const GearResult fetched = launcher_.run(record, command);
    if (fetched.status != 0) {
        constexpr std::size_t shown_part = 2000;
        fail(ErrorKind::invalid, "the cartridge '", url, "' cannot be used: ", fetched.err.substr(0, std::min(shown_part, fetched.err.find_last_not_of('\n') + 1)));
    }
    files.remove(work);
    constexpr std::size_t more_than_a_manifest = 32 * 1024;
    const auto manifest = files.find(tree + "/metadata/manifest.yml", more_than_a_manifest);
    Cartridge cartridge = while_doing([&] { return parse_own_cartridge(manifest.value_or(""), url); }, "the cartridge '",
                                      url, "' cannot be used: metadata/manifest.yml");
    cartridge.source = tree;
    return cartridge;
}

void LocalAgent::drop_fetched(const GearId& gear) {
    if (const auto record = store_.find(gear)) {
        node_.files(*record).remove(home::downloaded);
    }
}

ScriptMessages LocalAgent::add_cartridge(const GearId& gear, const Cartridge& cartridge) {
    check_room(settings_.node);
    GearRecord record = store_.gear(gear);
    const Profile* const before = profiles_.find(record);
    // Whoever adds their own has seen no report of an import.
    const std::vector<std::string> wants = cartridge.is_own() ? unmet_wishes(cartridge) : std::vector<std::string>();
    ScriptMessages messages;
    try {
        messages = runner_.add(record, cartridge);
    } catch (const ScriptError& error) {
        throw ScriptError(error.status(), error.kind(),
                          std::accumulate(wants.begin(), wants.end(), error.text(),
                                          [](const std::string& text, const std::string& want) { return str(text, "\n", want); }));
    }
    messages.messages.insert(messages.messages.begin(), wants.begin(), wants.end());
    if (profiles_.find(record) != before) {
        apply_resources(record);
    }
    return messages;
}

ScriptMessages LocalAgent::post_install(const GearId& gear, const std::string& cartridge) {
    GearRecord record = store_.gear(gear);
    const RecordedCartridge* const found = record.find_cartridge(cartridge);
    if (found == nullptr) {
        fail(ErrorKind::not_found, "the gear has no cartridge '", cartridge, "'");
    }
    const RecordedCartridge installed = *found;
    launcher_.ensure_running(record);
    ScriptMessages messages = runner_.run_script(record, installed, "post_install");
    if (record.state == GearState::started) {
        watcher_.notice(record);
    }
    return messages;
}

// With its files: where an upgrade that fails goes back to.
Cartridge LocalAgent::find_packaging(const Cartridge& cartridge, const std::string& version) const {
    const std::lock_guard lock(catalogue_mutex_);
    const auto directory = imported_.find(cartridge.base_name(), version);
    const auto all = directory ? load_catalogue({*directory}, false) : std::vector<Cartridge>();
    for (const Cartridge& candidate : all) {
        if (candidate.full_name() == cartridge.full_name()) {
            return candidate;
        }
    }
    fail(ErrorKind::conflict, "the files of ", cartridge.full_name(), " ", version,
         " are not on this node any more: an upgrade that fails could not go back");
}

CartridgeUpgrade LocalAgent::upgrade_cartridge(const GearId& gear, const Cartridge& cartridge) {
    GearRecord record = store_.gear(gear);
    const RecordedCartridge* const found = record.find_cartridge(cartridge.name);
    if (found == nullptr || found->own || found->full_name != cartridge.full_name()) {
        fail(ErrorKind::not_found, "the gear has no cartridge '", cartridge.full_name(), "'");
    }
    CartridgeUpgrade done{runner_.packaging(record, *found), cartridge.cartridge_version, false};
    if (done.from == done.to) {
        return done;
    }
    const auto& easy = cartridge.compatible_versions;
    done.was_compatible = std::find(easy.begin(), easy.end(), done.from) != easy.end();
    check_room(settings_.node);
    const Cartridge before = find_packaging(cartridge, done.from);
    begin_change(gear);
    const Defer watch([&] { watcher_.notice(record); });
    runner_.upgrade(record, cartridge, before);
    return done;
}

void LocalAgent::remove_cartridge(const GearId& gear, const Cartridge& cartridge) {
    if (auto record = store_.find(gear)) {
        const Profile* const before = profiles_.find(*record);
        begin_change(gear);
        const Defer watch([&] { watcher_.notice(*record); });
        runner_.remove(*record, cartridge.name);
        if (profiles_.find(*record) != before) {
            apply_resources(*record);
        }
    }
}

}  // namespace gearbox
