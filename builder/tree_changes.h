// What later stages have made of a tree.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Paths relative to the trees, sorted: a folder comes before what is in it.
struct TreeChanges {
    std::vector<std::string> present;  ///< what is new or another than below, and the folders that it is in
    std::vector<std::string> gone;     ///< what of the tree below is not there any more, or is another; no folder that still is one
};

/// Of two mounts with layers of one file system, `below` with fewer of them. What no layer in between has touched has the
/// same inode with the same time of change (kernel: overlayfs, "Inode properties"), which is all that is looked at. Throws
/// fs::filesystem_error, SysError.
TreeChanges find_changes(const std::filesystem::path& below, const std::filesystem::path& tree);

/// Copies what is present, with its owners, times and attributes. Throws what run_tool_checked does.
void copy_changes(const std::filesystem::path& tree, const TreeChanges& changes, const std::filesystem::path& to);

}  // namespace gearbox::builder
