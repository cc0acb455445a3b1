// LocalAgent: which gears start by themselves when the machine or the daemon comes back.
#include "base/error.h"
#include "base/log.h"
#include "node/gear_state.h"
#include "node/local_agent.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <limits>
#include <thread>

namespace gearbox {

namespace {

// What an operator has written into the gear's home; without a number there the gear has the last one.
int start_priority(const NodeContext& node, const GearId& gear) {
    constexpr int last = std::numeric_limits<int>::max();
    try {
        std::string text = node.files(node.store.gear(gear)).find(home::start_priority, 16).value_or("");
        if (text.ends_with('\n')) {
            text.pop_back();
        }
        int out = last;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
        return error == std::errc() && end == text.data() + text.size() && out >= 0 ? out : last;
    } catch (const Error&) {
        return last;  // why its home cannot be opened is told when it is to be started
    }
}

}  // namespace

std::vector<GearId> LocalAgent::starting_order() const {
    // Ids begin with their time.
    std::vector<std::pair<int, GearId>> gears;
    for (const GearId& id : store_.gears()) {
        gears.emplace_back(start_priority(node_, id), id);
    }
    std::sort(gears.begin(), gears.end());
    std::vector<GearId> out;
    std::transform(gears.begin(), gears.end(), std::back_inserter(out), [](const auto& gear) { return gear.second; });
    return out;
}

void LocalAgent::start_missing(KeyedMutex& locks) {
    // No more at a time than there are processors: what starts slowly (a database) would otherwise start more slowly still, all at once.
    const std::vector<GearId> gears = starting_order();
    std::atomic<std::size_t> next = 0;
    const auto start_some = [&] {
        for (std::size_t i = next++; i < gears.size(); i = next++) {
            bring_up(gears[i], locks);
        }
    };
    std::vector<std::jthread> workers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
        workers.emplace_back(start_some);
    }
    start_some();
}

void LocalAgent::bring_up(const GearId& id, KeyedMutex& locks) {
    const auto lock = locks.lock(id.text());
    try {
        if (auto record = store_.find(id)) {
            // Of a fetch that the end of the daemon interrupted.
            node_.files(*record).remove(home::downloaded);
            // The settings may be others than before.
            apply_resources(*record);
            start_if_missing(*record);
        }
    } catch (const Error& error) {
        log::error("starting again: ", error.text(), log::field("gear", id.text()));
    }
}

void LocalAgent::start_if_missing(GearRecord& record) {
    const bool interrupted =
        record.state == GearState::building || record.state == GearState::deploying;
    const bool gone = record.state == GearState::started && !launcher_.is_running(record);
    if ((!interrupted && !gone) || node_.files(record).exists(home::stop_lock)) {
        return;
    }
    // Left over from a deployment: what it had begun to build must not be served.
    launcher_.kill(record);
    launcher_.ensure_running(record);
    if (interrupted) {
        deployer_.restore(record);
    }
    start(record.spec.id);
}

}  // namespace gearbox
