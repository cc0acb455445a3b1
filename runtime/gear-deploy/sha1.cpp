#include "gear-deploy/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace gearbox {

void Sha1::digest(const unsigned char* block) {
    std::array<std::uint32_t, 80> w;
    for (std::size_t t = 0; t < 16; ++t) {
        w[t] = std::uint32_t{block[4 * t]} << 24 | std::uint32_t{block[4 * t + 1]} << 16 | std::uint32_t{block[4 * t + 2]} << 8 |
               std::uint32_t{block[4 * t + 3]};
    }
    for (std::size_t t = 16; t < 80; ++t) {
        w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t t = 0; t < 80; ++t) {
        const auto [f, k] = t < 20   ? std::pair{(b & c) | (~b & d), 0x5a827999u}
                            : t < 40 ? std::pair{b ^ c ^ d, 0x6ed9eba1u}
                            : t < 60 ? std::pair{(b & c) | (b & d) | (c & d), 0x8f1bbcdcu}
                                     : std::pair{b ^ c ^ d, 0xca62c1d6u};
        const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[t];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d, state_[4] + e};
}

void Sha1::add(std::string_view data) {
    while (!data.empty()) {
        const std::size_t filled = bytes_ % block_.size();
        const std::size_t part = std::min(data.size(), block_.size() - filled);
        std::memcpy(block_.data() + filled, data.data(), part);
        bytes_ += part;
        data.remove_prefix(part);
        if (filled + part == block_.size()) {
            digest(block_.data());
        }
    }
}

std::string Sha1::finish() {
    const std::uint64_t bits = 8 * bytes_;
    add(std::string_view("\x80", 1));
    while (bytes_ % block_.size() != 56) {
        add(std::string_view("\0", 1));
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        const char byte = static_cast<char>(bits >> shift & 255);
        add(std::string_view(&byte, 1));
    }
    std::string out;
    for (const std::uint32_t word : state_) {
        for (int shift = 28; shift >= 0; shift -= 4) {
            out += "0123456789abcdef"[word >> shift & 15];
        }
    }
    return out;
}

}  // namespace gearbox
