// SHA-1, the checksum that OpenShift v2 has for deployments: tells trees apart, protects nothing.
#pragma once
#include <openssl/sha.h>

#include <string>
#include <string_view>

namespace gearbox {

class Sha1 {
public:
    Sha1();
    void add(std::string_view data);
    /// 40 hex digits of all that was added. Once.
    std::string finish();

private:
    SHA_CTX state_;
};

}  // namespace gearbox
