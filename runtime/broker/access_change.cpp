#include "broker/access_change.h"

namespace gearbox {

namespace {

OperationPlan plan_distribution(std::string kind, const UserId& user, std::string subject,
                                const std::function<void()>& distribute) {
    OperationPlan plan;
    plan.kind = std::move(kind);
    plan.user = user;
    plan.subject = std::move(subject);
    plan.request = Json::object();
    plan.recovery = Recovery::finish;
    plan.steps.push_back({"distribute", "Write the keys to the gears", distribute, distribute});
    return plan;
}

}  // namespace

void distribute_keys(Core& core, const std::vector<ApplicationRecord>& applications) {
    for (const ApplicationRecord& record : applications) {
        write_keys(core.effects, record.value);
    }
}

std::vector<ApplicationRecord> applications_of(const StateStore& store,
                                               const std::vector<DomainId>& domains) {
    std::vector<ApplicationRecord> out;
    for (const DomainId& domain : domains) {
        for (ApplicationRecord& record : store.applications(domain)) {
            out.push_back(std::move(record));
        }
    }
    return out;
}

void change_access(Core& core, const Principal& who, AccessChange change) {
    const auto distribute = [&core, applications = change.applications] {
        distribute_keys(core, applications());
    };
    OperationPlan plan = plan_distribution(change.kind, who.user.id, change.subject, distribute);
    // Undone in reverse the keys would be written before the store is as it was: so the first
    // step's undo does both.
    plan.steps.front().undo = {};
    change.record.undo = [undo = change.record.undo, distribute] {
        undo();
        distribute();
    };
    plan.steps.insert(plan.steps.begin(), std::move(change.record));
    core.runner.run(plan, who.request_id);
}

bool is_access_change(const OperationRecord& record) {
    return record.kind == "update-keys" || record.kind == "update-members" ||
           record.kind == "update-team";
}

OperationPlan plan_access_repair(Core& core, const OperationRecord& record) {
    return plan_distribution(record.kind, record.user, record.subject, [&core] {
        distribute_keys(core, core.store.all_applications());
    });
}

}  // namespace gearbox
