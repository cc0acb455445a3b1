#include "sys/packet_filter.h"

#include "base/error.h"
#include "base/owned.h"
#include "base/str.h"
#include "sys/network_namespace.h"

#include <nftables/libnftables.h>

#include <mutex>

namespace gearbox::sys {

void apply_rules(const std::string& text) {
    // The library has a few variables of its own (libnftables(3) promises nothing for threads).
    static std::mutex one_at_a_time;
    const std::lock_guard guard(one_at_a_time);
    // Its netlink socket belongs to the namespace of the thread that makes it.
    const Owned<nft_ctx, nft_ctx_free> context(::nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context || ::nft_ctx_buffer_error(context.get()) != 0) {
        fail(ErrorKind::internal, "no memory for the packet filter");
    }
    if (::nft_run_cmd_from_buffer(context.get(), text.c_str()) != 0) {
        fail(ErrorKind::internal, "setting the packet filter: ", ::nft_ctx_get_error_buffer(context.get()));
    }
}

std::string forwarding_rules(const std::vector<Forwarding>& forwardings) {
    std::string rules;
    for (const Forwarding& row : forwardings) {
        rules += str("        iifname \"eth0\" tcp dport ", row.port, " dnat to ", row.address, ":",
                     row.target_port, "\n");
    }
    // Declaring a table before emptying it makes the first time like every other. To delete it would make the kernel
    // wait for packets under way, 10 ms at each start of a gear. Nothing but forwarded connections may reach the
    // gear: its loopback services are its own. The kernel's memory for connections is charged to nobody, so that it is
    // bounded: as many as the host takes from a gear (host.nft), and none for the loopback.
    return str("table ip gearbox\nflush table ip gearbox\ntable ip gearbox {\n",
               "    chain prerouting {\n",
               "        type nat hook prerouting priority dstnat; policy accept;\n", rules,
               "    }\n    chain input {\n",
               "        type filter hook input priority 0; policy accept;\n",
               "        iifname \"eth0\" ct status dnat accept\n",
               "        iifname \"eth0\" ct state established,related accept\n",
               "        iifname \"eth0\" drop\n    }\n",
               "    chain untracked {\n        type filter hook output priority raw; policy accept;\n",
               "        oifname \"lo\" notrack\n    }\n",
               "    chain output {\n        type filter hook output priority 0; policy accept;\n",
               "        ct state new ct count over 4096 reject with icmp type admin-prohibited\n    }\n}\n");
}

void set_forwardings(pid_t pid, const std::vector<Forwarding>& forwardings) {
    in_network_of(pid, [&] { apply_rules(forwarding_rules(forwardings)); });
}

}  // namespace gearbox::sys
