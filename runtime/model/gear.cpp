#include "model/gear.h"

#include "base/error.h"

#include <array>

namespace gearbox {

namespace {

constexpr std::array<std::pair<GearState, const char*>, 7> words = {{
    {GearState::fresh, "new"},
    {GearState::started, "started"},
    {GearState::stopped, "stopped"},
    {GearState::idle, "idle"},
    {GearState::building, "building"},
    {GearState::deploying, "deploying"},
    {GearState::unknown, "unknown"},
}};

std::string dotted(std::uint32_t address) {
    return str(address >> 24, ".", (address >> 16) & 255, ".", (address >> 8) & 255, ".",
               address & 255);
}

}  // namespace

const char* name_of(GearState state) {
    for (const auto& [value, word] : words) {
        if (value == state) {
            return word;
        }
    }
    return "unknown";
}

GearState parse_gear_state(std::string_view word) {
    for (const auto& [value, text] : words) {
        if (text == word) {
            return value;
        }
    }
    return GearState::unknown;
}

std::string loopback_address(uid_t uid, int n) {
    if (n < 1 || n > 127) {
        fail(ErrorKind::invalid, "a gear has loopback addresses 1 to 127, not ", n);
    }
    // 2^24 addresses hold 131072 uids of 128; the contract wraps at 65536 with an offset of one.
    const std::uint32_t slot = uid < 65536 ? uid : uid - 65536 + 1;
    return dotted((127u << 24) + (slot << 7) + static_cast<std::uint32_t>(n));
}

int first_public_port(uid_t uid) {
    constexpr int base = 35531;
    constexpr int slots = (65536 - base) / public_ports_per_gear;
    const int offset = static_cast<int>(uid) - 500;
    return base + public_ports_per_gear * (((offset % slots) + slots) % slots);
}

std::pair<int, int> mcs_categories(uid_t uid) {
    constexpr int categories = 1024;
    constexpr uid_t pairs = categories * (categories - 1) / 2;
    if (uid < 1 || uid > pairs) {
        fail(ErrorKind::invalid, "no MCS category pair for uid ", uid, " (1 to ", pairs, ")");
    }
    int first = 0;
    int rest = static_cast<int>(uid) - 1;
    while (rest >= categories - 1 - first) {
        rest -= categories - 1 - first;
        ++first;
    }
    return {first, first + 1 + rest};
}

std::string mcs_level(uid_t uid) {
    const auto [a, b] = mcs_categories(uid);
    return str("s0:c", a, ",c", b);
}

LinkAddresses link_addresses(uid_t uid) {
    constexpr std::uint32_t base = (100u << 24) + (64u << 16);
    const std::uint32_t host = base + 2 * static_cast<std::uint32_t>(uid);
    return {dotted(host), dotted(host + 1)};
}

std::string link_name(uid_t uid) { return str("gb", uid); }

}  // namespace gearbox
