#include "sys/link.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/owned.h"
#include "base/str.h"
#include "sys/network_namespace.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/tc.h>
#include <unistd.h>

#include <algorithm>

namespace gearbox::sys {

namespace {

constexpr const char* far_end = "eth0";

// Bytes; the most a veth takes (veth_setup). An answer to the router is one packet then, acknowledged by the next request.
constexpr unsigned link_mtu = 65535;

using Socket = Owned<nl_sock, nl_socket_free>;
using Device = Owned<rtnl_link, rtnl_link_put>;
using Veth = Owned<rtnl_link, rtnl_link_veth_release>;
using Address = Owned<rtnl_addr, rtnl_addr_put>;
using Number = Owned<nl_addr, nl_addr_put>;
using Queue = Owned<rtnl_qdisc, rtnl_qdisc_put>;

template <typename... Parts>
void check_netlink(int rc, const Parts&... doing) {
    if (rc < 0) {
        fail(ErrorKind::internal, doing..., ": ", ::nl_geterror(rc));
    }
}

// In the network namespace of the calling thread, for ever.
Socket open_netlink() {
    Socket socket(::nl_socket_alloc());
    check_netlink(socket ? ::nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM, "opening netlink");
    return socket;
}

// Not by netlink: its reply tells of the other end's namespace, for which the kernel looks through all of them.
int index_of(const char* name) {
    const unsigned index = ::if_nametoindex(name);
    return check(index == 0 ? -1 : static_cast<int>(index), "looking for '", name, "'");
}

// A token bucket (tc-tbf(8)) on what the device sends.
void set_limit(const Socket& socket, int index, std::int64_t mbit) {
    const Queue queue(::rtnl_qdisc_alloc());
    rtnl_tc* const tc = TC_CAST(queue.get());
    ::rtnl_tc_set_ifindex(tc, index);
    ::rtnl_tc_set_parent(tc, TC_H_ROOT);
    if (mbit == 0) {
        const int rc = ::rtnl_qdisc_delete(socket.get(), queue.get());
        // None there, or the kernel's own, which it does not remove.
        check_netlink(rc == -NLE_OBJ_NOTFOUND || rc == -NLE_INVAL ? 0 : rc, "lifting the limit of a link");
        return;
    }
    check_netlink(::rtnl_tc_set_kind(tc, "tbf"), "limiting a link");
    constexpr int bytes_per_mbit = 1000000 / 8;
    const int rate = static_cast<int>(mbit) * bytes_per_mbit;
    // After a pause, a tenth of a second's worth comes at once, and at least a whole packet of 64 KiB.
    ::rtnl_qdisc_tbf_set_rate(queue.get(), rate, std::max(rate / 10, 128 * 1024), 0);
    constexpr int latency_microseconds = 50'000;
    check_netlink(::rtnl_qdisc_tbf_set_limit_by_latency(queue.get(), latency_microseconds), "limiting a link");
    check_netlink(::rtnl_qdisc_add(socket.get(), queue.get(), NLM_F_CREATE | NLM_F_REPLACE),
                  "limiting the bandwidth of a link");
}

// The pair is made from inside: its far end never was anywhere else.
void make_pair(const Link& link, pid_t pid) {
    const UniqueFd host(check(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "opening my own network"));
    in_network_of(pid, [&] {
        const Socket socket = open_netlink();
        const Veth pair(::rtnl_link_veth_alloc());
        const Device near(::rtnl_link_veth_get_peer(pair.get()));
        ::rtnl_link_set_name(pair.get(), far_end);
        ::rtnl_link_set_name(near.get(), link.name.c_str());
        ::rtnl_link_set_ns_fd(near.get(), host.get());
        // As many as are used. By default there is one for each processor, and to give up all but one the kernel waits
        // for packets under way (veth_init_queues).
        for (rtnl_link* const end : {pair.get(), near.get()}) {
            ::rtnl_link_set_mtu(end, link_mtu);
            ::rtnl_link_set_num_tx_queues(end, 1);
            ::rtnl_link_set_num_rx_queues(end, 1);
        }
        check_netlink(::rtnl_link_add(socket.get(), pair.get(), NLM_F_CREATE | NLM_F_EXCL), "making '", link.name,
                      "'");
        // While it is down: the kernel need not wait for packets under way.
        if (link.mbit != 0) {
            set_limit(socket, index_of(far_end), link.mbit);
        }
    });
}

// Documentation/networking/ip-sysctl.rst of the kernel.
void set_sysctl(const std::string& path, const char* value) {
    const UniqueFd file(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "opening '", path, "'"));
    write_all(file.get(), value);
}

void harden(const std::string& name) {
    set_sysctl(str("/proc/sys/net/ipv4/conf/", name, "/rp_filter"), "1");
    if (::access("/proc/sys/net/ipv6", F_OK) == 0) {
        set_sysctl(str("/proc/sys/net/ipv6/conf/", name, "/disable_ipv6"), "1");
    }
}

void raise(const Socket& socket, const Link& link, int index) {
    nl_addr* parsed = nullptr;
    check_netlink(::nl_addr_parse(str(link.host_address, "/31").c_str(), AF_INET, &parsed), "'", link.host_address,
                  "'");
    const Number number(parsed);
    const Address address(::rtnl_addr_alloc());
    ::rtnl_addr_set_ifindex(address.get(), index);
    check_netlink(::rtnl_addr_set_local(address.get(), number.get()), "'", link.host_address, "'");
    check_netlink(::rtnl_addr_add(socket.get(), address.get(), 0), "giving '", link.name, "' its address");
    const Device device(::rtnl_link_alloc());
    ::rtnl_link_set_ifindex(device.get(), index);
    ::rtnl_link_set_flags(device.get(), IFF_UP);
    check_netlink(::rtnl_link_change(socket.get(), device.get(), device.get(), 0), "bringing '", link.name, "' up");
}

}  // namespace

void connect_link(const Link& link, pid_t pid) {
    destroy_link(link.name);
    make_pair(link, pid);
    harden(link.name);
    const Socket socket = open_netlink();
    const int index = index_of(link.name.c_str());
    if (link.mbit != 0) {
        set_limit(socket, index, link.mbit);
    }
    raise(socket, link, index);
}

void limit_link(const Link& link, pid_t pid) {
    const Socket socket = open_netlink();
    set_limit(socket, index_of(link.name.c_str()), link.mbit);
    in_network_of(pid, [&] {
        const Socket inside = open_netlink();
        set_limit(inside, index_of(far_end), link.mbit);
    });
}

void destroy_link(const std::string& name) {
    if (::if_nametoindex(name.c_str()) == 0) {
        return;
    }
    const Socket socket = open_netlink();
    const Device device(::rtnl_link_alloc());
    ::rtnl_link_set_name(device.get(), name.c_str());
    const int rc = ::rtnl_link_delete(socket.get(), device.get());
    // It may have gone between the two calls, with its gear's namespace.
    check_netlink(rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND ? 0 : rc, "removing the network device '", name, "'");
}

}  // namespace gearbox::sys
