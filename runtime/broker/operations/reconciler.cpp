#include "broker/operations/reconciler.h"

#include "base/log.h"
#include "broker/access_change.h"

#include <set>

namespace gearbox {

namespace {

OperationPlan plan_nothing(const OperationRecord& record) {
    OperationPlan plan;
    plan.kind = record.kind;
    plan.user = record.user;
    plan.subject = record.subject;
    plan.request = record.request;
    plan.recovery = Recovery::abandon;
    return plan;
}

std::vector<EnvironmentVariable> variables_before(const Json& request) {
    std::vector<EnvironmentVariable> out;
    for (const Json& pair : take<Json>(request, "before")) {
        out.push_back({pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
    }
    return out;
}

std::vector<Alias> aliases_before(const Json& request) {
    std::vector<Alias> out;
    for (const Json& pair : take<Json>(request, "before")) {
        if (const auto name = AliasName::parse(pair.at(0).get<std::string>())) {
            out.push_back({*name, pair.at(1).get<std::int64_t>()});
        }
    }
    return out;
}

DeploymentSettings deployment_before(const Json& request) {
    return {take<bool>(request, "auto_deploy"), take<std::string>(request, "branch"),
            take<int>(request, "keep"), take<std::string>(request, "type")};
}

std::optional<Cartridge> find_cartridge(const NodeAgent& agent, const Json& request) {
    const auto full_name = take<std::string>(request, "cartridge");
    // Not in what was written before there were own ones.
    if (const auto url = find<std::string>(request, "url").value_or(""); !url.empty()) {
        return parse_own_cartridge(take<std::string>(request, "manifest"), url, full_name);
    }
    for (Cartridge& cartridge : agent.cartridges()) {
        if (cartridge.full_name() == full_name) {
            return std::move(cartridge);
        }
    }
    return std::nullopt;
}

}  // namespace

OperationPlan Reconciler::plan_again(const OperationRecord& record) const {
    const Effects& e = core_.effects;
    if (record.kind == "create-application") {
        return plan_interrupted_creation(record, e);
    }
    if (is_access_change(record)) {
        return plan_access_repair(core_, record);
    }
    const auto found = core_.store.find_application(record.subject);
    if (!found) {
        return plan_nothing(record);
    }
    Application application = found->value;
    if (record.kind == "delete-application") {
        return plan_delete_application(application.id, record.user, e);
    }
    if (record.kind.starts_with("event-")) {
        const auto event = parse_gear_event(record.kind.substr(6));
        return event ? plan_event(application.id, record.user, *event, e) : plan_nothing(record);
    }
    if (record.kind == "set-variables") {
        application.variables = variables_before(record.request);
        return plan_set_variables(application, record.user, application.variables, e);
    }
    if (record.kind == "set-aliases") {
        application.aliases = aliases_before(record.request);
        const auto host = find<std::string>(record.request, "certificate").value_or("");
        return plan_set_aliases(application, record.user, application.aliases,
                                host.empty() ? std::nullopt
                                             : std::optional(RouterCertificate{host, ""}),
                                e);
    }
    if (record.kind == "set-deployment") {
        application.deployment = deployment_before(record.request);
        return plan_set_deployment(application, record.user, application.deployment, e);
    }
    if (record.kind == "set-resources") {
        application.resources = {take<std::string>(record.request, "size"),
                                 take<std::int64_t>(record.request, "extra_gb")};
        return plan_set_resources(application, record.user, application.resources, e);
    }
    static Cartridge nothing;  // only the undo of this plan is used
    if (record.kind == "fetch-cartridge") {
        return plan_fetch_cartridge(application, record.user, "", {}, nothing, e);
    }
    const auto cartridge = record.request.contains("cartridge")
                               ? find_cartridge(e.agent, record.request)
                               : std::nullopt;
    static OperationOutput unused;  // only the undo of this plan is used
    if (cartridge && record.kind == "add-cartridge") {
        return plan_add_cartridge(application, record.user, *cartridge, e, unused);
    }
    if (cartridge && record.kind == "upgrade-cartridge") {
        return plan_upgrade_again(application, record.user, *cartridge, e);
    }
    if (cartridge && record.kind == "remove-cartridge") {
        return plan_remove_cartridge(application, record.user, *cartridge, e);
    }
    return plan_nothing(record);
}

void Reconciler::repair_operation(const OperationRecord& record) {
    const OperationPlan plan = plan_again(record);
    if (record.kind.starts_with("event-") && plan.recovery == Recovery::finish &&
        record.state == OperationState::running) {
        interrupted_events_.push_back(record);
        return;
    }
    core_.runner.recover(record, plan);
}

void Reconciler::repair() {
    for (const OperationRecord& record : core_.store.unfinished_operations()) {
        repair_operation(record);
    }
    remove_remains();
}

void Reconciler::remove_remains() {
    // Half-made or half-deleted ones that the journal does not speak of: a deletion that failed.
    std::set<std::string> open;
    for (const OperationRecord& record : core_.store.unfinished_operations()) {
        open.insert(record.subject);
    }
    std::set<std::string> known;
    for (const ApplicationRecord& record : core_.store.all_applications()) {
        const Application& application = record.value;
        known.insert(application.id.text());
        if (record.stage == Stage::ready || open.contains(application.id.text())) {
            continue;
        }
        log::warning("removing the remains of an application",
                     log::field("application", application.id.text()));
        try {
            core_.runner.run(plan_delete_application(application.id, application.owner,
                                                     core_.effects),
                             "");
        } catch (const Error& error) {
            log::error("removing remains: ", error.what());
        }
    }
    for (const GearId& gear : core_.agent.gears()) {
        if (known.contains(gear.text())) {
            continue;
        }
        log::warning("removing a gear of no application", log::field("gear", gear.text()));
        try {
            core_.agent.destroy_gear(gear);
        } catch (const Error& error) {
            log::error("removing gear '", gear.text(), "': ", error.what());
        }
    }
}

void Reconciler::repeat_events() {
    for (const OperationRecord& record : interrupted_events_) {
        const auto lock = core_.application_locks.lock(record.subject);
        core_.runner.recover(record, plan_again(record));
    }
    interrupted_events_.clear();
}

}  // namespace gearbox
