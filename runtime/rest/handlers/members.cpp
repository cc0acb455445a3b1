#include "rest/handlers/handlers.h"

#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

Domain domain_of(const Call& call) {
    return call.broker.domains.domain(call.who, call.part("domain"));
}

Json present_all(const Call& call, const Domain& domain, const std::vector<Member>& members) {
    Json list = Json::array();
    for (const Member& member : members) {
        list.push_back(present_member(member, domain, call.view));
    }
    return list;
}

Reply reply_for(const Call& call, const Domain& domain, const std::vector<Member>& given,
                std::string text) {
    // One is shown as itself, several as a list.
    if (given.size() == 1) {
        return {200, "member", present_member(given.front(), domain, call.view),
                {{"info", std::move(text)}}, {}};
    }
    return {200, "members", present_all(call, domain, call.broker.members.list(domain)),
            {{"info", std::move(text)}}, {}};
}

}  // namespace

Reply list_domain_members(const Call& call) {
    const Domain domain = domain_of(call);
    return {200, "members", present_all(call, domain, call.broker.members.list(domain)), {}, {}};
}

Reply show_member(const Call& call) {
    const Domain domain = domain_of(call);
    return {200, "member",
            present_member(call.broker.members.member(domain, call.part("member")), domain, call.view),
            {}, {}};
}

Reply change_members(const Call& call) {
    const Domain domain = domain_of(call);
    Problems problems;
    const auto changes = parse_member_changes(call.params, problems);
    problems.check();
    return reply_for(call, domain, call.broker.members.change(call.who, domain, changes),
                     str("Updated members of domain ", domain.name.text()));
}

Reply update_member(const Call& call) {
    const Domain domain = domain_of(call);
    const Member member = call.broker.members.member(domain, call.part("member"));
    Problems problems;
    const auto role = parse_member_role(call.params, problems);
    problems.check();
    const auto given =
        call.broker.members.change(call.who, domain, {{"", member.id(), role, member.team.has_value()}});
    return reply_for(call, domain, given,
                     str("Updated member ", member.name(), " of domain ",
                         domain.name.text()));
}

Reply remove_member(const Call& call) {
    const Domain domain = domain_of(call);
    const Member member = call.broker.members.member(domain, call.part("member"));
    call.broker.members.change(call.who, domain, {{"", member.id(), std::nullopt, member.team.has_value()}});
    return {200, "", nullptr,
            {{"info", str("Removed member ", member.name(), " from domain ",
                          domain.name.text())}}, {}};
}

Reply reset_members(const Call& call) {
    const Domain domain = domain_of(call);
    if (call.params.contains("members")) {
        Problems problems;
        auto changes = parse_member_changes(call.params, problems, "none");
        problems.check();
        for (MemberChange& change : changes) {
            change.role = std::nullopt;
        }
        call.broker.members.change(call.who, domain, changes);
    } else {
        call.broker.members.reset(call.who, domain);
    }
    return {200, "members", present_all(call, domain, call.broker.members.list(domain)),
            {{"info", str("Removed members of domain ", domain.name.text())}}, {}};
}

Reply leave_domain(const Call& call) {
    const Domain domain = domain_of(call);
    call.broker.members.leave(call.who, domain);
    return {200, "", nullptr,
            {{"info", str("You are no longer a member of domain ", domain.name.text())}}, {}};
}

Reply list_application_members(const Call& call) {
    const Application application = application_of(call);
    const auto domain = call.broker.core.store.find_domain(application.domain);
    Json list = Json::array();
    for (const Member& member : domain ? call.broker.members.list(*domain) : std::vector<Member>()) {
        list.push_back(present_inherited_member(member, application));
    }
    return {200, "members", std::move(list), {}, {}};
}

}  // namespace gearbox::rest::handlers
