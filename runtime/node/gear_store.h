// One JSON file per gear, replaced as a whole. Calls for one gear are serialised by the caller;
// reads may come at any time.
#pragma once
#include "node/gear_record.h"
#include "node/paths.h"

#include <optional>
#include <vector>

namespace gearbox {

class GearStore {
public:
    /// Makes the directory (mode 0700: records hold secrets).
    explicit GearStore(const Paths& paths);

    std::optional<GearRecord> find(const GearId& gear) const;
    /// Throws Error(not_found).
    GearRecord gear(const GearId& gear) const;
    void save(const GearRecord& record) const;
    /// Unknown is fine.
    void remove(const GearId& gear) const;
    std::vector<GearId> gears() const;

private:
    Paths paths_;
};

}  // namespace gearbox
