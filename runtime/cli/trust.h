// Certificates and ssh keys as a person checks them.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace gearbox::cli {

/// "AB:CD:…", the SHA-256 of the first certificate of a PEM text. Throws Error(invalid).
std::string certificate_fingerprint(const std::string& pem);

struct SshPublicKey {
    std::string type;
    std::string content;
    std::string comment;
};

/// The line of a .pub file. Throws ExitError(128) naming the file, also for a private key.
SshPublicKey load_public_key(const std::filesystem::path& file);

/// The private key that ssh would try first among those that have a .pub beside them.
std::optional<std::filesystem::path> find_default_key(const std::filesystem::path& home);

/// A new ed25519 key without a passphrase, by ssh-keygen.
void create_key(const std::filesystem::path& private_key, const std::string& comment);

}  // namespace gearbox::cli
