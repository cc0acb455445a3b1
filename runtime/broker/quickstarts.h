// Quickstarts: applications to begin from, each a directory with quickstart.toml and a bare
// repository NAME.git.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

struct Quickstart {
    std::string id;
    std::string name;
    std::string summary;
    std::vector<std::string> cartridges;
    std::vector<std::string> tags;
    std::string website;
    std::string initial_git_url;  ///< file:// below the directory
};

class QuickstartCatalogue {
public:
    explicit QuickstartCatalogue(std::filesystem::path directory)
        : directory_(std::move(directory)) {}

    /// Sorted by id. A quickstart that cannot be read is logged and left out.
    std::vector<Quickstart> list() const;
    /// By id or directory name.
    std::optional<Quickstart> find(const std::string& id) const;

private:
    std::filesystem::path directory_;
};

/// Throws Error(invalid) with file:line:column.
Quickstart parse_quickstart(const std::string& toml, const std::filesystem::path& file);

}  // namespace gearbox
