// LocalAgent: cartridges, on offer and in gears.
#include "node/catalogue.h"
#include "node/local_agent.h"

namespace gearbox {

void LocalAgent::load_cartridges() {
    catalogue_ = load_catalogue(cartridges_below(settings_.node.cartridge_dir), true);
    for (Cartridge& cartridge : load_catalogue(imported_.offered(), false)) {
        catalogue_.push_back(std::move(cartridge));
    }
}

std::vector<Cartridge> LocalAgent::cartridges() const {
    const std::lock_guard lock(catalogue_mutex_);
    return catalogue_;
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
        for (const std::string& package : missing_packages(cartridge.native_requires)) {
            out.remarks.push_back(
                str(cartridge.full_name(), " asks for the package '", package, "', which is not installed"));
        }
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

ScriptMessages LocalAgent::add_cartridge(const GearId& gear, const Cartridge& cartridge) {
    GearRecord record = store_.gear(gear);
    const Profile* const before = profiles_.find(record);
    ScriptMessages messages = runner_.add(record, cartridge);
    if (profiles_.find(record) != before) {
        apply_resources(record);
    }
    return messages;
}

void LocalAgent::remove_cartridge(const GearId& gear, const Cartridge& cartridge) {
    if (auto record = store_.find(gear)) {
        const Profile* const before = profiles_.find(*record);
        runner_.remove(*record, cartridge.name);
        if (profiles_.find(*record) != before) {
            apply_resources(*record);
        }
    }
}

}  // namespace gearbox
