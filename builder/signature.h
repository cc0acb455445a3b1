// SHA256SUMS with a signature by minisign: one line of key that fits beside an image, no key ring
// and no agent as GnuPG has them, and the same bytes for the same input.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

inline constexpr const char* sums_file = "SHA256SUMS";
inline constexpr const char* signature_file = "SHA256SUMS.minisig";
inline constexpr const char* public_key_file = "minisign.pub";

/// Signs the folder's SHA256SUMS with minisign's secret key file; puts signature and public key
/// beside it. GEARBOX_SIGN_PASSWORD is the key's password, if it has one. `comment` is signed, too.
/// Throws Error(invalid) with what minisign said.
void sign_outputs(const std::filesystem::path& folder, const std::filesystem::path& secret_key,
                  const std::string& comment);

/// What is wrong with the folder: signature, or files that are missing or have another hash. Empty
/// if all is well. Throws Error(not_found) if there is no signature to check.
std::vector<std::string> check_signature(const std::filesystem::path& folder,
                                         const std::filesystem::path& public_key);

}  // namespace gearbox::builder
