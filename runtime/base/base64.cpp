#include "base/base64.h"

#include <cstdint>

namespace gearbox {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string encode_base64(std::string_view bytes) {
    std::string out;
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : bytes) {
        group = (group << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) {
            out += digits[(group >> (bits - 6)) & 63];
        }
    }
    if (bits > 0) {
        out += digits[(group << (6 - bits)) & 63];
    }
    while (out.size() % 4 != 0) {
        out += '=';
    }
    return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string out;
    std::uint32_t group = 0;
    int bits = 0;
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
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
