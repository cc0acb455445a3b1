// The files of packages, in the cache: fetched once for all builds, enough for a build without a
// network.
#pragma once
#include "archive_state.h"
#include "tools.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace gearbox::builder {

/// Where a tree's packages may come from.
struct PackageRequest {
    std::optional<ArchiveState> locked;  ///< these and no others
    bool offline = false;                ///< from the cache alone
    std::string
        mirror;  ///< fetch from here instead of the first archive of the lock; "": from there
};

/// Which packages to install, and how to ask for them.
struct TreeWish {
    std::vector<std::string> settings;  ///< of apt, lines of apt.conf(5) without the ';'
    std::string variant;                ///< mmdebstrap's: "minbase" or "important"
    std::vector<std::string> packages;
    std::string suite;
    std::vector<std::string> archives;  ///< lines of sources.list
};

class PackageCache {
public:
    using Progress = std::function<void(double, const std::string&)>;

    /// `work` is an empty folder on the same file system, for files that are not complete.
    PackageCache(std::filesystem::path folder, std::filesystem::path work, Tools& tools,
                 Progress progress);

    /// The packages that apt would install: of the archives as they are now, whose indexes are
    /// kept, or, without a network, of the indexes that were kept. Throws Error(unavailable) if
    /// there are none.
    ArchiveState resolve(const TreeWish& wish, bool offline);

    /// Has all files in the cache afterwards, each with its size and SHA-256. Throws
    /// Error(unavailable) with the name and version of every package that cannot be had.
    void fetch(const ArchiveState& state, const PackageRequest& request);

    /// A folder with links to these files and their index: an archive of the suite,
    /// "deb … copy:FOLDER ./".
    std::filesystem::path make_archive(const ArchiveState& state, const std::string& suite);

    /// Removes the files and indexes that none of these states needs.
    static void remove_others(const std::filesystem::path& folder,
                              const std::vector<ArchiveState>& used);

private:
    bool has(const ArchivePackage& package) const;
    std::filesystem::path indexes(const std::vector<std::string>& lines) const;
    void keep_indexes(const std::filesystem::path& lists, const std::vector<std::string>& lines);

    std::filesystem::path folder_;
    std::filesystem::path work_;
    Tools& tools_;
    Progress progress_;
};

}  // namespace gearbox::builder
