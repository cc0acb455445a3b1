#include "broker/members.h"

#include "base/log.h"
#include "broker/problems.h"

#include <algorithm>
#include <set>

namespace gearbox {

void distribute_keys(Core& core, const DomainId& domain) {
    for (const ApplicationRecord& record : core.store.applications(domain)) {
        const auto lock = core.application_locks.lock(record.value.id.text());
        if (core.agent.has_gear(record.value.gear())) {
            core.agent.set_authorized_keys(record.value.gear(), authorized_keys(core.store, domain));
        }
    }
}

std::vector<Member> MemberService::list(const Domain& domain) const {
    std::vector<Member> out;
    if (auto owner = core_.store.find_user(domain.owner)) {
        out.push_back({std::move(*owner), Role::owner});
    }
    for (const auto& [id, role] : core_.store.members(domain.id)) {
        if (auto user = core_.store.find_user(id)) {
            out.push_back({std::move(*user), role});
        }
    }
    std::sort(out.begin() + (out.empty() ? 0 : 1), out.end(),
              [](const Member& a, const Member& b) { return a.user.login < b.user.login; });
    return out;
}

Member MemberService::member(const Domain& domain, const std::string& id) const {
    for (Member& member : list(domain)) {
        if (member.user.id.text() == id || member.user.login.text() == id) {
            return std::move(member);
        }
    }
    refuse(ErrorKind::not_found, str("There is no member '", shown(id), "' of this domain"),
           exit_code::member_not_found);
}

std::vector<Member> MemberService::change(const Principal& who, const Domain& domain,
                                          const std::vector<MemberChange>& changes) {
    const auto lock = core_.domain_locks.lock(domain.name.text());
    Roles roles = core_.store.members(domain.id);
    std::vector<Member> given;
    std::set<std::string> seen;
    Problems problems;
    for (const MemberChange& change : changes) {
        const std::string& word = change.id.empty() ? change.login : change.id;
        const auto user = change.id.empty() ? core_.store.find_user(change.login)
                                            : core_.store.find_user(UserId(change.id));
        if (!user) {
            refuse(ErrorKind::not_found, str("There is no account with the ",
                                             change.id.empty() ? "login" : "id", " '", shown(word), "'."),
                   exit_code::member_not_found, change.id.empty() ? "login" : "id");
        }
        const auto there = std::find_if(roles.begin(), roles.end(),
                                        [&](const auto& row) { return row.first == user->id; });
        if (user->id == domain.owner) {
            problems.add("The owner of the domain has every right already and cannot be changed",
                         exit_code::members, "members");
        } else if (!seen.insert(user->id.text()).second) {
            problems.add(str("The member '", shown(word), "' is given twice"), exit_code::members,
                         "members");
        } else if (!change.role && there == roles.end()) {
            problems.add(str("'", shown(word), "' is not a member of the domain"),
                         exit_code::members, "members");
        } else if (!change.role) {
            roles.erase(there);
        } else {
            there == roles.end() ? void(roles.emplace_back(user->id, *change.role))
                                 : void(there->second = *change.role);
            given.push_back({*user, *change.role});
        }
    }
    problems.check();
    run(who, domain, roles);
    return given;
}

void MemberService::reset(const Principal& who, const Domain& domain) {
    const auto lock = core_.domain_locks.lock(domain.name.text());
    run(who, domain, {});
}

void MemberService::leave(const Principal& who, const Domain& domain) {
    if (domain.owner == who.user.id) {
        refuse(ErrorKind::invalid, "You are the owner of this domain and cannot leave.",
               exit_code::unspecified);
    }
    const auto lock = core_.domain_locks.lock(domain.name.text());
    Roles roles = core_.store.members(domain.id);
    std::erase_if(roles, [&](const auto& row) { return row.first == who.user.id; });
    run(who, domain, roles);
}

OperationPlan MemberService::plan_distribution(const DomainId& domain, const UserId& user) const {
    OperationPlan plan;
    plan.kind = "update-members";
    plan.user = user;
    plan.subject = domain.text();
    plan.request = Json::object();
    plan.recovery = Recovery::finish;
    const auto distribute = [this, domain] { distribute_keys(core_, domain); };
    plan.steps.push_back({"distribute", "Let members' keys in", distribute, distribute});
    return plan;
}

void MemberService::run(const Principal& who, const Domain& domain, const Roles& after) {
    const Roles before = core_.store.members(domain.id);
    if (before == after) {
        return;
    }
    OperationPlan plan = plan_distribution(domain.id, who.user.id);
    const auto distribute = plan.steps.front().run;
    plan.steps.front().undo = {};
    // Undone in reverse the keys would be written before the members are as they were.
    plan.steps.insert(plan.steps.begin(),
                      {"record", "Keep the members",
                       [this, id = domain.id, after] { core_.store.set_members(id, after); },
                       [this, id = domain.id, before, distribute] {
                           core_.store.set_members(id, before);
                           distribute();
                       }});
    core_.runner.run(plan, who.request_id);
    log::info("members changed", log::field("domain", domain.name.text()),
              log::field("login", who.user.login.text()));
}

}  // namespace gearbox
