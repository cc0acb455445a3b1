// The state of a gear, kept in its record and shown in app-root/runtime/.state.
#pragma once
#include "node/context.h"

namespace gearbox {

inline void set_gear_state(const NodeContext& node, GearRecord& record, GearState state) {
    record.state = state;
    node.store.save(record);
    const GearFiles files = node.files(record);
    files.write("app-root/runtime/.state", str(name_of(state), "\n"), files.locked(), 0640);
}

}  // namespace gearbox
