// metadata/managed_files.yml: which files of a cartridge are the platform's once it is set up
// (cartridge contract, 2).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

struct ManagedFiles {
    std::vector<std::string>
        locked;  ///< patterns relative to the home, cleaned; "x/" = directory itself
    std::vector<std::string> templates;            ///< processed_templates, likewise
    std::vector<std::string> snapshot_exclusions;  ///< likewise
    std::vector<std::string> setup_rewritten;      ///< likewise: not kept when a cartridge is upgraded
};

/// cartridge: its directory below the home. Patterns that lead out of their base, and those that
/// may never be unlocked, are dropped. Broken YAML gives an empty result.
ManagedFiles parse_managed_files(std::string_view yaml, const std::string& cartridge);

/// fnmatch(3) with FNM_PATHNAME; '**' is '*'.
bool matches(const std::string& pattern, const std::string& path);
bool has_wildcard(const std::string& pattern);

}  // namespace gearbox
