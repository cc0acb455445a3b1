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

std::string forwarding_rules(const std::string& outer_address, const std::vector<Forwarding>& forwardings) {
    std::string in;
    std::string out;
    for (const Forwarding& row : forwardings) {
        in += str("        iifname \"eth0\" tcp dport ", row.port, " ip daddr set ", row.address, " tcp dport set ",
                  row.target_port, " accept\n");
        out += str("        oifname \"eth0\" ip saddr ", row.address, " tcp sport ", row.target_port, " ip saddr set ",
                   outer_address, " tcp sport set ", row.port, "\n");
    }
    // Declaring a table before emptying it makes the first time like every other. To delete it would make the kernel
    // wait for packets under way, 10 ms at each start of a gear. Nothing but forwarded connections may reach the
    // gear: its loopback services are its own. (What is not TCP the host lets in as answers only.) Packet by packet, without a
    // note of connections: the kernel's memory for such notes is charged to nobody, and to keep them costs each packet.
    return str("table ip gearbox\nflush table ip gearbox\ntable ip gearbox {\n",
               "    chain arriving {\n        type filter hook prerouting priority raw; policy accept;\n", in,
               "        iifname \"eth0\" ip daddr 127.0.0.0/8 drop\n",
               "        iifname \"eth0\" tcp flags & (syn | ack) == syn drop\n    }\n",
               "    chain leaving {\n        type filter hook postrouting priority srcnat; policy accept;\n", out,
               "    }\n}\n");
}

void set_forwardings(pid_t pid, const std::string& outer_address, const std::vector<Forwarding>& forwardings) {
    in_network_of(pid, [&] { apply_rules(forwarding_rules(outer_address, forwardings)); });
}

}  // namespace gearbox::sys
