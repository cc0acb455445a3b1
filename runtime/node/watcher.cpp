#include "node/watcher.h"

#include "base/log.h"
#include "node/environ.h"
#include "node/isolator.h"
#include "node/logs.h"
#include "sys/listeners.h"

#include <algorithm>

namespace gearbox {

namespace {

using Listeners = std::set<std::pair<std::string, int>>;

constexpr auto lock_patience = std::chrono::milliseconds(1);

bool listens(const RecordedCartridge& cartridge, const Listeners& found) {
    return std::any_of(cartridge.endpoints.begin(), cartridge.endpoints.end(),
                       [&](const PlacedEndpoint& endpoint) {
                           return found.contains({endpoint.address, endpoint.port}) ||
                                  found.contains({"0.0.0.0", endpoint.port});
                       });
}

}  // namespace

void Watcher::run(KeyedMutex& locks) {
    const std::chrono::seconds pause(node_.settings.node.watch_seconds);
    std::unique_lock guard(mutex_);
    while (pause.count() > 0 && !stopping_.wait_for(guard, pause, [this] { return is_stopping_; })) {
        guard.unlock();
        try {
            each_round_();
        } catch (const Error& error) {
            log::error("following the host: ", error.text());
        }
        for (const GearId& gear : node_.store.gears()) {
            try {
                look(gear, locks);
            } catch (const Error& error) {
                log::error("looking after gears: ", error.text(), log::field("gear", gear.text()));
            }
        }
        guard.lock();
    }
}

void Watcher::stop() {
    const std::lock_guard guard(mutex_);
    is_stopping_ = true;
    stopping_.notify_all();
}

void Watcher::forget(const GearId& gear) {
    const std::lock_guard guard(mutex_);
    const auto found = gears_.find(gear);
    if (found != gears_.end()) {
        for (const auto& [name, service] : found->second.services) {
            found->second.restarts += service.restarts();
        }
        found->second.services.clear();
    }
}

void Watcher::notice(const GearRecord& record) {
    if (record.state != GearState::started || !node_.launcher.is_running(record)) {
        return;
    }
    const Listeners found = sys::listeners(record.init_pid);
    for (const RecordedCartridge& cartridge : record.cartridges) {
        if (listens(cartridge, found)) {
            look_at(record.spec.id, cartridge.name, true);
        }
    }
}

void Watcher::drop(const GearId& gear) {
    const std::lock_guard guard(mutex_);
    gears_.erase(gear);
}

GearHealth Watcher::health(const GearId& gear) const {
    GearHealth health;
    health.oom_kills = cgroups_.oom_kills(cgroup_name(gear));
    const std::lock_guard guard(mutex_);
    if (const auto found = gears_.find(gear); found != gears_.end()) {
        health.restarts = found->second.restarts;
        for (const auto& [name, service] : found->second.services) {
            health.restarts += service.restarts();
            health.has_given_up = health.has_given_up || service.has_given_up();
        }
    }
    return health;
}

void Watcher::look(const GearId& gear, KeyedMutex& locks) {
    // Who holds the lock is changing the gear, and forgets it when done.
    const auto lock = locks.lock_within(gear.text(), lock_patience);
    const auto record = lock ? node_.store.find(gear) : std::nullopt;
    if (!record || record->state != GearState::started || cgroups_.is_frozen(cgroup_name(gear))) {
        return;
    }
    look_at_memory(*record);
    const bool is_running = node_.launcher.is_running(*record);
    act(gear, "", look_at(gear, "", is_running));
    if (!is_running) {
        return;
    }
    const Listeners found = sys::listeners(record->init_pid);
    for (const RecordedCartridge& cartridge : record->cartridges) {
        act(gear, cartridge.name, look_at(gear, cartridge.name, listens(cartridge, found)));
    }
}

ServiceWatch::Verdict Watcher::look_at(const GearId& gear, const std::string& service, bool is_listening) {
    const std::lock_guard guard(mutex_);
    return gears_[gear].services[service].look(node_.clock.monotonic_ms(), is_listening);
}

void Watcher::look_at_memory(const GearRecord& record) {
    const std::int64_t now = cgroups_.oom_kills(cgroup_name(record.spec.id));
    std::int64_t before = 0;
    {
        const std::lock_guard guard(mutex_);
        before = std::exchange(gears_[record.spec.id].oom_kills, now);
    }
    if (before >= 0 && now > before) {
        const std::int64_t limit = node_.profiles.limits(record).memory_mb;
        tell(record.spec.id, "out-of-memory", str("out of memory: ", now - before, now - before == 1 ? " process was" : " processes were",
                                 " killed, all together may use ", limit, " MB"));
    }
}

void Watcher::act(const GearId& gear, const std::string& service, ServiceWatch::Verdict verdict) {
    const std::string what = service.empty() ? "the gear" : service;
    if (verdict == ServiceWatch::Verdict::restart) {
        try {
            restart_(gear, service);
            tell(gear, "restarted", what + " had ended and was started again");
        } catch (const Error& error) {
            tell(gear, "not-restarted", str(what, " had ended and cannot be started: ", error.text()));
        }
    } else if (verdict == ServiceWatch::Verdict::give_up) {
        tell(gear, "given-up", what + " ends again and again and is left alone; start the application when it is repaired");
    }
}

// In the daemon's log, and in one of the gear's own; written by a process of the gear, as its files are.
void Watcher::tell(const GearId& gear, const char* event, const std::string& text) const {
    log::warning(text, log::field("event", event), log::field("gear", gear.text()));
    const auto record = node_.store.find(gear);
    if (!record || !node_.launcher.is_running(*record)) {
        return;
    }
    GearCommand command;
    command.purpose = Purpose::service;
    command.argv = {node_.settings.node.libexec_dir + "/bin/logshifter", "-tag", "gearbox"};
    command.environment = to_pairs(make_environment(node_.files(*record), *record, node_.settings));
    command.directory = node_.home(*record);
    command.input = visible_line(text) + "\n";
    command.deadline = std::chrono::seconds(10);
    node_.launcher.run(*record, command);
}

}  // namespace gearbox
