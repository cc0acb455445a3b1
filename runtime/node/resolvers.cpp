#include "node/resolvers.h"

#include "base/file.h"

#include <arpa/inet.h>

#include <sstream>

namespace gearbox {

std::vector<std::string> parse_resolvers(std::string_view resolv_conf) {
    std::vector<std::string> out;
    std::istringstream lines{std::string(resolv_conf)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string keyword;
        std::string address;
        in_addr parsed{};
        constexpr unsigned loopback = 127;
        if (words >> keyword >> address && keyword == "nameserver" &&
            ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 && ntohl(parsed.s_addr) >> 24 != loopback) {
            out.push_back(address);
        }
    }
    return out;
}

std::vector<std::string> find_resolvers() {
    for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
        auto found = parse_resolvers(find_file(path).value_or(""));
        if (!found.empty()) {
            return found;
        }
    }
    return {};
}

std::string resolv_conf(const std::vector<std::string>& resolvers) {
    std::string out = "# The name servers of the host; kept up to date by gearboxd.\n";
    for (const std::string& address : resolvers) {
        out += "nameserver " + address + "\n";
    }
    return out;
}

}  // namespace gearbox
