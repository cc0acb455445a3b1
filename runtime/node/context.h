// What every part of the node works with; owned by LocalAgent.
#pragma once
#include "base/clock.h"
#include "base/settings.h"
#include "node/gear_files.h"
#include "node/gear_store.h"
#include "node/launcher.h"
#include "node/paths.h"
#include "node/profiles.h"
#include "node/security_policy.h"

#include <chrono>

namespace gearbox {

struct NodeContext {
    const Settings& settings;
    const Paths& paths;
    const SecurityPolicy& policy;
    const Profiles& profiles;
    const GearStore& store;
    const Launcher& launcher;
    const Clock& clock;
    /// For each script of a gear, if the settings give more.
    std::chrono::seconds script_limit = std::chrono::seconds::max();

    GearFiles files(const GearRecord& record) const {
        const uid_t uid = record.spec.uid;
        return {paths.home(record.spec.id), uid, policy.file_label(uid, FileKind::home)};
    }
    std::string home(const GearRecord& record) const { return paths.home(record.spec.id); }
};

}  // namespace gearbox
