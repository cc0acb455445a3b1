#include "node/host_network.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/subprocess.h"
#include "node/mirror.h"
#include "node/resolvers.h"
#include "sys/packet_filter.h"
#include "sys/users.h"

#include <charconv>
#include <fstream>

namespace gearbox {

namespace {

// RFC 6598; model/gear.h deals the addresses out.
constexpr const char* gear_network = "100.64.0.0/10";
constexpr const char* ip_forward = "/proc/sys/net/ipv4/ip_forward";

std::string elements(const char* change, const char* set, const std::string& list) {
    return list.empty() ? "" : str(change, " element inet gearbox ", set, " { ", list, " }\n");
}

template <typename Row, typename Print>
std::string list_of(const std::vector<Row>& rows, Print print) {
    std::string out;
    for (const Row& row : rows) {
        out += str(out.empty() ? "" : ", ", print(row));
    }
    return out;
}

std::string quoted(const std::string& name) { return str("\"", name, "\""); }

bool has_own_chain(const LinkRules& gear) { return !gear.egress.internet && !gear.egress.rules.empty(); }

std::string own_chain(const LinkRules& gear) { return "to_" + gear.link; }

// Adds or deletes what the gear has in the sets.
std::string gear_elements(const char* change, const LinkRules& gear, const std::vector<std::string>& siblings) {
    const std::string link = quoted(gear.link);
    return elements(change, "owners", str(gear.uid, " . ", link)) +
           elements(change, "online", gear.egress.internet ? link : "") +
           elements(change, "egress", has_own_chain(gear) ? str(link, " : goto ", own_chain(gear)) : "") +
           elements(change, "siblings", list_of(siblings, [&](const std::string& other) {
                        return str(link, " . ", quoted(other), ", ", quoted(other), " . ", link);
                    }));
}

int parse_port(const std::string& text) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) {
        fail(ErrorKind::invalid, "'network.host_ports': '", text, "' is no port from 1 to 65535");
    }
    return port;
}

EgressRule parse_reachable(const std::string& text) {
    try {
        return parse_egress_rule(text);
    } catch (const Error& error) {
        fail(ErrorKind::invalid, "'network.reachable': ", error.text());
    }
}

// Whether the host forwarded packets before it was made to. What we have changed is remembered until the
// next boot.
bool switch_forwarding_on(const std::string& marker) {
    const bool was_on = find_file(ip_forward).value_or("").starts_with('1');
    if (!was_on) {
        std::ofstream(marker).flush();
        std::ofstream file(ip_forward);
        if (!(file << "1\n").flush()) {
            fail(ErrorKind::internal, "switching '", ip_forward, "' on");
        }
    }
    return was_on && !std::filesystem::exists(marker);
}

}  // namespace

std::string host_text(const HostRules& rules) {
    const auto plain = [](const auto& value) { return str(value); };
    std::string out = sys::host_rules();
    out += elements("add", "router", list_of(rules.router, plain));
    out += elements("add", "resolvers", list_of(rules.resolvers, plain));
    out += elements("add", "reachable", list_of(rules.reachable, [](const EgressRule& rule) {
                        return str(rule.network, " . ", rule.port == 0 ? "0-65535" : std::to_string(rule.port));
                    }));
    out += elements("add", "host_ports", list_of(rules.ports, plain));
    if (!rules.mirror.empty()) {
        out += elements("add", "mirror_user", list_of(rules.mirror, plain));
        out += elements("add", "mirror_files", std::to_string(mirror_files_port));
        out += elements("add", "mirror_fetches", str(mirror_fetches_port, ", ", mirror_registries_port));
    }
    if (!rules.forwards_for_others) {
        out += "add rule inet gearbox forward drop\n";
    }
    return out;
}

std::string admit_text(const LinkRules& gear, const std::vector<std::string>& siblings) {
    std::string out;
    if (has_own_chain(gear)) {
        const std::string chain = own_chain(gear);
        out += str("add chain inet gearbox ", chain, "\nadd rule inet gearbox ", chain, " jump names\n");
        for (const EgressRule& rule : gear.egress.rules) {
            out += str("add rule inet gearbox ", chain, " ip daddr ", rule.network,
                       rule.port == 0 ? "" : str(" meta l4proto { tcp, udp } th dport ", rule.port), " accept\n");
        }
        out += str("add rule inet gearbox ", chain, " reject with icmpx admin-prohibited\n");
    }
    return out + gear_elements("add", gear, siblings);
}

