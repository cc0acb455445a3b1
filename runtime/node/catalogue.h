// The cartridges installed on this node.
#pragma once
#include "model/cartridge.h"

#include <filesystem>
#include <string>
#include <vector>

namespace gearbox {

/// The directories below this one that hold a cartridge, by name.
std::vector<std::filesystem::path> cartridges_below(const std::filesystem::path& directory);

/// Every version of every cartridge, newest first; need_packages: if its native requirements (Debian packages) are
/// installed. A cartridge that cannot be read is logged and left out.
std::vector<Cartridge> load_catalogue(const std::vector<std::filesystem::path>& directories, bool need_packages);

/// The packages named here that dpkg's status file calls installed.
std::vector<std::string> missing_packages(const std::vector<std::string>& packages,
                                          const std::string& dpkg_status);
/// The same, of this machine.
std::vector<std::string> missing_packages(const std::vector<std::string>& packages);

}  // namespace gearbox
