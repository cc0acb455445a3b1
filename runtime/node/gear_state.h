// The state of a gear, kept in its record and shown in app-root/runtime/.state.
#pragma once
#include "base/file.h"
#include "node/context.h"

namespace gearbox {

inline void set_gear_state(const NodeContext& node, GearRecord& record, GearState state) {
    if (record.state == GearState::building || record.state == GearState::deploying) {
        // Until what was deployed is on the disk, a start puts the deployment from before in its place.
        flush_file_system(node.paths.gear_base);
    }
    record.state = state;
    node.store.save(record);
    const GearFiles files = node.files(record);
    files.write("app-root/runtime/.state", str(name_of(state), "\n"), files.locked(), 0640);
}

}  // namespace gearbox
