#include "sys/interface.h"

#include "base/error.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

namespace gearbox::sys {

namespace {

sockaddr socket_address(const char* address) {
    sockaddr_in value{};
    value.sin_family = AF_INET;
    if (::inet_pton(AF_INET, address, &value.sin_addr) != 1) {
        fail(ErrorKind::invalid, "'", address, "' is no IPv4 address");
    }
    sockaddr out{};
    static_assert(sizeof out == sizeof value);
    std::memcpy(&out, &value, sizeof value);
    return out;
}

UniqueFd make_socket() {
    return UniqueFd(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "making a socket"));
}

void set_address(int socket, ifreq request, unsigned long what, const char* address) {
    request.ifr_addr = socket_address(address);
    check(::ioctl(socket, what, &request), "setting the address of '", request.ifr_name, "'");
}

}  // namespace

void raise_interface(const std::string& name, const std::string& address) {
    const UniqueFd socket = make_socket();
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    if (!address.empty()) {
        set_address(socket.get(), request, SIOCSIFADDR, address.c_str());
        set_address(socket.get(), request, SIOCSIFNETMASK, "255.255.255.254");
    }
    check(::ioctl(socket.get(), SIOCGIFFLAGS, &request), "looking at '", name, "'");
    request.ifr_flags |= IFF_UP;
    check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "bringing '", name, "' up");
}

void set_default_route(const std::string& gateway) {
    rtentry route{};
    route.rt_dst = route.rt_genmask = socket_address("0.0.0.0");
    route.rt_gateway = socket_address(gateway.c_str());
    // Behind the host is Ethernet, whatever the link takes: TCP connections name 1,460 bytes as the most of a packet (rt_mtu
    // less 40), and each end keeps to what the other names.
    route.rt_flags = RTF_UP | RTF_GATEWAY | RTF_MTU;
    route.rt_mtu = 1500;
    check(::ioctl(make_socket().get(), SIOCADDRT, &route), "setting the default route to '", gateway, "'");
}

}  // namespace gearbox::sys
