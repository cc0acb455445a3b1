#include "names.h"

#include "options.h"

#include <arpa/inet.h>
#include <bit>
#include <cstdint>
#include <regex>

namespace gearbox::builder {

namespace {

bool fits(const std::string& text, const char* pattern) {
    return text.size() <= 255 && std::regex_match(text, std::regex(pattern));
}

}  // namespace

bool is_package_name(const std::string& text) {
    return fits(text, "[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?");
}

bool is_account_name(const std::string& text) {
    return fits(text, "[a-z_][a-z0-9_-]{0,30}");
}

bool is_login(const std::string& text) {
    return fits(text, "[A-Za-z0-9_@][A-Za-z0-9_.@-]*");
}

bool is_host_name(const std::string& text) {
    return fits(text, "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*");
}

bool is_unit_name(const std::string& text) {
    return fits(text, "[A-Za-z0-9][A-Za-z0-9_.@:-]*");
}

bool is_time_zone(const std::string& text) {
    return fits(text, "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*");
}

bool is_volume_id(const std::string& text) {
    return fits(text, "[A-Z0-9_]{1,32}");
}

bool is_url(const std::string& text) {
    return fits(text, "(https?|file)://[^ \"'\\\\]+");
}

bool is_locale(const std::string& text) {
    return fits(text, "[A-Za-z]+(_[A-Z]+)?([.][A-Za-z0-9-]+)?(@[a-z]+)?");
}

bool is_address(const std::string& text) {
    in6_addr unused{};
    const auto slash = text.find('/');
    const std::string address = text.substr(0, slash);
    const bool is_v4 = ::inet_pton(AF_INET, address.c_str(), &unused) == 1;
    if (!is_v4 && ::inet_pton(AF_INET6, address.c_str(), &unused) != 1) {
        return false;
    }
    const auto prefix = slash == std::string::npos ? 0 : find_number(text.substr(slash + 1));
    return prefix && *prefix >= 0 && *prefix <= (is_v4 ? 32 : 128);
}
std::optional<int> prefix_of_netmask(const std::string& text) {
    in_addr mask{};
    const bool is_v4 = ::inet_pton(AF_INET, text.c_str(), &mask) == 1;
    const std::uint32_t ones = ntohl(mask.s_addr);
    const int prefix = std::countl_one(ones);
    return is_v4 && prefix == std::popcount(ones) ? std::optional(prefix) : std::nullopt;
}
bool is_mac_address(const std::string& text) {
    return fits(text, "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}");
}

bool is_mount_options(const std::string& text) {
    return fits(text, "[^ \\t#]+");
}

bool is_simple_word(const std::string& text) {
    return fits(text, "[A-Za-z0-9][A-Za-z0-9._@-]*");
}

}  // namespace gearbox::builder
