#include "new_file.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gearbox::builder {

namespace fs = std::filesystem;

NewFile::NewFile(fs::path name, bool unnamed)
    : name_(std::move(name)), temporary_(name_.string() + ".new"), path_(temporary_) {
    fs::remove(temporary_);
    if (!unnamed) {
        return;
    }
    const std::string folder = fs::absolute(name_).parent_path().string();
    fd_.reset(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644));
    if (fd_) {
        path_ = str("/proc/self/fd/", fd_.get());
    } else if (errno != EOPNOTSUPP && errno != EISDIR) {
        fail_errno("creating a file in '", folder, "'");
    }
}

NewFile::~NewFile() {
    ::unlink(temporary_.c_str());
}

void NewFile::keep() {
    if (fd_) {
        const auto link = [this](const fs::path& to) {
            return ::linkat(AT_FDCWD, path_.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW);
        };
        if (link(name_) == 0) {
            return;
        }
        // A link never replaces, so it takes a moment under the other name.
        check(link(temporary_), "naming '", temporary_.string(), "'");
    }
    fs::rename(temporary_, name_);
}

}  // namespace gearbox::builder
