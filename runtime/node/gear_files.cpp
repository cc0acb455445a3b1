#include "node/gear_files.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/subprocess.h"
#include "sys/selinux.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace gearbox {

namespace fs = std::filesystem;

namespace {

constexpr mode_t private_mode = 0600;

bool is_absent(int code) {
    // ELOOP: a symbolic link where none is followed. EXDEV: it would have left the home.
    return code == ENOENT || code == ENOTDIR || code == ELOOP || code == EXDEV || code == ENXIO;
}

void copy_entries(const fs::path& source, int target, Owner owner, mode_t add);

void copy_file(const fs::path& source, int target, const std::string& name, mode_t mode,
               Owner owner) {
    const std::string data = read_file(source);
    const UniqueFd file(
        check(::openat(target, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       private_mode),
              "creating '", name, "'"));
    write_all(file.get(), data);
    check(::fchmod(file.get(), mode), "setting the mode of '", name, "'");
    check(::fchown(file.get(), owner.uid, owner.gid), "setting the owner of '", name, "'");
}

void copy_entry(const fs::directory_entry& entry, int target, Owner owner, mode_t add) {
    const std::string name = entry.path().filename();
    if (entry.is_symlink()) {
        const std::string text = fs::read_symlink(entry.path());
        check(::symlinkat(text.c_str(), target, name.c_str()), "linking '", name, "'");
        check(::fchownat(target, name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW),
              "setting the owner of '", name, "'");
        return;
    }
    const auto permissions = static_cast<mode_t>(entry.status().permissions()) & 0755;
    if (entry.is_regular_file()) {
        copy_file(entry.path(), target, name, permissions | add, owner);
        return;
    }
    if (!entry.is_directory()) {
        return;
    }
    check(::mkdirat(target, name.c_str(), 0700), "creating '", name, "'");
    const UniqueFd inner(
        check(::openat(target, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              "opening '", name, "'"));
    copy_entries(entry.path(), inner.get(), owner, add);
    check(::fchmod(inner.get(), permissions), "setting the mode of '", name, "'");
    check(::fchown(inner.get(), owner.uid, owner.gid), "setting the owner of '", name, "'");
}

// The directory is root's until it is complete: the gear cannot interfere below it.
void copy_entries(const fs::path& source, int target, Owner owner, mode_t add) {
    for (const fs::directory_entry& entry : fs::directory_iterator(source)) {
        copy_entry(entry, target, owner, add);
    }
}

}  // namespace

GearFiles::GearFiles(const std::string& home, gid_t gid, std::string label)
    : path_(home), home_(open_directory(home)), gid_(gid), label_(std::move(label)) {}

UniqueFd GearFiles::open_parent(const std::string& path, std::string& name) const {
    const RelativePath checked(path);
    const auto slash = path.rfind('/');
    name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (slash == std::string::npos) {
        return UniqueFd(
            check(::fcntl(home_.get(), F_DUPFD_CLOEXEC, 3), "duplicating a descriptor"));
    }
    return open_without_links(home_.get(), RelativePath(path.substr(0, slash)),
                              O_RDONLY | O_DIRECTORY);
}

// As the kernel would choose it, with the gear's categories instead of the daemon's none.
std::string GearFiles::label_in(const UniqueFd& parent) const {
    return label_.empty() ? "" : sys::label_of(parent.get());
}

bool GearFiles::exists(const std::string& path) const {
    try {
        const UniqueFd file =
            open_without_links(home_.get(), RelativePath(path), O_PATH | O_NOFOLLOW);
        return true;
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return false;
        }
        throw;
    }
}

std::optional<std::string> GearFiles::find(const std::string& path, std::size_t limit) const {
    try {
        // O_NONBLOCK: a fifo in its place must not hold us up.
        const UniqueFd file = open_without_links(home_.get(), RelativePath(path),
                                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat info {};
        check(::fstat(file.get(), &info), "looking at '", path, "'");
        if (!S_ISREG(info.st_mode) || info.st_size > static_cast<off_t>(limit)) {
            return std::nullopt;
        }
        return read_all(file.get(), limit);
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return std::nullopt;
        }
        throw;
    }
}