std::string forget_text(const LinkRules& gear, const std::vector<std::string>& siblings) {
    std::string out = gear_elements("delete", gear, siblings);
    if (has_own_chain(gear)) {
        out += str("delete chain inet gearbox ", own_chain(gear), "\n");
    }
    return out;
}

HostNetwork::HostNetwork(const Settings& settings, const Profiles& profiles, const Paths& paths)
    : settings_(settings), profiles_(profiles), paths_(paths) {
    for (const std::string& text : settings.network.reachable) {
        host_.reachable.push_back(parse_reachable(text));
    }
    for (const std::string& text : settings.network.host_ports) {
        host_.ports.push_back(parse_port(text));
    }
}

LinkRules HostNetwork::rules_of(const GearRecord& gear) const {
    return {link_name(gear.spec.uid), gear.spec.uid, gear.spec.application, profiles_.egress(gear)};
}

std::vector<std::string> HostNetwork::siblings_of(const LinkRules& gear) const {
    std::vector<std::string> out;
    for (auto member = members_.lower_bound({gear.application, 0});
         member != members_.end() && member->first == gear.application; ++member) {
        if (member->second != gear.uid) {
            out.push_back(link_name(member->second));
        }
    }
    return out;
}

void HostNetwork::remember(const LinkRules& gear) {
    gears_[gear.uid] = gear;
    members_.emplace(gear.application, gear.uid);
}

void HostNetwork::restore(const std::vector<GearRecord>& gears) {
    const std::lock_guard guard(mutex_);
    gears_.clear();
    members_.clear();
    for (const GearRecord& gear : gears) {
        remember(rules_of(gear));
    }
    const uid_t router = sys::find_uid(settings_.router.user);
    if (router == 0) {
        log::warning("there is no user '", settings_.router.user, "' ('router.user'): only root may connect to gears");
    } else {
        host_.router = {router};
    }
    if (settings_.mirror.enabled) {
        host_.mirror = {sys::find_uid(settings_.mirror.user)};
        if (host_.mirror.front() == 0) {
            fail(ErrorKind::invalid, "there is no user '", settings_.mirror.user, "' ('mirror.user')");
        }
    }
    prepare_mirror(settings_, paths_.mirror_file(), host_.mirror.empty() ? 0 : host_.mirror.front());
    host_.resolvers = find_resolvers();
    host_.forwards_for_others = switch_forwarding_on(str(paths_.runtime_dir, "/forwarding"));
    load();
    // The address of a gear that does not run is refused at once instead of being sought elsewhere.
    run_tool_checked({"ip", "route", "replace", "unreachable", gear_network});
}

// The whole of it in one transaction.
void HostNetwork::load() const {
    write_resolv_conf();
    std::string text = host_text(host_);
    for (const auto& [uid, gear] : gears_) {
        text += admit_text(gear, siblings_of(gear));
    }
    sys::apply_rules(text);
}

// In place: gears that run have this very file.
void HostNetwork::write_resolv_conf() const {
    std::ofstream file(paths_.resolv_conf());
    if (!(file << resolv_conf(host_.resolvers)).flush()) {
        fail(ErrorKind::internal, "writing '", paths_.resolv_conf(), "'");
    }
}

void HostNetwork::admit(const GearRecord& gear) {
    const std::lock_guard guard(mutex_);
    const LinkRules wanted = rules_of(gear);
    const auto known = gears_.find(wanted.uid);
    if (known != gears_.end() && known->second == wanted) {
        return;
    }
    std::string text;
    if (known != gears_.end()) {
        text = forget_text(known->second, siblings_of(known->second));
    }
    sys::apply_rules(text + admit_text(wanted, siblings_of(wanted)));
    remember(wanted);
}

void HostNetwork::forget(uid_t uid) {
    const std::lock_guard guard(mutex_);
    if (const auto known = gears_.find(uid); known != gears_.end()) {
        sys::apply_rules(forget_text(known->second, siblings_of(known->second)));
        members_.erase({known->second.application, uid});
        gears_.erase(known);
    }
}

void HostNetwork::follow_host() {
    const std::lock_guard guard(mutex_);
    if (auto now = find_resolvers(); now != host_.resolvers) {
        host_.resolvers = std::move(now);
        load();
        log::info("the host has other name servers; gears ask these now");
    }
}

}  // namespace gearbox
