#include "sys/network.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <net/if.h>

namespace gearbox::sys {

namespace {

// Declaring a table before deleting it makes the first time like every other.
constexpr const char* host_filter = R"(table inet gearbox
delete table inet gearbox
table inet gearbox {
    chain input {
        type filter hook input priority -10; policy accept;
        iifname "gb*" ct state established,related accept
        iifname "gb*" drop
    }
    chain forward {
        type filter hook forward priority -10; policy accept;
        iifname "gb*" drop
        oifname "gb*" drop
    }
}
)";

// RFC 6598; model/gear.h deals the addresses out.
constexpr const char* gear_network = "100.64.0.0/10";

std::vector<std::string> in_network_of(pid_t pid, std::vector<std::string> argv) {
    std::vector<std::string> out = {"nsenter", str("--net=/proc/", pid, "/ns/net"), "--"};
    out.insert(out.end(), argv.begin(), argv.end());
    return out;
}

void run_with_input(const std::vector<std::string>& argv, const std::string& input) {
    ToolOptions options;
    options.input = input;
    run_tool_checked(argv, options);
}

}  // namespace

std::string link_commands(const Link& link, pid_t pid) {
    return str("link add ", link.name, " type veth peer name eth0 netns ", pid, "\n", "link set ",
               link.name, " addrgenmode none\n", "addr add ", link.host_address, "/31 dev ",
               link.name, "\n", "link set ", link.name, " up\n");
}

std::string forwarding_rules(const std::vector<Forwarding>& forwardings) {
    std::string rules;
    for (const Forwarding& row : forwardings) {
        rules += str("        iifname \"eth0\" tcp dport ", row.port, " dnat to ", row.address, ":",
                     row.target_port, "\n");
    }
    // Nothing but forwarded connections may reach the gear: its loopback services are its own.
    return str("table ip gearbox\ndelete table ip gearbox\ntable ip gearbox {\n",
               "    chain prerouting {\n",
               "        type nat hook prerouting priority dstnat; policy accept;\n", rules,
               "    }\n    chain input {\n",
               "        type filter hook input priority 0; policy accept;\n",
               "        iifname \"eth0\" ct status dnat accept\n",
               "        iifname \"eth0\" ct state established,related accept\n",
               "        iifname \"eth0\" drop\n    }\n}\n");
}

void prepare_host() {
    run_with_input({"nft", "-f", "-"}, host_filter);
    // The address of a gear that does not run is refused at once instead of being sought elsewhere.
    run_tool_checked({"ip", "route", "replace", "unreachable", gear_network});
}

void connect_link(const Link& link, pid_t pid) {
    destroy_link(link.name);
    run_with_input({"ip", "-batch", "-"}, link_commands(link, pid));
}

void set_forwardings(pid_t pid, const std::vector<Forwarding>& forwardings) {
    run_with_input(in_network_of(pid, {"nft", "-f", "-"}), forwarding_rules(forwardings));
}

void destroy_link(const std::string& name) {
    if (::if_nametoindex(name.c_str()) == 0) {
        return;
    }
    const ToolResult result = run_tool({"ip", "link", "delete", name});
    // The device may have gone between the two lines, with its gear's namespace.
    if (result.status != 0 && ::if_nametoindex(name.c_str()) != 0) {
        fail(ErrorKind::internal, "removing the network device '", name, "': ", result.err);
    }
}

}  // namespace gearbox::sys
