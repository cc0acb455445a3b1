// Where a person has a cartridge: a directory, an archive, a git repository, a manifest; here or at an address.
#pragma once
#include <filesystem>
#include <string>

namespace gearbox::cli {

/// Puts the cartridge's files into the empty directory, metadata/ at its top. Addresses are http(s), git or ssh;
/// "#ref" names a branch or tag of a repository. sha256: 64 hex digits that what is downloaded, or the archive, must
/// have; "" for none. Throws Error with what could not be fetched or unpacked.
void fetch_cartridge(const std::string& source, const std::string& sha256, const std::filesystem::path& directory);

}  // namespace gearbox::cli
