// SELinux labels of the files of a tree, by the tree's own policy.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Where a Debian tree has what its files are labelled by, selabel_file(5).
inline constexpr const char* file_contexts = "etc/selinux/default/contexts/files/file_contexts";

/// Gives each path, relative to the tree, the label that the file of contexts (selabel_file(5)) has for it, where it has another.
/// On all processors. Throws Error(internal), SysError.
void label_files(const std::filesystem::path& tree, const std::filesystem::path& contexts,
                 const std::vector<std::string>& paths);

}  // namespace gearbox::builder
