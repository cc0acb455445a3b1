#include "model/profile.h"

#include "model/launch_plan.h"

#include <algorithm>

namespace gearbox {

namespace {

Json egress_json(const std::optional<Egress>& egress) {
    if (!egress) {
        return nullptr;
    }
    if (egress->internet) {
        return "internet";
    }
    if (egress->rules.empty()) {
        return "none";
    }
    Json out = Json::array();
    for (const EgressRule& rule : egress->rules) {
        out.push_back({{"network", rule.network}, {"port", rule.port}});
    }
    return out;
}

}  // namespace

std::string name_of(const FilterRules& rules) {
    if (!rules.enabled) {
        return no_filter;
    }
    std::string out = "standard";
    for (const std::string& call : rules.allow) {
        out += " +" + call;
    }
    for (const std::string& call : rules.refuse) {
        out += " -" + call;
    }
    return out;
}

bool is_profile_name(std::string_view text) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 32 && is_plain(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_plain(c) || c == '_' || c == '-'; });
}

Json to_json(const Profile& profile) {
    return {{"name", profile.name},
            {"description", profile.description},
            {"cartridges", profile.cartridges},
            {"sizes", profile.sizes},
            {"domains", profile.domains},
            {"selinux_type", profile.selinux_type},
            {"filter", name_of(profile.filter)},
            {"capabilities", profile.capabilities},
            {"egress", egress_json(profile.egress)},
            {"limits", profile.limits}};
}

}  // namespace gearbox
