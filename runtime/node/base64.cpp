#include "node/base64.h"

#include <sodium.h>

#include <cstdint>

namespace gearbox {

std::string encode_base64(std::string_view bytes) {
    std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    ::sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                        sodium_base64_VARIANT_ORIGINAL);
    out.pop_back();  // the NUL
    return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string out;
    std::uint32_t group = 0;
    int bits = 0;
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (const char c : text) {
        const auto value = digits.find(c);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        group = (group << 6) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((group >> bits) & 255);
        }
    }
    return out;
}

}  // namespace gearbox
