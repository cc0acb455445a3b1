#include "sys/listeners.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <optional>
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

// A row of the table if it is a listener's.
std::optional<std::pair<std::string, int>> parse_row(const std::string& line) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    words >> number >> local >> remote >> state;
    const auto colon = local.find(':');
    if (state != listening || colon == std::string::npos) {
        return std::nullopt;
    }
    return std::pair(address_of(local.substr(0, colon)), static_cast<int>(hexadecimal(local.substr(colon + 1))));
}

}  // namespace

std::set<std::pair<std::string, int>> parse_listeners(const std::string& text) {
    std::set<std::pair<std::string, int>> out;
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);  // the heading
    while (std::getline(lines, line)) {
        if (auto row = parse_row(line)) {
            out.insert(*std::move(row));
        }
    }
    return out;
}

bool is_listened_on(pid_t pid, const std::set<std::pair<std::string, int>>& any_of) {
    for (const char* table : {"tcp", "tcp6"}) {
        const UniqueFd file(::open(str("/proc/", pid, "/net/", table).c_str(), O_RDONLY | O_CLOEXEC));
        std::string rest;
        // About a row: the kernel makes as much as is asked for.
        char part[128];
        for (ssize_t got = 0; file && (got = ::read(file.get(), part, sizeof part)) > 0;) {
            rest.append(part, static_cast<std::size_t>(got));
            for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
                const auto row = parse_row(rest.substr(0, end));
                if (row && any_of.contains(*row)) {
                    return true;
                }
                rest.erase(0, end + 1);
            }
        }
    }
    return false;
}

std::set<std::pair<std::string, int>> listeners(pid_t pid) {
    std::set<std::pair<std::string, int>> out;
    for (const char* file : {"tcp", "tcp6"}) {
        out.merge(parse_listeners(find_file(str("/proc/", pid, "/net/", file)).value_or("")));
    }
    return out;
}

}  // namespace gearbox::sys
