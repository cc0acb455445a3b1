// Packages of Debian archives as values: which version of each a tree gets, and from where.
#pragma once
#include "base/json.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct ArchivePackage {
    std::string name;
    std::string version;
    std::string architecture;
    std::string priority;     ///< the archive's, which decides what a variant of the tree has
    std::string file;         ///< below the archive's URI
    std::size_t archive = 0;  ///< number of its line
    std::uint64_t bytes = 0;
    std::string sha256;

    auto operator<=>(const ArchivePackage&) const = default;
    /// "libc6 2.41-12"
    std::string text() const { return name + " " + version; }
};

/// What a tree is made of: the archives as they were, and every package taken from them.
struct ArchiveState {
    std::vector<std::string> lines;     ///< of sources.list
    std::vector<std::string> releases;  ///< SHA-256 of each archive's InRelease; "" if it has none
    std::vector<std::string> dates;     ///< "Date" of each InRelease
    std::vector<ArchivePackage> packages;  ///< by name and architecture

    bool operator==(const ArchiveState&) const = default;
};

Json to_json(const ArchiveState& state);

/// Throws Error(invalid) with the place.
ArchiveState parse_archive_state(const Json& json);

/// The name that apt gives a package's file: "NAME_VERSION_ARCHITECTURE.deb", ':' as %3a.
std::string package_file(const ArchivePackage& package);

/// The URI of a line "deb [options] URI SUITE …", without a slash at the end.
/// Throws Error(invalid).
std::string archive_uri(const std::string& line);

/// How the files of the line's archive start in /var/lib/apt/lists.
std::string list_prefix(const std::string& line);

/// The files of all packages that apt would install, by package_file(), out of its lines
/// "'URI' FILE SIZE HASH" (apt-get(8), --print-uris).
using Resolved = std::set<std::string>;
void take_resolved(std::string_view line, Resolved& resolved);

/// The entries of a 'Packages' index that were resolved. Pure.
std::vector<ArchivePackage> take_from_index(const std::string& index, std::size_t archive,
                                            const Resolved& resolved);

/// An entry of an index of our own: the package's control file, where its file is, and the
/// priority that its archive gave it. Pure.
std::string index_entry(const ArchivePackage& package, const std::string& control);

/// The 'Release' of an archive of our own that has one index: mmdebstrap takes essential packages
/// from the archive of the suite only. Pure.
std::string make_release(const std::string& suite, const std::string& index);

/// The suite of a line of sources.list.
std::string archive_suite(const std::string& line);

}  // namespace gearbox::builder
