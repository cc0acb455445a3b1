// Passwords (argon2id) and tokens (hashed), by libsodium.
#pragma once
#include "base/clock.h"
#include "base/id.h"

#include <map>
#include <mutex>
#include <string>

namespace gearbox {

/// Makes and checks password hashes. A password that was right is remembered for some minutes as
/// a keyed hash, so that Basic authentication on every request does not pay for argon2 each time.
/// Thread-safe; one argon2 at a time, which bounds the memory.
class Passwords {
public:
    explicit Passwords(const Clock& clock);

    std::string hash(const std::string& password);
    /// stored: what hash() made.
    bool verify(const UserId& user, const std::string& stored, const std::string& password);

private:
    std::string fingerprint(const UserId& user, const std::string& stored,
                            const std::string& password) const;

    struct Remembered {
        std::string fingerprint;
        std::int64_t until_ms = 0;
    };
    const Clock& clock_;
    std::string key_;  ///< of this process only
    std::mutex argon_mutex_;
    std::mutex cache_mutex_;
    std::map<UserId, Remembered> cache_;
};

/// Tokens are derived from a secret file beside the database and their authorization's id, so that
/// they can be shown again while the database holds only hashes.
class Tokens {
public:
    /// Reads the secret, or makes it (mode 0600).
    explicit Tokens(const std::string& secret_file);

    std::string token(const std::string& authorization_id) const;  ///< 64 hex digits
    static std::string hash(const std::string& token);

private:
    std::string secret_;
};

/// For a user whose password nobody gave: 16 characters without look-alikes.
std::string make_password();

}  // namespace gearbox
