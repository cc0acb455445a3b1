#include "sys/listeners.h"

#include "base/file.h"
#include "base/str.h"

#include <charconv>
#include <cstdint>
#include <sstream>

namespace gearbox::sys {

namespace {

constexpr const char* listening = "0A";  // TCP_LISTEN of the kernel's tcp_states.h

std::uint32_t hexadecimal(const std::string& digits) {
    std::uint32_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

// Eight hex digits of the address as it lies in memory, the first byte last; longer: IPv6.
std::string address_of(const std::string& digits) {
    const std::uint32_t value = digits.size() == 8 ? hexadecimal(digits) : 0;
    return str(value & 255, ".", (value >> 8) & 255, ".", (value >> 16) & 255, ".", value >> 24);
}

}  // namespace

std::set<std::pair<std::string, int>> parse_listeners(const std::string& text) {
    std::set<std::pair<std::string, int>> out;
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);  // the heading
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state;
        words >> number >> local >> remote >> state;
        const auto colon = local.find(':');
        if (state == listening && colon != std::string::npos) {
            out.emplace(address_of(local.substr(0, colon)),
                        static_cast<int>(hexadecimal(local.substr(colon + 1))));
        }
    }
    return out;
}

std::set<std::pair<std::string, int>> listeners(pid_t pid) {
    std::set<std::pair<std::string, int>> out;
    for (const char* file : {"tcp", "tcp6"}) {
        out.merge(parse_listeners(find_file(str("/proc/", pid, "/net/", file)).value_or("")));
    }
    return out;
}

}  // namespace gearbox::sys
