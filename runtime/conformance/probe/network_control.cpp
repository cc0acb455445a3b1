// The network: changing it, and kinds of sockets that ordinary programs do not need.
#include "conformance/probe/groups.h"
#include "conformance/probe/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace gearbox::probe::network {

Outcome raw_socket(const Targets&) {
    return try_socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
}
Outcome packet_socket(const Targets&) {
    return try_socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

// An announcement "OTHER is at my address", if the socket can be had.
Outcome arp_spoofing(const Targets& targets) {
    const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
    if (fd < 0) {
        return denied(errno, "making a packet socket");
    }
    struct [[gnu::packed]] {
        arphdr head;
        unsigned char hardware[6], protocol[4], target_hardware[6], target_protocol[4];
    } frame{};
    frame.head = {htons(ARPHRD_ETHER), htons(ETH_P_IP), 6, 4, htons(ARPOP_REPLY)};
    in_addr other{};
    ::inet_pton(AF_INET, targets.other_addresses.front().c_str(), &other);
    std::memcpy(frame.protocol, &other, sizeof frame.protocol);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    to.sll_halen = 6;
    std::memset(to.sll_addr, 0xff, 6);
    Outcome outcome = from_call(
        ::sendto(fd, &frame, sizeof frame, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
        "ARP reply");
    ::close(fd);
    return outcome;
}

Outcome ndp_spoofing(const Targets&) {
    return try_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

namespace {

// What succeeded is taken back by the other request, with what was there before.
template <typename Request>
Outcome try_ioctl(unsigned long number, Request request, unsigned long undo, Request before,
                  const char* name) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    Outcome outcome = from_call(::ioctl(fd, number, &request), name);
    if (outcome.result == Result::succeeded) {
        ::ioctl(fd, undo, &before);
    }
    ::close(fd);
    return outcome;
}

void set_ipv4(sockaddr& place, const std::string& address) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    std::memcpy(&place, &name, sizeof place);
}

}  // namespace

Outcome arp_entry(const Targets& targets) {
    arpreq request{};
    set_ipv4(request.arp_pa, targets.own_host_end);
    request.arp_ha.sa_family = ARPHRD_ETHER;
    request.arp_flags = ATF_COM | ATF_PERM;
    std::strcpy(request.arp_dev, "eth0");
    return try_ioctl(SIOCSARP, request, SIOCDARP, request, "SIOCSARP");
}
// As an alias, which goes away when it is taken down.
Outcome address_by_ioctl(const Targets& targets) {
    ifreq down{};
    std::strcpy(down.ifr_name, "eth0:probe");
    ifreq request = down;
    set_ipv4(request.ifr_addr, targets.other_addresses.front());
    return try_ioctl(SIOCSIFADDR, request, SIOCSIFFLAGS, down, "SIOCSIFADDR");
}
Outcome promiscuous_by_ioctl(const Targets&) {
    ifreq before{};
    std::strcpy(before.ifr_name, "eth0");
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::ioctl(fd, SIOCGIFFLAGS, &before);
    ::close(fd);
    ifreq request = before;
    request.ifr_flags = static_cast<short>(before.ifr_flags | IFF_PROMISC);
    return try_ioctl(SIOCSIFFLAGS, request, SIOCSIFFLAGS, before, "SIOCSIFFLAGS");
}

Outcome packet_mark(const Targets&) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    constexpr int mark = 1;
    Outcome outcome =
        from_call(::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark), "SO_MARK");
    ::close(fd);
    return outcome;
}

Outcome tunnel_device(const Targets&) {
    return try_open("/dev/net/tun", O_RDWR);
}

namespace {

// One request of route netlink: header, body, attributes.
template <typename Body>
class Request {
public:
    Request(std::uint16_t type, std::uint16_t flags, const Body& body) {
        head_.nlmsg_type = type;
        head_.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        bytes_.assign(NLMSG_HDRLEN, 0);
        append(&body, sizeof body);
    }
    void add(std::uint16_t type, const void* data, std::size_t size) {
        rtattr attribute{};
        attribute.rta_type = type;
        attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
        bytes_.insert(bytes_.end(), reinterpret_cast<const char*>(&attribute),
                      reinterpret_cast<const char*>(&attribute) + sizeof attribute);
        append(data, size);
    }
    void add(std::uint16_t type, const std::string& address) {
        in_addr number{};
        ::inet_pton(AF_INET, address.c_str(), &number);
        add(type, &number, sizeof number);
    }

    /// What the kernel acknowledges. What was made is deleted again: RTM_DELx is RTM_NEWx + 1.
    Outcome make(const char* name) {
        Outcome outcome = send(name);
        if (outcome.result == Result::succeeded) {
            head_.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
            ++head_.nlmsg_type;
            send(name);
        }
        return outcome;
    }
    Outcome send(const char* name) {
        const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (fd < 0) {
            return denied(errno, "making a netlink socket");
        }
        head_.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
        std::memcpy(bytes_.data(), &head_, sizeof head_);
        // With SELinux the message itself may be refused, before it is delivered.
        if (::send(fd, bytes_.data(), bytes_.size(), 0) < 0) {
            Outcome outcome = denied(errno, std::string(name) + " was not sent");
            ::close(fd);
            return outcome;
        }
        alignas(nlmsghdr) char answer[1024] = {};
        const ssize_t got = ::recv(fd, answer, sizeof answer, 0);
        ::close(fd);
        const auto* const message = reinterpret_cast<const nlmsghdr*>(answer);
        if (got < static_cast<ssize_t>(sizeof(nlmsghdr)) || message->nlmsg_type != NLMSG_ERROR) {
            return denied(0, std::string(name) + " was not acknowledged");
        }
        nlmsgerr error{};
        std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
        return error.error == 0 ? succeeded(name) : denied(-error.error, name);
    }

private:
    void append(const void* data, std::size_t size) {
        const char* const from = static_cast<const char*>(data);
        bytes_.insert(bytes_.end(), from, from + size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()), 0);
    }
    nlmsghdr head_{};
    std::vector<char> bytes_;
};

