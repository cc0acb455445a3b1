#include "node/gear_files.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/subprocess.h"
#include "sys/selinux.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

std::vector<std::string> names_in(UniqueFd fd, std::size_t most = 1'000'000) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), &::closedir);
    if (!directory) {
        fail_errno("reading a directory");
    }
    fd.release();
    std::vector<std::string> out;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && out.size() < most) {
            out.push_back(name);
        }
    }
    return out;
}

// Copies a tree that a gear may be changing meanwhile: every step by descriptor, no link is followed, and there is an
// end to it. What is made is root's until it is complete: the gear cannot interfere below it.
class TreeCopy {
public:
    TreeCopy(const CopyLimits& limits, bool is_overlay) : left_(limits), limits_(limits), is_overlay_(is_overlay) {}

    void entries(const UniqueFd& source, int target, Owner owner, mode_t add, int depth = 1) {
        if (depth > limits_.depth) {
            fail(ErrorKind::invalid, "its directories are nested deeper than ", limits_.depth);
        }
        UniqueFd list(check(::openat(source.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "reading a directory"));
        for (const std::string& name : names_in(std::move(list))) {
            entry(source, name, target, owner, add, depth);
        }
    }

    void entry(const UniqueFd& source, const std::string& name, int target, Owner owner, mode_t add, int depth = 0) {
        if (--left_.files < 0) {
            fail_too_much();
        }
        struct stat info {};
        check(::fstatat(source.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW), "looking at '", name, "'");
        if (is_overlay_ && !S_ISDIR(info.st_mode) && ::unlinkat(target, name.c_str(), 0) < 0 && errno != ENOENT) {
            fail_errno("replacing '", name, "'");
        }
        if (S_ISLNK(info.st_mode)) {
            return link(source, name, target, owner);
        }
        if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
            return;
        }
        // O_NONBLOCK: a fifo in its place must not hold us up.
        const UniqueFd from(check(::openat(source.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
                                  "opening '", name, "'"));
        check(::fstat(from.get(), &info), "looking at '", name, "'");
        // What is root's must be readable for the gear, also if it was fetched under the gear's umask of 077.
        const mode_t readable = owner.uid != 0 ? 0 : S_ISDIR(info.st_mode) ? 0555 : 0444;
        const mode_t permissions = (info.st_mode & 0755) | readable;
        if (S_ISREG(info.st_mode)) {
            file(from, name, target, permissions | add, owner);
        } else if (S_ISDIR(info.st_mode)) {
            directory(from, name, target, permissions, owner, add, depth);
        }
    }

private:
    static void link(const UniqueFd& source, const std::string& name, int target, Owner owner) {
        std::string text(PATH_MAX, '\0');
        const auto size = check(::readlinkat(source.get(), name.c_str(), text.data(), text.size()), "reading '", name, "'");
        text.resize(static_cast<std::size_t>(size));
        check(::symlinkat(text.c_str(), target, name.c_str()), "linking '", name, "'");
        check(::fchownat(target, name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW),
              "setting the owner of '", name, "'");
    }

    void file(const UniqueFd& from, const std::string& name, int target, mode_t mode, Owner owner) {
        const UniqueFd to(check(::openat(target, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                         private_mode),
                                "creating '", name, "'"));
        std::array<char, 65536> buffer;
        for (;;) {
            const ssize_t got = check(::read(from.get(), buffer.data(), buffer.size()), "reading '", name, "'");
            if (got == 0) {
                break;
            }
            left_.bytes -= got;
            if (left_.bytes < 0) {
                fail_too_much();
            }
            write_all(to.get(), std::string_view(buffer.data(), static_cast<std::size_t>(got)));
        }
        check(::fchmod(to.get(), mode), "setting the mode of '", name, "'");
        check(::fchown(to.get(), owner.uid, owner.gid), "setting the owner of '", name, "'");
    }

    void directory(const UniqueFd& from, const std::string& name, int target, mode_t mode, Owner owner, mode_t add,
                   int depth) {
        if (::mkdirat(target, name.c_str(), 0700) < 0 && !(is_overlay_ && errno == EEXIST)) {
            fail_errno("creating '", name, "'");
        }
        const UniqueFd inner(
            check(::openat(target, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "opening '", name, "'"));
        entries(from, inner.get(), owner, add, depth + 1);
        check(::fchmod(inner.get(), mode), "setting the mode of '", name, "'");
        check(::fchown(inner.get(), owner.uid, owner.gid), "setting the owner of '", name, "'");
    }

    [[noreturn]] void fail_too_much() const {
        fail(ErrorKind::invalid, "it has more than ", limits_.files, " files or ", limits_.bytes >> 20, " MiB");
    }

    CopyLimits left_;
    const CopyLimits limits_;
    const bool is_overlay_;  ///< into a tree that is there
};

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

std::optional<FilePart> GearFiles::find_part(const std::string& path, std::int64_t begin, std::size_t limit) const {
    try {
        const UniqueFd file = open_without_links(home_.get(), RelativePath(path),
                                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat info {};
        check(::fstat(file.get(), &info), "looking at '", path, "'");
        if (!S_ISREG(info.st_mode)) {
            return std::nullopt;
        }
        const std::int64_t size = info.st_size;
        FilePart part{info.st_ino, begin < 0 ? std::max<std::int64_t>(0, size + begin) : begin > size ? 0 : begin, {}};
        part.data.resize(std::min(limit, static_cast<std::size_t>(size - part.begin)));
        const ssize_t read = ::pread(file.get(), part.data.data(), part.data.size(), part.begin);
        part.data.resize(static_cast<std::size_t>(check(read, "reading '", path, "'")));
        return part;
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
        fd = path == "." ? UniqueFd(check(::openat(home_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening the home"))
                         : open_without_links(home_.get(), RelativePath(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return {};
        }
        throw;
    }
    std::vector<std::string> out = while_doing([&] { return names_in(std::move(fd), 10000); }, "reading '", path, "'");
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

void GearFiles::remove_old(const std::string& path, std::chrono::seconds age) const {
    try {
        std::string name;
        const UniqueFd parent = open_parent(path, name);
        struct stat info {};
        check(::fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW), "looking at '", path, "'");
        if (S_ISREG(info.st_mode) && ::time(nullptr) - info.st_mtime >= age.count()) {
            check(::unlinkat(parent.get(), name.c_str(), 0), "removing '", path, "'");
        }
    } catch (const SysError& error) {
        if (!is_absent(error.code())) {
            throw;
        }
    }
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

void GearFiles::open_home(bool is_open) const {
    check(::fchmod(home_.get(), is_open ? 01770 : 0750), "setting the mode of the home");
}

bool GearFiles::is_unlocked(const std::string& path) const {
    try {
        const UniqueFd file = open_without_links(home_.get(), RelativePath(path), O_PATH | O_NOFOLLOW);
        struct stat info {};
        check(::fstat(file.get(), &info), "looking at '", path, "'");
        return info.st_uid != 0;
    } catch (const SysError& error) {
        if (is_absent(error.code())) {
            return false;
        }
        throw;
    }
}

UniqueFd GearFiles::open_tree(const std::string& path) const {
    return open_without_links(home_.get(), RelativePath(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

void GearFiles::copy_cartridge(const UniqueFd& source, const std::string& path, const CartridgeLabels& labels,
                               const std::string& shared_usr, const CopyLimits& limits) const {
    std::string name;
    const UniqueFd parent = open_parent(path, name);
    {
        const sys::CreateLabel label(labels.rest);
        check(::mkdirat(parent.get(), name.c_str(), 0700), "creating '", path, "'");
    }
    const UniqueFd target(
        check(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              "opening '", path, "'"));
    copy_parts(source, target, labels, shared_usr, limits, false);
    check(::fchmod(target.get(), 0750), "setting the mode of '", path, "'");
    check(::fchown(target.get(), gid_, gid_), "setting the owner of '", path, "'");
}

void GearFiles::overlay_cartridge(const UniqueFd& source, const std::string& path, const CartridgeLabels& labels,
                                  const std::string& shared_usr) const {
    for (const char* part : {"bin", "hooks", "metadata", "usr"}) {
        remove(str(path, "/", part));
    }
    copy_parts(source, open_tree(path), labels, shared_usr, {}, true);
}

void GearFiles::copy_parts(const UniqueFd& source, const UniqueFd& target, const CartridgeLabels& labels,
                           const std::string& shared_usr, const CopyLimits& limits, bool is_overlay) const {
    struct PlatformPart {
        const char* name;
        const std::string& label;
        mode_t add;
    };
    const PlatformPart platform[] = {{"env", label_, 0},
                                     {"metadata", labels.scripts, 0},
                                     {"hooks", labels.scripts, 0111},
                                     {"bin", labels.scripts, 0111}};
    TreeCopy copy(limits, is_overlay);
    UniqueFd list(check(::openat(source.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "reading a cartridge"));
    for (const std::string& part : names_in(std::move(list))) {
        const auto* const ours = std::find_if(std::begin(platform), std::end(platform),
                                              [&](const auto& row) { return part == row.name; });
        const bool is_ours = ours != std::end(platform);
        const sys::CreateLabel label(is_ours ? ours->label : labels.rest);
        if (part == "usr" && !shared_usr.empty()) {
            check(::symlinkat(shared_usr.c_str(), target.get(), "usr"), "linking 'usr'");
            continue;
        }
        while_doing(
            [&] {
                copy.entry(source, part, target.get(), is_ours ? locked() : unlocked(), is_ours ? ours->add : 0);
            },
            "copying '", part, "' of a cartridge");
    }
}

}  // namespace gearbox
