#include "broker/passwords.h"

#include "base/error.h"
#include "base/file.h"

#include <sodium.h>

#include <array>

namespace gearbox {

namespace {

// Small enough for a daemon of 24 MiB, slow enough for a stolen database: RFC 9106 asks for more
// passes when there is less memory.
constexpr unsigned long long argon_passes = 4;
constexpr std::size_t argon_memory = 8u * 1024 * 1024;
constexpr std::int64_t remembered_ms = 5 * 60 * 1000;

void ensure_sodium() {
    if (sodium_init() < 0) {
        fail(ErrorKind::internal, "libsodium cannot start");
    }
}

const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// BLAKE2b of the parts, each with its length before it, as hex.
std::string keyed_hash(const std::string& key, std::initializer_list<std::string_view> parts) {
    std::string joined;
    for (const std::string_view part : parts) {
        joined += str(part.size(), ":", part);
    }
    std::array<unsigned char, 32> out{};
    crypto_generichash(out.data(), out.size(), bytes(joined), joined.size(),
                       key.empty() ? nullptr : bytes(key), key.size());
    std::string hex(2 * out.size() + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), out.data(), out.size());
    hex.pop_back();
    sodium_memzero(joined.data(), joined.size());
    return hex;
}

}  // namespace

Passwords::Passwords(const Clock& clock) : clock_(clock), key_(random_hex(16)) { ensure_sodium(); }

std::string Passwords::hash(const std::string& password) {
    const std::lock_guard lock(argon_mutex_);
    std::array<char, crypto_pwhash_STRBYTES> out{};
    if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), argon_passes,
                              argon_memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        fail(ErrorKind::unavailable, "no memory to hash a password");
    }
    return out.data();
}

std::string Passwords::fingerprint(const UserId& user, const std::string& stored,
                                   const std::string& password) const {
    return keyed_hash(key_, {user.text(), stored, password});
}

bool Passwords::verify(const UserId& user, const std::string& stored, const std::string& password) {
    const std::string seen = fingerprint(user, stored, password);
    {
        const std::lock_guard lock(cache_mutex_);
        const auto found = cache_.find(user);
        if (found != cache_.end() && found->second.until_ms > clock_.monotonic_ms() &&
            sodium_memcmp(found->second.fingerprint.data(), seen.data(), seen.size()) == 0) {
            return true;
        }
    }
    {
        const std::lock_guard lock(argon_mutex_);
        if (crypto_pwhash_str_verify(stored.c_str(), password.data(), password.size()) != 0) {
            return false;
        }
    }
    const std::lock_guard lock(cache_mutex_);
    constexpr std::size_t most_remembered = 1024;
    if (cache_.size() >= most_remembered) {
        cache_.clear();
    }
    cache_[user] = {seen, clock_.monotonic_ms() + remembered_ms};
    return true;
}

Tokens::Tokens(const std::string& secret_file) {
    ensure_sodium();
    if (const auto kept = find_file(secret_file)) {
        secret_ = *kept;
    }
    if (secret_.size() != 64) {
        secret_ = random_hex(32);
        write_file_atomically(secret_file, secret_, 0600);
    }
}

std::string Tokens::token(const std::string& authorization_id) const {
    return keyed_hash(secret_, {"authorization", authorization_id});
}

std::string Tokens::hash(const std::string& token) { return keyed_hash("", {token}); }

std::string make_password() {
    constexpr std::string_view alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    ensure_sodium();
    std::string out;
    for (int i = 0; i < 16; ++i) {
        out += alphabet[randombytes_uniform(static_cast<std::uint32_t>(alphabet.size()))];
    }
    return out;
}

}  // namespace gearbox
