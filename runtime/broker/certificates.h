// Certificates that users bring for their aliases: checked here, with OpenSSL.
#pragma once
#include <cstdint>
#include <string>

namespace gearbox {

/// The chain and its private key as one PEM text without a pass phrase, for the router.
/// now: seconds since the epoch. Throws RequestError: 172 (field private_key) for a key that cannot
/// be read, is too weak or belongs to another certificate; 174 (field ssl_certificate) for a chain
/// that cannot be read or has expired.
std::string make_router_certificate(const std::string& chain_pem, const std::string& key_pem,
                                    const std::string& pass_phrase, std::int64_t now);

}  // namespace gearbox
