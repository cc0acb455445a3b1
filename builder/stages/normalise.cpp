// Takes out of the tree what must not be the same in every copy, or would differ from build to
// build. Times need no work here: mksquashfs clamps them to SOURCE_DATE_EPOCH.
#include "stages/stages.h"

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

void remove_if(const fs::path& folder, bool (*unwanted)(const std::string& name)) {
    std::error_code missing;
    std::vector<fs::path> doomed;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
        if (unwanted(entry.path().filename().string())) {
            doomed.push_back(entry.path());
        }
    }
    for (const fs::path& path : doomed) {
        fs::remove_all(path);
    }
}

bool any(const std::string&) {
    return true;
}
bool is_backup(const std::string& name) {
    return name.ends_with("-old") || name.ends_with("-");
}
bool is_host_key(const std::string& name) {
    return name.starts_with("ssh_host_");
}
bool is_cache(const std::string& name) {
    return name.ends_with(".bin") || name == "archives";
}

void empty_logs(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file() && !entry.is_symlink()) {
            fs::resize_file(entry.path(), 0);
        }
    }
}

// Says "this /etc and /var belong to this /usr", so that the first boot does not run ldconfig and
// sysusers again.
void mark_updated(const fs::path& path, std::int64_t epoch) {
    put_file(path, str("# This file was created by gearbox-build.\nTIMESTAMP_NSEC=", epoch,
                       "000000000\n"));
    set_time(path, epoch);
}

}  // namespace

void run_normalise(StageContext& context) {
    const fs::path& tree = context.tree;
    in_tree(context, {"systemd-sysusers"});
    in_tree(context, {"ldconfig"});
    remove_if(tree / "etc/ssh", is_host_key);
    remove_if(tree / "etc", is_backup);
    remove_if(tree / "var/lib/dpkg", is_backup);
    remove_if(tree / "var/cache/debconf", is_backup);
    remove_if(tree / "var/cache/apt", is_cache);
    remove_if(tree / "var/cache/ldconfig", any);
    for (const char* emptied : {"var/lib/apt/lists", "tmp", "var/tmp", "run", "var/backups"}) {
        remove_if(tree / emptied, any);
    }
    for (const char* gone : {".autorelabel", "var/lib/dbus/machine-id", "root/.bash_history",
                             "var/lib/systemd/random-seed", "etc/.pwd.lock"}) {
        fs::remove(tree / gone);
    }
    empty_logs(tree / "var/log");
    put_file(tree / "etc/machine-id", "", 0444);
    const auto epoch = epoch_of(context);
    mark_updated(tree / "etc/.updated", epoch);
    mark_updated(tree / "var/.updated", epoch);
}

}  // namespace gearbox::builder::stages
