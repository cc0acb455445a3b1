#include "model/cartridge_url.h"

#include "base/str.h"
#include "model/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gearbox {

namespace {

constexpr std::size_t longest = 2048;

bool is_printable(std::string_view url) {
    return std::all_of(url.begin(), url.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("\"'\\<>^`{|}").find(c) == std::string_view::npos;
    });
}

// "HOST[:PORT]" without brackets and port, in lower case, without the dot of a full name.
std::string host_of(std::string_view authority) {
    std::string_view host = authority;
    if (host.starts_with('[')) {
        host = host.substr(1, host.find(']') - 1);
    } else {
        host = host.substr(0, host.find(':'));
    }
    if (host.ends_with('.')) {
        host.remove_suffix(1);
    }
    return to_lower(std::string(host));
}

bool is_own_network(const in_addr& address) {
    const std::uint32_t number = ntohl(address.s_addr);
    const std::uint32_t first = number >> 24;
    return first == 0 || first == 127 || first >= 224 || number >> 16 == 0xa9fe;  // 169.254.0.0/16
}

bool is_own_network(const in6_addr& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address)) {
        in_addr inner{};
        std::copy_n(address.s6_addr + 12, 4, reinterpret_cast<unsigned char*>(&inner.s_addr));
        return is_own_network(inner);
    }
    return IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_LINKLOCAL(&address) ||
           IN6_IS_ADDR_MULTICAST(&address);
}

// inet_aton(3) reads what programs take for an address, too: 0x7f000001, 2130706433, 127.1.
bool is_this_machine(const std::string& host) {
    in_addr v4{};
    in6_addr v6{};
    return host == "localhost" || host.ends_with(".localhost") ||
           (::inet_aton(host.c_str(), &v4) != 0 && is_own_network(v4)) ||
           (::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && is_own_network(v6));
}

bool is_host(std::string_view host) {
    return !host.empty() && host.front() != '-' && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
    });
}

// curl and git take "/a/../b" for "/b": a prefix would say nothing.
bool has_dot_segment(const std::string& path) {
    const std::string plain = to_lower(path) + "/";
    for (const char* dot : {"/./", "/../", "%2e", "%2f"}) {
        if (plain.find(dot) != std::string::npos) {
            return true;
        }
    }
    return false;
}

std::string joined(const std::vector<std::string>& prefixes) {
    std::string out;
    for (const std::string& prefix : prefixes) {
        out += str(out.empty() ? "" : ", ", prefix);
    }
    return out;
}

}  // namespace

std::string wrong_with_cartridge_url(std::string_view url, const std::vector<std::string>& prefixes) {
    if (url.size() > longest || !is_printable(url)) {
        return str("must be at most ", longest, " printable characters, without spaces and quotes");
    }
    constexpr std::array<std::string_view, 3> schemes = {"http://", "https://", "git://"};
    const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](auto s) { return url.starts_with(s); });
    if (scheme == schemes.end()) {
        return "must begin with http://, https:// or git://";
    }
    const std::string_view rest = url.substr(scheme->size());
    const auto end = rest.find_first_of("/?#");
    const std::string_view authority = rest.substr(0, end);
    const std::string path(end == std::string_view::npos ? "" : rest.substr(end, rest.find_first_of("?#", end) - end));
    if (authority.find('@') != std::string_view::npos) {
        return "must hold no user name and no password: others of the domain see it";
    }
    const std::string host = host_of(authority);
    if (!is_host(host)) {
        return "names no host";
    }
    if (is_this_machine(host)) {
        return "names the machine that fetches it, or its network, and no other server";
    }
    if (has_dot_segment(path)) {
        return "must not have '.' or '..' in its path";
    }
    const bool is_listed = prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) {
        return url.starts_with(prefix);
    });
    return is_listed ? "" : str("is not below one that this host takes cartridges from: ", joined(prefixes));
}

std::string wrong_with_archive_url(std::string_view url) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return "must begin with http:// or https://";
    }
    return wrong_with_cartridge_url(url, {});
}

}  // namespace gearbox
