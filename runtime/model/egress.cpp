#include "model/egress.h"

#include "base/error.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace gearbox {

namespace {

constexpr const char* forms =
    "an address or a network with its prefix length, with a port if need be: \"203.0.113.0/24\", "
    "\"198.51.100.7:443\", \"2001:db8::/32\", \"[2001:db8::1]:443\"";

// Decimal digits and no zero before them.
std::optional<int> find_number(std::string_view text, int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > most ||
        text != std::to_string(value)) {
        return std::nullopt;
    }
    return value;
}

struct Address {
    int family;
    int bits;  ///< of an address of the family
    std::array<unsigned char, 16> bytes{};
};

std::optional<Address> find_address(const std::string& text) {
    for (Address address : {Address{AF_INET, 32, {}}, Address{AF_INET6, 128, {}}}) {
        if (::inet_pton(address.family, text.c_str(), address.bytes.data()) == 1) {
            return address;
        }
    }
    return std::nullopt;
}

std::string printed(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    ::inet_ntop(address.family, address.bytes.data(), buffer.data(), buffer.size());
    return buffer.data();
}

Address without_host(Address address, int prefix) {
    for (int bit = prefix; bit < address.bits; ++bit) {
        unsigned char& byte = address.bytes[static_cast<std::size_t>(bit / 8)];
        byte = static_cast<unsigned char>(byte & ~(0x80 >> bit % 8));
    }
    return address;
}

}  // namespace

EgressRule parse_egress_rule(std::string_view text) {
    const auto wrong = [text]() { fail(ErrorKind::invalid, "'", text, "' is not ", forms); };
    std::string_view network = text;
    std::optional<std::string_view> port;
    // An address of version 6 has colons of its own: with a port it stands in brackets.
    const bool bracketed = text.starts_with('[');
    if (bracketed) {
        const auto end = text.find("]:");
        if (end == std::string_view::npos) {
            wrong();
        }
        network = text.substr(1, end - 1);
        port = text.substr(end + 2);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        network = text.substr(0, text.find(':'));
        port = text.substr(text.find(':') + 1);
    }
    const auto slash = network.find('/');
    const auto address = find_address(std::string(network.substr(0, slash)));
    if (!address || (bracketed && address->family != AF_INET6)) {
        wrong();
    }
    const auto prefix = slash == std::string_view::npos ? address->bits
                                                        : find_number(network.substr(slash + 1), address->bits);
    const auto number = port ? find_number(*port, 65535) : 0;
    if (!prefix || !number || (port && *number == 0)) {
        wrong();
    }
    const Address base = without_host(*address, *prefix);
    if (base.bytes != address->bytes) {
        fail(ErrorKind::invalid, "'", text, "' has bits behind its prefix; the network is '", printed(base), "/",
             *prefix, "'");
    }
    return {str(printed(base), "/", *prefix), *number};
}

}  // namespace gearbox
