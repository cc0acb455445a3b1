#include "base/id.h"

#include "base/error.h"

#include <sys/random.h>

#include <algorithm>

namespace gearbox {

bool is_object_id(std::string_view text) {
    return text.size() == 24 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

void fail_object_id(std::string_view text) {
    fail(ErrorKind::invalid, "'", text.substr(0, 64), "' is not an id of 24 hex digits");
}

namespace {

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    std::size_t have = 0;
    while (have < count) {
        const ssize_t got = ::getrandom(out.data() + have, count - have, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        have += static_cast<std::size_t>(check(got, "reading random bytes"));
    }
    return out;
}

}  // namespace

std::string random_hex(std::size_t bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes);
    for (const char raw : random_bytes(bytes)) {
        const auto byte = static_cast<unsigned char>(raw);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::string random_base64(std::size_t bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    unsigned window = 0;
    int bits = 0;
    for (const char raw : random_bytes(bytes)) {
        window = (window << 8) | static_cast<unsigned char>(raw);
        for (bits += 8; bits >= 6; bits -= 6) {
            out += digits[(window >> (bits - 6)) & 63];
        }
    }
    if (bits > 0) {
        out += digits[(window << (6 - bits)) & 63];
    }
    return out;
}

}  // namespace gearbox
