#include "stages/stages.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <fstream>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

void put_file(const fs::path& path, const std::string& text, int mode) {
    fs::create_directories(path.parent_path());
    // A link in the tree points into the tree, but would be followed on the host.
    if (fs::is_symlink(path)) {
        fs::remove(path);
    }
    std::ofstream out(path, std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        fail(ErrorKind::internal, "writing '", path.string(), "'");
    }
    fs::permissions(path, static_cast<fs::perms>(mode));
}

std::int64_t epoch_of(const StageContext& context) {
    return context.options.at("source_date_epoch").get<std::int64_t>();
}

void set_time(const fs::path& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    const std::string name = path.string();
    check(::utimensat(AT_FDCWD, name.c_str(), times, AT_SYMLINK_NOFOLLOW), "setting the time of '",
          name, "'");
}

void in_tree(StageContext& context, std::vector<std::string> argv) {
    ToolCall call;
    call.argv = std::move(argv);
    call.root = context.tree;
    context.tools.run(call);
}

fs::path only_file(const fs::path& folder, const std::string& prefix) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with(prefix)) {
            continue;
        }
        if (!found.empty()) {
            fail(ErrorKind::conflict, "there are two files '", prefix, "…' in '", folder.string(),
                 "'");
        }
        found = entry.path();
    }
    if (found.empty()) {
        fail(ErrorKind::not_found, "there is no file '", prefix, "…' in '", folder.string(), "'");
    }
    return found;
}

}  // namespace gearbox::builder::stages
