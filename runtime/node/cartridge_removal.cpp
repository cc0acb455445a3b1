// Removing cartridges, one or with the gear (contract 3.3).
#include "base/error.h"
#include "base/log.h"
#include "node/cartridge_runner.h"
#include "node/connectors.h"
#include "sys/listeners.h"

#include <algorithm>
#include <functional>
#include <set>

namespace gearbox {

namespace {

// False, and a line in the log, if not.
bool succeeds(const GearRecord& record, const std::string& doing, const std::function<void()>& body) {
    try {
        body();
        return true;
    } catch (const Error& error) {
        log::warning(doing, ": ", error.text(), log::field("gear", record.spec.id.text()));
        return false;
    }
}

bool is_served(const GearRecord& record, const RecordedCartridge& cartridge) {
    std::set<std::pair<std::string, int>> places;
    for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
        places.emplace(endpoint.address, endpoint.port);
    }
    return sys::is_listened_on(record.init_pid, places);
}

}  // namespace

void CartridgeRunner::discard(const GearRecord& record, const RecordedCartridge& cartridge) const {
    const GearFiles files = node_.files(record);
    files.open_home(false);
    files.remove(cartridge.name);
    files.remove(published_directory(cartridge));
    for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
        files.remove(str(".env/", endpoint.ip_variable));
        files.remove(str(".env/", endpoint.port_variable));
        for (const std::string& optional : {endpoint.public_port_variable, endpoint.websocket_port_variable}) {
            if (!optional.empty()) {
                files.remove(str(".env/", optional));
            }
        }
    }
    if (record.cartridges.empty() || record.cartridges.front().name == cartridge.name) {
        files.remove(".env/OPENSHIFT_PRIMARY_CARTRIDGE_DIR");
    }
}

void CartridgeRunner::remove(GearRecord& record, const std::string& name) const {
    const RecordedCartridge* const found = record.find_cartridge(name);
    if (found == nullptr) {
        return;
    }
    const RecordedCartridge cartridge = *found;
    const bool was_running = node_.launcher.is_running(record);
    const auto attempt = [&](const auto& body) { return succeeds(record, str("removing ", cartridge.full_name), body); };
    attempt([&] { node_.launcher.ensure_running(record); });
    const bool has_stopped = attempt([&] { control(record, cartridge, "stop"); });
    attempt([&] { unlock(record, cartridge); });
    attempt([&] { run_script(record, cartridge, "teardown"); });
    const bool is_over = was_running && has_stopped && !is_served(record, cartridge);
    if (!is_over) {
        node_.launcher.kill(record);
    }
    discard(record, cartridge);
    std::erase_if(record.cartridges,
                  [&](const auto& other) { return other.name == cartridge.name; });
    node_.store.save(record);
    node_.launcher.refresh_forwardings(record);
    if (!is_over && record.state == GearState::started) {
        attempt([&] {
            node_.launcher.ensure_running(record);
            start_all(record);
        });
    }
}

void CartridgeRunner::destroy_scripts(GearRecord& record) const {
    // Somebody waits for the deletion; and a daemon that finishes several while it starts has ten minutes (gearboxd.service).
    constexpr std::chrono::seconds most(30);
    const auto now = &std::chrono::steady_clock::now;
    const auto end = now() + most;
    for (const RecordedCartridge& cartridge : record.cartridges) {
        succeeds(record, "removing the gear", [&] {
            if (node_.files(record).exists(cartridge.name + "/bin/teardown")) {
                node_.launcher.ensure_running(record);
                unlock(record, cartridge);
                run_script(record, cartridge, "teardown", {}, std::chrono::ceil<std::chrono::seconds>(end - now()));
            }
        });
    }
}

}  // namespace gearbox
