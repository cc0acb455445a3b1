// Who may log in to which gear follows the keys, members and teams in the store: the one way to
// change any of these.
#pragma once
#include "broker/core.h"

#include <functional>
#include <string>
#include <vector>

namespace gearbox {

struct AccessChange {
    std::string kind;     ///< "update-keys", "update-members" or "update-team"
    std::string subject;  ///< the user, domain or team
    Op record;            ///< changes the store; its undo changes it back
    /// Whose gears' keys it changes; asked when it is recorded.
    std::function<std::vector<ApplicationRecord>()> applications;
};

/// Records the change and writes the keys of the gears; a gear that fails undoes both.
void change_access(Core& core, const Principal& who, AccessChange change);

/// What is left of such an operation after a crash: every gear's keys, written again.
bool is_access_change(const OperationRecord& record);
OperationPlan plan_access_repair(Core& core, const OperationRecord& record);

/// Writes the keys of everybody who may log in to the gears of these applications. Waits for no
/// operation on them: a key that was revoked must not stay good because a push takes long.
void distribute_keys(Core& core, const std::vector<ApplicationRecord>& applications);

std::vector<ApplicationRecord> applications_of(const StateStore& store,
                                               const std::vector<DomainId>& domains);

}  // namespace gearbox
