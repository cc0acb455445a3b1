// The gear sizes of this host, as requests name them.
#pragma once
#include "base/settings.h"
#include "broker/problems.h"

#include <string>
#include <vector>

namespace gearbox {

/// "a, b".
std::string listed(const std::vector<std::string>& words);

/// 110 for each that the host does not have.
void check_sizes(const std::vector<std::string>& sizes, const Settings& settings, const char* field,
                 Problems& problems);

}  // namespace gearbox
