#include "node/push_session.h"

#include "base/error.h"
#include "base/log.h"
#include "node/gear_state.h"

#include <array>

namespace gearbox {

namespace {

// Where the objects of a push are until it is accepted; nothing else of the hook's environment
// counts.
constexpr std::array quarantine = {
    "GIT_OBJECT_DIRECTORY=", "GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_QUARANTINE_PATH="};

std::vector<std::string> object_environment(const Json& request) {
    std::vector<std::string> out;
    for (const std::string& pair : take<std::vector<std::string>>(request, "environment")) {
        for (const char* name : quarantine) {
            if (pair.starts_with(name) && pair.find('\0') == std::string::npos) {
                out.push_back(pair);
            }
        }
    }
    return out;
}

// Of a git that was killed while it wrote (a power cut, too little memory): git waits for its end, and no push would be
// taken again. One that lives has them for as long as a line takes to be written.
void remove_dead_locks(const GearFiles& files, const std::string& repository, const std::vector<RefUpdate>& updates) {
    constexpr std::chrono::seconds age(10);
    for (const char* name : {"HEAD", "packed-refs"}) {
        files.remove_old(str(repository, "/", name, ".lock"), age);
    }
    for (const RefUpdate& update : updates) {
        if (update.ref.find("/.") != std::string::npos || update.ref.find("//") != std::string::npos) {
            continue;  // git refuses the name (git-check-ref-format(1))
        }
        files.remove_old(str(repository, "/", update.ref, ".lock"), age);
    }
}

}  // namespace

PushSession::~PushSession() {
    if (!pending_ || !was_started_) {
        return;
    }
    try {
        GearRecord record = node_.store.gear(gear_);
        if (record.state != GearState::started) {
            node_.launcher.ensure_running(record);
            runner_.start_all(record);
            set_gear_state(node_, record, GearState::started);
        }
    } catch (const std::exception& error) {
        log::error("starting after a push that was given up: ", std::string_view(error.what()),
                   log::field("gear", gear_.text()));
    }
}

int PushSession::prereceive(const Json& request, const TextSink& output) {
    if (!lock_) {
        lock_.emplace(locks_.lock(gear_.text()));
    }
    GearRecord record = node_.store.gear(gear_);
    const auto updates = parse_ref_updates(take<std::string>(request, "updates"));
    remove_dead_locks(node_.files(record), home::repository(record.spec), updates);
    was_started_ = record.state == GearState::started;
    // Set before the stop begins: whatever happens then, the application is started again.
    pending_ = PendingDeployment{};
    pending_ = deployer_.prereceive(record, updates, object_environment(request), output);
    return 0;
}

int PushSession::postreceive(const TextSink& output) {
    if (pending_ && lock_) {
        const PendingDeployment pending = *pending_;
        pending_.reset();
        GearRecord record = node_.store.gear(gear_);
        if (!pending.builder.empty()) {
            lock_.reset();
        }
        has_deployed_ |= deployer_.postreceive(record, pending, output);
        lock_.reset();
    }
    return 0;
}

}  // namespace gearbox
