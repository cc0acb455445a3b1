// metadata/managed_files.yml: which files of a cartridge are the platform's once it is set up
// (cartridge contract, 2).
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// A directory of the builds' results, and the link by which the cartridge's programs find it.
struct DependencyDirectory {
    std::string link;    ///< relative to the home, cleaned
    std::string target;  ///< likewise, in app-root/runtime/dependencies or build-dependencies
    bool operator==(const DependencyDirectory&) const = default;
};

struct ManagedFiles {
    std::vector<std::string>
        locked;  ///< patterns relative to the home, cleaned; "x/" = directory itself
    std::vector<std::string> templates;            ///< processed_templates, likewise
    std::vector<std::string> snapshot_exclusions;  ///< likewise
    std::vector<std::string> restore_transforms;   ///< "s,PATTERN,REPLACEMENT,FLAGS" of tar(1), for names in archives
    std::vector<std::string> setup_rewritten;      ///< likewise: not kept when a cartridge is upgraded
    std::vector<DependencyDirectory> dependencies;  ///< dependency_dirs and build_dependency_dirs
};

/// cartridge: its directory below the home. Patterns that lead out of their base, and those that
/// may never be unlocked, are dropped. Broken YAML gives an empty result.
ManagedFiles parse_managed_files(std::string_view yaml, const std::string& cartridge);

/// fnmatch(3) with FNM_PATHNAME; '**' is '*'.
bool matches(const std::string& pattern, const std::string& path);
bool has_wildcard(const std::string& pattern);

/// The paths that a cleaned pattern of this cartridge means, files or directories, but for those that may never be unlocked.
/// list: the names in a directory, "." the home; none where there is none.
std::vector<std::string> expand(const std::string& pattern, const std::string& cartridge,
                                const std::function<std::vector<std::string>(const std::string&)>& list);

}  // namespace gearbox
