#include "node/ssh_key.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/str.h"

#include <sodium.h>

#include <array>
#include <cstdint>

namespace gearbox {

namespace {

constexpr const char* type = "ssh-ed25519";

// RFC 4251, 5: uint32 and string.
std::string number(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
    return out;
}

std::string field(const std::string& bytes) {
    return number(static_cast<std::uint32_t>(bytes.size())) + bytes;
}

template <std::size_t Size>
std::string text_of(const std::array<unsigned char, Size>& bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace

// OpenSSH's PROTOCOL.key.
SshKeyPair make_ssh_key(const std::string& comment) {
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> point{};
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> seed_and_point{};
    if (::sodium_init() < 0 || ::crypto_sign_keypair(point.data(), seed_and_point.data()) != 0) {
        fail(ErrorKind::internal, "no key could be made");
    }
    const std::string shared = field(type) + field(text_of(point));
    const std::string check = number(::randombytes_random());
    std::string secret = check + check + shared + field(text_of(seed_and_point)) + field(comment);
    for (char padding = 1; secret.size() % 8 != 0; ++padding) {
        secret += padding;
    }
    const std::string file = encode_base64(str(std::string("openssh-key-v1\0", 15), field("none"), field("none"), field(""), number(1),
                                        field(shared), field(secret)));
    SshKeyPair out;
    out.secret = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    constexpr std::size_t line = 70;
    for (std::size_t at = 0; at < file.size(); at += line) {
        out.secret += file.substr(at, line) + "\n";
    }
    out.secret += "-----END OPENSSH PRIVATE KEY-----\n";
    out.shared = str(type, " ", encode_base64(shared), " ", comment, "\n");
    return out;
}

}  // namespace gearbox
