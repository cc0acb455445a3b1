#include "tree_changes.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <sys/stat.h>

#include <optional>
#include <set>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

using Status = struct stat;

std::optional<Status> find_status(const fs::path& path) {
    Status status{};
    if (::lstat(path.c_str(), &status) == 0) {
        return status;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        fail_errno("reading '", path.string(), "'");
    }
    return std::nullopt;
}

bool is_same(const Status& a, const Status& b) {
    return a.st_ino == b.st_ino && a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

// None of what is no folder.
void add_names(const fs::path& folder, std::set<std::string>& names) {
    if (fs::is_directory(fs::symlink_status(folder))) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            names.insert(entry.path().filename().string());
        }
    }
}

bool is_folder(const std::optional<Status>& status) {
    return status && S_ISDIR(status->st_mode);
}

// True if the folder or anything in it is another: then it is among what is present, before that.
bool walk(const fs::path& below, const fs::path& tree, const fs::path& folder, bool is_other, TreeChanges& changes) {
    const std::size_t place = changes.present.size();
    changes.present.push_back(folder.string());
    std::set<std::string> names;
    add_names(below / folder, names);
    add_names(tree / folder, names);
    for (const std::string& name : names) {
        const fs::path path = folder / name;
        const auto status = find_status(tree / path);
        const auto old = find_status(below / path);
        const bool other = !status || !old || !is_same(*status, *old);
        if (old && other && !(is_folder(status) && is_folder(old))) {
            changes.gone.push_back(path.string());
        }
        if (is_folder(status)) {
            is_other = walk(below, tree, path, other, changes) || is_other;
        } else if (status && other) {
            changes.present.push_back(path.string());
        }
        is_other = is_other || (other && !is_folder(status));
    }
    if (!is_other) {
        changes.present.resize(place);
    }
    return is_other;
}

}  // namespace

TreeChanges find_changes(const fs::path& below, const fs::path& tree) {
    TreeChanges changes;
    walk(below, tree, "", false, changes);
    return changes;
}

void copy_changes(const fs::path& tree, const TreeChanges& changes, const fs::path& to) {
    fs::create_directories(to);
    ToolOptions options;
    for (const std::string& path : changes.present) {
        options.input += "./" + path + '\0';
    }
    run_tool_checked({"bash", "-o", "pipefail", "-c",
                      "tar --create --no-recursion --xattrs '--xattrs-include=*' --directory=\"$1\" --null --files-from=- | "
                      "tar --extract --same-owner --same-permissions --numeric-owner --xattrs '--xattrs-include=*' --directory=\"$2\"",
                      "copy", tree.string(), to.string()},
                     options);
}

}  // namespace gearbox::builder
