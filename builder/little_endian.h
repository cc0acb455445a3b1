// Numbers in the formats of disks and programs, lowest byte first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gearbox::builder {

/// Of `size` bytes, 1 to 8, from `at` on; 0 if they are not all there.
inline std::uint64_t number_at(std::string_view bytes, std::uint64_t at, std::size_t size) {
    std::uint64_t number = 0;
    if (at > bytes.size() || bytes.size() - at < size) {
        return 0;
    }
    for (std::size_t i = size; i-- > 0;) {
        number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return number;
}

}  // namespace gearbox::builder
