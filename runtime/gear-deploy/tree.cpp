#include "gear-deploy/tree.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace gearbox {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(directory.c_str()), &::closedir);
    if (!list) {
        fail_errno("reading '", directory, "'");
    }
    std::vector<std::string> out;
    errno = 0;
    while (const dirent* const entry = ::readdir(list.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") {
            out.push_back(name);
        }
    }
    check(errno == 0 ? 0 : -1, "reading '", directory, "'");
    std::sort(out.begin(), out.end());
    return out;
}

/// Walks a tree by paths, because of its depth: a descriptor for each level could be too many. "" for a target: it is
/// only summed up.
class Walk {
public:
    explicit Walk(Sha1& sum) : sum_(sum) {}

    void entry(const std::string& name, const std::string& from, const std::string& to) {
        struct stat info {};
        check(::lstat(from.c_str(), &info), "looking at '", from, "'");
        sum_.add(str(name, '\0', info.st_mode, '\0'));
        if (S_ISREG(info.st_mode)) {
            file(from, to, info);
        } else if (S_ISDIR(info.st_mode)) {
            directory(from, to, info);
        } else if (S_ISLNK(info.st_mode)) {
            link(from, to, info);
        } else if (!to.empty()) {
            check(::mknod(to.c_str(), info.st_mode, 0), "creating '", to, "'");
        }
    }

private:
    void directory(const std::string& from, const std::string& to, const struct stat& info) {
        if (!to.empty()) {
            check(::mkdir(to.c_str(), 0700), "creating '", to, "'");
        }
        for (const std::string& name : names_in(from)) {
            entry(name, str(from, "/", name), to.empty() ? "" : str(to, "/", name));
        }
        sum_.add(std::string_view("\0", 1));
        if (!to.empty()) {
            check(::chmod(to.c_str(), info.st_mode & 07777), "setting the mode of '", to, "'");
            set_times(to, info);
        }
    }

    void link(const std::string& from, const std::string& to, const struct stat& info) {
        std::string text(PATH_MAX, '\0');
        text.resize(static_cast<std::size_t>(check(::readlink(from.c_str(), text.data(), text.size()), "reading '", from, "'")));
        sum_.add(text);
        if (!to.empty()) {
            check(::symlink(text.c_str(), to.c_str()), "creating '", to, "'");
            set_times(to, info);
        }
    }

    void file(const std::string& from, const std::string& to, const struct stat& info) {
        const UniqueFd source(check(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC), "opening '", from, "'"));
        const bool is_known = info.st_nlink > 1 && !to.empty() && !links_.try_emplace({info.st_dev, info.st_ino}, to).second;
        UniqueFd target;
        if (is_known) {
            const std::string& first = links_.at({info.st_dev, info.st_ino});
            check(::link(first.c_str(), to.c_str()), "linking '", to, "'");
        } else if (!to.empty()) {
            target.reset(check(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "creating '", to, "'"));
        }
        const bool copies = target && ::ioctl(target.get(), FICLONE, source.get()) < 0;
        const bool has_holes = info.st_blocks * 512 < info.st_size;
        sum_.add(str(info.st_size, '\0'));
        while (const ssize_t got = check(::read(source.get(), buffer_.data(), buffer_.size()), "reading '", from, "'")) {
            const std::string_view data(buffer_.data(), static_cast<std::size_t>(got));
            sum_.add(data);
            if (copies && has_holes && data.find_first_not_of('\0') == std::string_view::npos) {
                check(::lseek(target.get(), got, SEEK_CUR), "skipping a hole in '", to, "'");
            } else if (copies) {
                while_doing([&] { write_all(target.get(), data); }, "writing '", to, "'");
            }
        }
        if (copies && has_holes) {
            check(::ftruncate(target.get(), ::lseek(target.get(), 0, SEEK_CUR)), "setting the size of '", to, "'");
        }
        if (target) {
            check(::fchmod(target.get(), info.st_mode & 07777), "setting the mode of '", to, "'");
            set_times(to, info);
        }
    }

    static void set_times(const std::string& path, const struct stat& info) {
        const timespec times[] = {info.st_atim, info.st_mtim};
        check(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), "setting the time of '", path, "'");
    }

    Sha1& sum_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_;  ///< files with several names → the copy
    std::vector<char> buffer_ = std::vector<char>(128 * 1024);
};

}  // namespace

bool empty_directory(const std::string& path) {
    for (const std::string& name : names_in(path)) {
        std::error_code error;
        fs::remove_all(str(path, "/", name), error);
        if (error) {
            return false;
        }
    }
    return true;
}

void copy_tree(const std::string& name, const std::string& from, const std::string& to, Sha1& sum) {
    Walk(sum).entry(name, from, to);
}

}  // namespace gearbox
