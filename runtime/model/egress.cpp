#include "model/egress.h"

#include "base/error.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace gearbox {

namespace {

constexpr const char* forms =
    "an address or a network with its prefix length, with a port if need be: \"203.0.113.0/24\", \"198.51.100.7:443\"";

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

std::string printed(in_addr address) {
    std::array<char, INET_ADDRSTRLEN> buffer{};
    ::inet_ntop(AF_INET, &address, buffer.data(), buffer.size());
    return buffer.data();
}

}  // namespace

EgressRule parse_egress_rule(std::string_view text) {
    const auto wrong = [text]() { fail(ErrorKind::invalid, "'", text, "' is not ", forms); };
    if (text.starts_with('[') || std::count(text.begin(), text.end(), ':') > 1) {
        fail(ErrorKind::invalid, "'", text, "' is of IPv6, which gears do not have: name networks of IPv4");
    }
    const auto colon = text.find(':');
    const std::string_view network = text.substr(0, colon);
    const auto slash = network.find('/');
    const std::string digits(network.substr(0, slash));
    in_addr address{};
    if (::inet_pton(AF_INET, digits.c_str(), &address) != 1) {
        wrong();
    }
    const auto prefix = slash == std::string_view::npos ? 32 : find_number(network.substr(slash + 1), 32);
    const auto port = colon == std::string_view::npos ? 0 : find_number(text.substr(colon + 1), 65535);
    if (!prefix || !port || (colon != std::string_view::npos && *port == 0)) {
        wrong();
    }
    const std::uint32_t mask = *prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - *prefix);
    const in_addr base{address.s_addr & htonl(mask)};
    if (base.s_addr != address.s_addr) {
        fail(ErrorKind::invalid, "'", text, "' has bits behind its prefix; the network is '", printed(base), "/",
             *prefix, "'");
    }
    return {str(printed(base), "/", *prefix), *port};
}

}  // namespace gearbox
