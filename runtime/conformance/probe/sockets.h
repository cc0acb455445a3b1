// Trying to reach somebody over the network.
#pragma once
#include "conformance/probe/outcome.h"

#include <string>

namespace gearbox::probe {

struct Reach {
    std::string
        address;  ///< IPv4 or IPv6 in digits; "%eth0" is added by `device` for link-local ones
    int port = 0;
    bool by_device = false;  ///< bound to eth0: the kernel then takes any address to be on the link
    std::string source{};    ///< sends from this address, own or not
    bool refusal_is_own = false;  ///< a refusal comes from the own loopback: nobody was reached
};

/// TCP; connected or refused is reached: somebody answered.
Outcome try_reach(const Reach& reach);

/// UDP: sends a few bytes and waits for any answer, an ICMP refusal too.
Outcome try_reach_udp(const Reach& reach);

/// Whether a socket of this kind is to be had.
Outcome try_socket(int family, int type, int protocol);

}  // namespace gearbox::probe
