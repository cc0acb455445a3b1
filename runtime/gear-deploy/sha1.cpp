// By the functions that EVP replaces: they need nothing else of libcrypto in a static program, and no time to start.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "gear-deploy/sha1.h"

#include <array>

namespace gearbox {

Sha1::Sha1() {
    ::SHA1_Init(&state_);
}

void Sha1::add(std::string_view data) {
    ::SHA1_Update(&state_, data.data(), data.size());
}

std::string Sha1::finish() {
    std::array<unsigned char, SHA_DIGEST_LENGTH> sum;
    ::SHA1_Final(sum.data(), &state_);
    std::string out;
    for (const unsigned char byte : sum) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

}  // namespace gearbox
