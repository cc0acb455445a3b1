// SHA-1 (FIPS 180-4), the checksum that OpenShift v2 has for deployments: tells trees apart, protects nothing.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gearbox {

class Sha1 {
public:
    void add(std::string_view data);
    /// 40 hex digits of all that was added. Once.
    std::string finish();

private:
    void digest(const unsigned char* block);

    std::array<std::uint32_t, 5> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    std::array<unsigned char, 64> block_{};
    std::uint64_t bytes_ = 0;
};

}  // namespace gearbox
