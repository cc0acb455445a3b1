#include "gear-deploy/inspect.h"

#include "base/str.h"

#include <charconv>

namespace gearbox {

namespace {

// A path of PATH_MAX has to have room for the directory that it is checked out in; a name of NAME_MAX may come in quotes.
constexpr std::size_t longest_path = 4000;
constexpr std::size_t longest_name = 257;
constexpr std::string_view marker_directory = ".openshift/markers/";

}  // namespace

// "100644 blob 5a3a61…      12\tindex.html"; a tree has "-" for its size.
bool Listing::add(std::string_view line) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) {
        problem_ = "the commit's files cannot be listed";
        return false;
    }
    const auto size_at = line.substr(0, tab).rfind(' ');
    const std::string_view size = line.substr(size_at == std::string_view::npos ? 0 : size_at + 1, tab - size_at - 1);
    std::int64_t bytes = 0;
    std::from_chars(size.data(), size.data() + size.size(), bytes);
    const std::string_view path = line.substr(tab + 1);
    const std::string_view name = path.substr(path.rfind('/') + 1);
    ++rows_;
    bytes_ += bytes;
    if (path.size() > longest_path) {
        problem_ = str("the path ", path.substr(0, 60), "... has ", path.size(),
                       " characters; 4000 are the most that can be checked out: use fewer or shorter directories");
    } else if (name.size() > longest_name) {
        problem_ = str("the file name ", name.substr(0, 60), "... has ", name.size(),
                       " characters; 255 are the most that can be checked out: shorten it");
    } else if (path.starts_with(marker_directory)) {
        markers_.emplace_back(path);
    }
    return problem_.empty();
}

bool Listing::finish() {
    if (rows_ > room_.files) {
        problem_ = str("the commit has ", rows_, " files and directories, and this gear may have ", room_.files,
                       ": leave out what is generated, or take a larger gear size");
    } else if (bytes_ > room_.disk_mb << 20) {
        problem_ = str("the files of the commit take ", (bytes_ + (1 << 19)) >> 20, " MiB, and this gear has a disk of ", room_.disk_mb,
                       " MiB: leave them out, or ask for more storage");
    }
    return problem_.empty();
}

}  // namespace gearbox
