// Checksums with a signature by minisign: one line of key that fits beside an image, no key ring
// and no agent as GnuPG has them, and the same bytes for the same input.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

inline constexpr const char* sums_file = "SHA256SUMS";

/// The checksums beside a single image.
std::filesystem::path sums_of_image(const std::filesystem::path& image);
/// Beside checksums.
std::filesystem::path signature_of(const std::filesystem::path& sums);
/// minisign.pub of a folder; checksums of a single image have one of their own.
std::filesystem::path public_key_of(const std::filesystem::path& sums);

/// Signs checksums with minisign's secret key file; puts signature and public key beside them.
/// GEARBOX_SIGN_PASSWORD is the key's password, if it has one. `comment` is signed, too. Throws
/// Error(invalid) with what minisign said.
void sign_outputs(const std::filesystem::path& sums, const std::filesystem::path& secret_key,
                  const std::string& comment);

/// What is wrong: the signature, or files that are missing or have another hash. Empty if all is
/// well. Throws Error(not_found) if there is no signature to check.
std::vector<std::string> check_signature(const std::filesystem::path& sums,
                                         const std::filesystem::path& public_key);

}  // namespace gearbox::builder
