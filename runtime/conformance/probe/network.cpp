// The network: whom a gear reaches, by the ways that need no privilege.
#include "conformance/probe/groups.h"
#include "conformance/probe/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace gearbox::probe::network {

namespace {

constexpr int daemon_port = 4080;

// The first that was reached, or the last outcome.
template <typename Attempt>
Outcome any_of(const std::vector<std::string>& addresses, Attempt attempt) {
    Outcome outcome = absent("no address is known");
    for (const std::string& address : addresses) {
        outcome = attempt(address);
        if (outcome.result == Result::succeeded) {
            break;
        }
    }
    return outcome;
}

// The host's end of another gear's link: the even address of its pair.
std::string host_end_of(const std::string& gear_end) {
    in_addr address{};
    ::inet_pton(AF_INET, gear_end.c_str(), &address);
    address.s_addr = htonl(ntohl(address.s_addr) & ~1u);
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    return text;
}

}  // namespace

Outcome other_gear_port(const Targets& targets) {
    return any_of(targets.other_addresses, [&](const std::string& address) {
        return try_reach({address, targets.other_port});
    });
}

// 127.x of the contract: the same number in its own namespace is its own loopback, where nobody
// listens.
Outcome other_gear_loopback(const Targets& targets) {
    const std::uint32_t number = (127u << 24) + targets.other_uid % 65536 * 128 + 1;
    in_addr address{htonl(number)};
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    return try_reach({text, 8080, false, "", true});
}

Outcome other_gear_udp(const Targets& targets) {
    return any_of(targets.other_addresses, [](const std::string& address) {
        return try_reach_udp({address, 53});
    });
}
Outcome other_gear_by_device(const Targets& targets) {
    return any_of(targets.other_addresses, [&](const std::string& address) {
        return try_reach({address, targets.other_port, true});
    });
}
Outcome other_host_end(const Targets& targets) {
    return any_of(targets.other_addresses, [](const std::string& address) {
        return try_reach({host_end_of(address), 22});
    });
}
Outcome other_host_end_by_device(const Targets& targets) {
    return any_of(targets.other_addresses, [](const std::string& address) {
        return try_reach({host_end_of(address), 22, true});
    });
}

Outcome host_daemon(const Targets& targets) {
    return try_reach({targets.own_host_end, daemon_port});
}
Outcome host_sshd(const Targets& targets) {
    return try_reach({targets.own_host_end, 22});
}
Outcome host_http(const Targets& targets) {
    return try_reach({targets.own_host_end, 80});
}
Outcome host_https(const Targets& targets) {
    return try_reach({targets.own_host_end, 443});
}
Outcome host_udp(const Targets& targets) {
    return try_reach_udp({targets.own_host_end, 53});
}

// Unprivileged echo requests; a new network namespace allows them to no group.
Outcome host_ping(const Targets& targets) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0) {
        return denied(errno, "making a ping socket");
    }
    icmphdr echo{};
    echo.type = ICMP_ECHO;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, targets.own_host_end.c_str(), &address.sin_addr);
    const ssize_t sent = ::sendto(fd, &echo, sizeof echo, 0,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int code = sent < 0 ? errno : ETIMEDOUT;
    pollfd wait{fd, POLLIN, 0};
    const bool answered = sent > 0 && ::poll(&wait, 1, 700) == 1;
    ::close(fd);
    return answered ? succeeded(targets.own_host_end + " answered")
                    : denied(code, targets.own_host_end);
}

Outcome host_addresses(const Targets& targets) {
    return any_of(targets.host_addresses, [](const std::string& address) {
        return try_reach({address, 22});
    });
}
// At most two: each takes its time, and the whole has some seconds.
Outcome host_addresses_by_device(const Targets& targets) {
    std::vector<std::string> some = targets.host_addresses;
    some.resize(std::min<std::size_t>(some.size(), 2));
    return any_of(some, [](const std::string& address) { return try_reach({address, 22, true}); });
}
Outcome host_loopback_by_device(const Targets&) {
    return try_reach({"127.0.0.1", 22, true, "", true});
}

Outcome metadata_service(const Targets&) {
    return try_reach({"169.254.169.254", 80});
}
// RFC 1918: what is around the machine.
Outcome private_network(const Targets&) {
    return try_reach({"192.168.0.1", 80});
}
Outcome private_network_udp(const Targets&) {
    return try_reach_udp({"10.0.0.1", 161});
}
// Where hypervisors with NAT of their own (QEMU, VirtualBox) show the machine that they run on.
Outcome hypervisor(const Targets&) {
    return try_reach({"10.0.2.2", 22});
}
// An address for documentation (RFC 3849): what counts is whether there is a route.
Outcome internet_ipv6(const Targets&) {
    return try_reach({"2001:db8::1", 80});
}
Outcome ipv6_all_nodes(const Targets&) {
    return try_reach_udp({"ff02::1", 5353});
}
// Of the host end's MAC address nobody knows; fe80::1 is what hosts like to have beside it.
Outcome ipv6_link_local(const Targets&) {
    return try_reach({"fe80::1", 22});
}
Outcome ipv4_broadcast(const Targets&) {
    return try_reach_udp({"255.255.255.255", 67, true});
}

Outcome spoofed_source(const Targets& targets) {
    return try_reach({targets.own_host_end, 22, false, targets.other_addresses.front()});
}

Outcome transparent_bind(const Targets&) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    constexpr int on = 1;
    Outcome outcome =
        from_call(::setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on), "IP_TRANSPARENT");
    ::close(fd);
    return outcome;
}

namespace {

Outcome try_listen(const std::string& address, int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    Outcome outcome = from_call(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name),
                                address + ":" + std::to_string(port));
    ::close(fd);
    return outcome;
}

}  // namespace

Outcome low_port(const Targets&) {
    return try_listen("0.0.0.0", 80);
}
Outcome foreign_low_port(const Targets& targets) {
    return try_listen(targets.other_addresses.front(), 80);
}

// The first name is what a test on the host listens at; the others are of desktops and systemd.
// That nobody listens shows as "refused" here.
Outcome abstract_sockets(const Targets&) {
    Outcome outcome;
    for (const char* name :
         {"@gearbox-conformance", "@/tmp/.X11-unix/X0", "@/org/freedesktop/systemd1/notify",
          "@/containerd-shim", "@/run/systemd/journal/stdout"}) {
        outcome = try_connect(name);
        if (outcome.result == Result::succeeded || outcome.code != ECONNREFUSED) {
            break;
        }
    }
    return outcome;
}

}  // namespace gearbox::probe::network