int eth0() {
    return static_cast<int>(::if_nametoindex("eth0"));
}

}  // namespace

Outcome address_add(const Targets& targets) {
    ifaddrmsg body{};
    body.ifa_family = AF_INET;
    body.ifa_prefixlen = 32;
    body.ifa_index = static_cast<unsigned>(eth0());
    Request<ifaddrmsg> request(RTM_NEWADDR, NLM_F_CREATE, body);
    request.add(IFA_LOCAL, targets.other_addresses.front());
    return request.make("RTM_NEWADDR");
}

Outcome route_add(const Targets& targets) {
    rtmsg body{};
    body.rtm_family = AF_INET;
    body.rtm_table = RT_TABLE_MAIN;
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_type = RTN_UNICAST;
    Request<rtmsg> request(RTM_NEWROUTE, NLM_F_CREATE, body);
    request.add(RTA_GATEWAY, targets.own_host_end);
    return request.make("RTM_NEWROUTE");
}

Outcome neighbour_add(const Targets& targets) {
    ndmsg body{};
    body.ndm_family = AF_INET;
    body.ndm_ifindex = eth0();
    body.ndm_state = NUD_PERMANENT;
    constexpr unsigned char hardware[6] = {2, 0, 0, 0, 0, 1};
    Request<ndmsg> request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body);
    request.add(NDA_DST, targets.own_host_end);
    request.add(NDA_LLADDR, hardware, sizeof hardware);
    return request.make("RTM_NEWNEIGH");
}

Outcome rule_add(const Targets&) {
    rtmsg body{};
    body.rtm_family = AF_INET;
    body.rtm_table = RT_TABLE_MAIN;
    body.rtm_type = RTN_UNICAST;
    Request<rtmsg> request(RTM_NEWRULE, NLM_F_CREATE, body);
    return request.make("RTM_NEWRULE");
}

Outcome link_change(const Targets&) {
    ifinfomsg body{};
    body.ifi_index = eth0();
    body.ifi_change = IFF_UP;
    Outcome outcome = Request<ifinfomsg>(RTM_NEWLINK, 0, body).send("RTM_NEWLINK");
    if (outcome.result == Result::succeeded) {
        body.ifi_flags = IFF_UP;
        Request<ifinfomsg>(RTM_NEWLINK, 0, body).send("RTM_NEWLINK");
    }
    return outcome;
}

Outcome link_create(const Targets&) {
    constexpr char kind[] = "dummy";
    rtattr inner{};
    inner.rta_type = IFLA_INFO_KIND;
    inner.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(sizeof kind));
    std::string info(reinterpret_cast<const char*>(&inner), sizeof inner);
    info.append(kind, sizeof kind);
    Request<ifinfomsg> request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
    constexpr char name[] = "gearprobe0";
    request.add(IFLA_IFNAME, name, sizeof name);
    request.add(IFLA_LINKINFO, info.data(), info.size());
    return request.make("RTM_NEWLINK dummy");
}

namespace {

Outcome try_netlink(int protocol) {
    return try_socket(AF_NETLINK, SOCK_RAW, protocol);
}

}  // namespace

Outcome netlink_netfilter(const Targets&) {
    return try_netlink(NETLINK_NETFILTER);
}
Outcome netlink_generic(const Targets&) {
    return try_netlink(NETLINK_GENERIC);
}
Outcome netlink_sock_diag(const Targets&) {
    return try_netlink(NETLINK_SOCK_DIAG);
}
Outcome netlink_xfrm(const Targets&) {
    return try_netlink(NETLINK_XFRM);
}
Outcome netlink_audit(const Targets&) {
    return try_netlink(NETLINK_AUDIT);
}
Outcome netlink_uevent(const Targets&) {
    return try_netlink(NETLINK_KOBJECT_UEVENT);
}
Outcome netlink_connector(const Targets&) {
    return try_netlink(NETLINK_CONNECTOR);
}
Outcome netlink_crypto(const Targets&) {
    return try_netlink(NETLINK_CRYPTO);
}

Outcome vsock(const Targets&) {
    return try_socket(AF_VSOCK, SOCK_STREAM, 0);
}
Outcome alg(const Targets&) {
    return try_socket(AF_ALG, SOCK_SEQPACKET, 0);
}
Outcome key(const Targets&) {
    return try_socket(AF_KEY, SOCK_RAW, 2);
}
Outcome xdp(const Targets&) {
    return try_socket(AF_XDP, SOCK_RAW, 0);
}
Outcome tipc(const Targets&) {
    return try_socket(AF_TIPC, SOCK_RDM, 0);
}
Outcome rds(const Targets&) {
    return try_socket(AF_RDS, SOCK_SEQPACKET, 0);
}
Outcome can(const Targets&) {
    return try_socket(AF_CAN, SOCK_RAW, 1);
}
Outcome bluetooth(const Targets&) {
    return try_socket(AF_BLUETOOTH, SOCK_RAW, 1);
}

}  // namespace gearbox::probe::network