std::vector<std::string> GearFiles::list(const std::string& path) const {
    UniqueFd fd;
    try {
        fd = open_without_links(home_.get(), RelativePath(path),
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return {};
        }
        throw;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), &::closedir);
    if (!directory) {
        fail_errno("reading '", path, "'");
    }
    fd.release();
    std::vector<std::string> out;
    constexpr std::size_t many = 10000;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && out.size() < many) {
            out.push_back(name);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

void GearFiles::ensure_directory(const std::string& path, Owner owner, mode_t mode,
                                 const std::string& label) const {
    std::string name;
    const UniqueFd parent = open_parent(path, name);
    const sys::CreateLabel guard(label.empty() ? label_in(parent) : label);
    if (::mkdirat(parent.get(), name.c_str(), 0700) < 0 && errno != EEXIST) {
        fail_errno("creating '", path, "'");
    }
    const UniqueFd directory(
        check(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              "opening '", path, "'"));
    check(::fchmod(directory.get(), mode), "setting the mode of '", path, "'");
    check(::fchown(directory.get(), owner.uid, owner.gid), "setting the owner of '", path, "'");
}

void GearFiles::write(const std::string& path, std::string_view data, Owner owner,
                      mode_t mode) const {
    std::string name;
    const UniqueFd parent = open_parent(path, name);
    const sys::CreateLabel label(label_in(parent));
    const std::string temporary = str(".", name.substr(0, 200), ".", random_hex(8));
    const UniqueFd file(
        check(::openat(parent.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_mode),
              "creating '", path, "'"));
    Defer discard([&] { ::unlinkat(parent.get(), temporary.c_str(), 0); });
    while_doing([&] { write_all(file.get(), data); }, "writing '", path, "'");
    check(::fchmod(file.get(), mode), "setting the mode of '", path, "'");
    check(::fchown(file.get(), owner.uid, owner.gid), "setting the owner of '", path, "'");
    check(::renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()), "writing '",
          path, "'");
    discard.cancel();
}

void GearFiles::ensure_symlink(const std::string& path, const std::string& text) const {
    std::string name;
    const UniqueFd parent = open_parent(path, name);
    const sys::CreateLabel label(label_in(parent));
    if (::symlinkat(text.c_str(), parent.get(), name.c_str()) < 0 && errno != EEXIST) {
        fail_errno("linking '", path, "'");
    }
}

void GearFiles::remove(const std::string& path) const {
    std::string name;
    UniqueFd parent;
    try {
        parent = open_parent(path, name);
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return;
        }
        throw;
    }
    if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT ||
        ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0) {
        return;
    }
    // rm walks by descriptor and follows no link; it also copes with trees deeper than our stack.
    run_tool_checked({"rm", "-rf", "--one-file-system", "--", name},
                     ToolOptions{.input = {},
                                 .directory = str("/proc/self/fd/", parent.get()),
                                 .environment = {},
                                 .on_output = {}});
}

bool GearFiles::give(const std::string& path, Owner owner) const {
    try {
        const UniqueFd file =
            open_without_links(home_.get(), RelativePath(path), O_PATH | O_NOFOLLOW);
        struct stat info {};
        check(::fstat(file.get(), &info), "looking at '", path, "'");
        if (!S_ISDIR(info.st_mode) && (info.st_nlink > 1 || !S_ISREG(info.st_mode))) {
            return false;
        }
        check(::fchownat(file.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH),
              "setting the owner of '", path, "'");
        if (owner.uid == 0) {
            // Written under the gear's umask of 077: what is root's now must stay readable for it.
            const std::string self = str("/proc/self/fd/", file.get());
            const mode_t readable = S_ISDIR(info.st_mode) ? 0550 : 0440;
            check(::chmod(self.c_str(), (info.st_mode & 0755) | readable), "setting the mode of '",
                  path, "'");
        }
        return true;
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return false;
        }
        throw;
    }
}

void GearFiles::copy_cartridge(const fs::path& source, const std::string& path,
                               const CartridgeLabels& labels, bool share_usr) const {
    std::string name;
    const UniqueFd parent = open_parent(path, name);
    {
        const sys::CreateLabel label(labels.rest);
        check(::mkdirat(parent.get(), name.c_str(), 0700), "creating '", path, "'");
    }
    const UniqueFd target(
        check(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              "opening '", path, "'"));
    struct PlatformPart {
        const char* name;
        const std::string& label;
        mode_t add;
    };
    const PlatformPart platform[] = {{"env", label_, 0},
                                     {"metadata", labels.scripts, 0},
                                     {"hooks", labels.scripts, 0111},
                                     {"bin", labels.scripts, 0111}};
    for (const fs::directory_entry& entry : fs::directory_iterator(source)) {
        const std::string part = entry.path().filename();
        const auto* const ours = std::find_if(std::begin(platform), std::end(platform),
                                              [&](const auto& row) { return part == row.name; });
        const bool is_ours = ours != std::end(platform);
        const sys::CreateLabel label(is_ours ? ours->label : labels.rest);
        if (part == "usr" && share_usr) {
            const std::string text = fs::absolute(entry.path());
            check(::symlinkat(text.c_str(), target.get(), "usr"), "linking 'usr'");
            continue;
        }
        while_doing(
            [&] {
                copy_entry(entry, target.get(), is_ours ? locked() : unlocked(),
                           is_ours ? ours->add : 0);
            },
            "copying '", entry.path().native(), "'");
    }
    check(::fchmod(target.get(), 0750), "setting the mode of '", path, "'");
    check(::fchown(target.get(), gid_, gid_), "setting the owner of '", path, "'");
}

}  // namespace gearbox
