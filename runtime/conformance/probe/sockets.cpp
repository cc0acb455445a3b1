#include "conformance/probe/sockets.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace gearbox::probe {

namespace {

// Three retransmissions of ARP take longer, but whoever answers on this machine answers at once.
constexpr int answer_ms = 700;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_UNSPEC;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address make_address(const std::string& text, int port) {
    Address out;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(static_cast<std::uint16_t>(port));
        out.size = sizeof *v4;
        out.family = AF_INET;
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(static_cast<std::uint16_t>(port));
        const bool is_scoped =
            IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) || IN6_IS_ADDR_MULTICAST(&v6->sin6_addr);
        v6->sin6_scope_id = is_scoped ? ::if_nametoindex("eth0") : 0;
        out.size = sizeof *v6;
        out.family = AF_INET6;
    }
    return out;
}

std::string named(const Reach& reach) {
    return reach.address + ":" + std::to_string(reach.port) + (reach.by_device ? " by eth0" : "");
}

// The socket, or the outcome of making it.
int make_socket(const Reach& reach, int type, Outcome& outcome) {
    const int family = make_address(reach.address, reach.port).family;
    const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        outcome = denied(errno, "making a socket");
        return -1;
    }
    constexpr char device[] = "eth0";
    if (reach.by_device &&
        ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, sizeof device) < 0) {
        outcome = denied(errno, "binding to eth0");
        ::close(fd);
        return -1;
    }
    if (!reach.source.empty()) {
        constexpr int on = 1;
        const Address source = make_address(reach.source, 0);
        ::setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof on);
        if (::bind(fd, source.get(), source.size) < 0) {
            outcome = denied(errno, "binding " + reach.source);
            ::close(fd);
            return -1;
        }
    }
    return fd;
}

}  // namespace

Outcome try_reach(const Reach& reach) {
    Outcome outcome;
    const int fd = make_socket(reach, SOCK_STREAM, outcome);
    if (fd < 0) {
        return outcome;
    }
    const Address address = make_address(reach.address, reach.port);
    int code = ::connect(fd, address.get(), address.size) == 0 ? 0 : errno;
    if (code == EINPROGRESS) {
        pollfd wait{fd, POLLOUT, 0};
        code = ETIMEDOUT;
        socklen_t size = sizeof code;
        if (::poll(&wait, 1, answer_ms) == 1) {
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        }
    }
    ::close(fd);
    if (code == 0) {
        return succeeded("connected to " + named(reach));
    }
    if (code == ECONNREFUSED && !reach.refusal_is_own) {
        return succeeded("reached, and was refused by, " + named(reach));
    }
    return denied(code, named(reach));
}

Outcome try_reach_udp(const Reach& reach) {
    Outcome outcome;
    const int fd = make_socket(reach, SOCK_DGRAM, outcome);
    if (fd < 0) {
        return outcome;
    }
    constexpr int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    const Address address = make_address(reach.address, reach.port);
    // Multicast and broadcast answers come from other addresses: not connected.
    if (::sendto(fd, "probe", 5, 0, address.get(), address.size) < 0) {
        outcome = denied(errno, named(reach));
        ::close(fd);
        return outcome;
    }
    ::connect(fd, address.get(), address.size);
    ::send(fd, "probe", 5, 0);
    pollfd wait{fd, POLLIN, 0};
    const bool answered = ::poll(&wait, 1, answer_ms) == 1;
    char buffer[64];
    const ssize_t got = answered ? ::recv(fd, buffer, sizeof buffer, 0) : 0;
    const int code = got < 0 ? errno : ETIMEDOUT;
    ::close(fd);
    if (got > 0 || code == ECONNREFUSED) {
        return succeeded("answered by " + named(reach));
    }
    return denied(code, named(reach));
}

Outcome try_socket(int family, int type, int protocol) {
    const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
    // Without a filter: a family or protocol that this kernel does not have.
    if (fd < 0 && !is_filtered() && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT)) {
        return absent("this kernel does not have the family");
    }
    Outcome outcome =
        from_call(fd, "family " + std::to_string(family) + " protocol " + std::to_string(protocol));
    if (fd >= 0) {
        ::close(fd);
    }
    return outcome;
}

}  // namespace gearbox::probe
