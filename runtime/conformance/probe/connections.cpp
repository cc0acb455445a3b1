// The kernel's tables of connections. Its memory for them is nobody's: no cgroup is charged.
#include "conformance/probe/groups.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace gearbox::probe::resources {

namespace {

// A few more than a gear may have (sys/host.nft).
constexpr int most_connections = 5000;
constexpr int first_port = 20'000;

// nf_conntrack-sysctl: of this network namespace.
int kept_connections() {
    const std::string text = read_text("/proc/sys/net/netfilter/nf_conntrack_count");
    return text.empty() ? -1 : std::atoi(text.c_str());
}

// One datagram to each of many ports, each of which is a connection to the kernel, if it takes note.
Outcome open_connections(const std::string& to) {
    const int before = kept_connections();
    if (before < 0) {
        return absent("the kernel does not say how many it keeps");
    }
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return denied(errno, "making a socket");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, to.c_str(), &address.sin_addr);
    int refusal = 0;
    for (int i = 0; i < most_connections; ++i) {
        address.sin_port = htons(static_cast<std::uint16_t>(first_port + i));
        if (::sendto(fd, "probe", 5, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
            refusal = errno;
        }
    }
    ::close(fd);
    const int more = kept_connections() - before;
    const std::string told = "keeps " + std::to_string(more) + " of " + std::to_string(most_connections);
    if (refusal != 0) {
        return denied(refusal, told);
    }
    // The application has connections of its own meanwhile.
    return more < most_connections / 2 ? denied(0, "no note taken: " + told) : succeeded(told);
}

}  // namespace

Outcome loopback_connections(const Targets&) {
    return open_connections("127.0.0.1");
}

Outcome connections(const Targets& targets) {
    return targets.heavy ? open_connections(targets.own_host_end)
                         : absent("would keep the gear from new connections for half a minute; --heavy tries");
}

}  // namespace gearbox::probe::resources
