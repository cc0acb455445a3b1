// The cartridges installed on this node.
#pragma once
#include "model/cartridge.h"

#include <string>
#include <vector>

namespace gearbox {

/// Every version of every cartridge below the directory whose native requirements (Debian packages)
/// are installed, newest first. A cartridge that cannot be read is logged and left out.
std::vector<Cartridge> load_catalogue(const std::string& directory);

/// The packages named here that dpkg's status file calls installed.
std::vector<std::string> missing_packages(const std::vector<std::string>& packages,
                                          const std::string& dpkg_status);

}  // namespace gearbox
