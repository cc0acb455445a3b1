// Quickstarts: applications to begin from, each a directory with quickstart.toml and a bare
// repository NAME.git.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

struct Quickstart {
    std::string id;
    std::string name;
    std::string summary;
    std::vector<std::string> cartridges;
    std::vector<std::string> packages;  ///< of Debian, beside those of the cartridges
    std::vector<std::string> tags;
    std::string website;
    std::filesystem::path picture;  ///< an SVG beside quickstart.toml; empty if there is none
    std::string initial_git_url;  ///< file:// below the directory
    std::string unavailable;      ///< why this node cannot deploy it; empty when it can
};

class QuickstartCatalogue {
public:
    /// Why this node cannot deploy a quickstart; empty when it can.
    using WhyNot = std::function<std::string(const Quickstart&)>;

    QuickstartCatalogue(std::filesystem::path directory, WhyNot why_not)
        : directory_(std::move(directory)), why_not_(std::move(why_not)) {}

    /// Sorted by id. A quickstart that cannot be read is logged and left out.
    std::vector<Quickstart> list() const;
    /// By id or directory name.
    std::optional<Quickstart> find(const std::string& id) const;

private:
    std::filesystem::path directory_;
    WhyNot why_not_;
};

/// "the cartridge java is not on this node", "the package x is not installed on this node", "the packages x and y …".
std::string lacking(const std::vector<std::string>& cartridges, const std::vector<std::string>& packages);

/// Of a file or directory, and leads nowhere else: letters, digits, '-' and '_', at least one.
bool is_plain_name(std::string_view name);

/// Throws Error(invalid) with file:line:column. `picture` must be the plain name of an .svg file.
Quickstart parse_quickstart(const std::string& toml, const std::filesystem::path& file);

}  // namespace gearbox
