#include "broker/operations/plans.h"

#include "base/error.h"
#include "base/log.h"

namespace gearbox {

OperationPlan plan_delete_application(const ApplicationId& application, const UserId& user,
                                      const Effects& e) {
    const GearId gear(application.text());
    OperationPlan plan;
    plan.kind = "delete-application";
    plan.user = user;
    plan.subject = application.text();
    plan.request = Json::object();
    plan.recovery = Recovery::finish;
    plan.steps = {
        {"mark", "Mark for deletion",
         [application, e] { mark_for_deletion(e, application); }, {}},
        {"withdraw-routes", "Withdraw the address",
         [application, gear, e] {
             if (e.agent.has_gear(gear)) {
                 e.agent.publish_routes(gear, {});
             }
             const auto record = e.store.find_application(application.text());
             for (const Alias& alias : record ? record->value.aliases : std::vector<Alias>()) {
                 if (alias.certificate_added != 0) {
                     e.agent.remove_certificate(alias.name.text());
                 }
             }
         },
         {}},
        // A cartridge that cannot stop must not keep the application alive: what is left is killed.
        {"stop", "Stop the application",
         [gear, e] {
             try {
                 if (e.agent.has_gear(gear)) {
                     e.agent.stop(gear, true);
                 }
             } catch (const Error& error) {
                 log::warning("stopping before deletion: ", error.what(),
                              log::field("gear", gear.text()));
             }
         },
         {}},
        {"destroy-gear", "Remove the gear", [gear, e] { e.agent.destroy_gear(gear); }, {}},
        // Last: the uid is free for others only when nothing of the gear is left.
        {"forget", "Free the name and the user id",
         [application, e] { forget_application(e, application); }, {}},
    };
    return plan;
}

}  // namespace gearbox
