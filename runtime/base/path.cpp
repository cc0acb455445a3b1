#include "base/path.h"

#include "base/error.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gearbox {

RelativePath::RelativePath(std::string_view text) : text_(text) {
    std::string_view rest = text;
    if (rest.empty() || rest.find('\0') != std::string_view::npos) {
        fail(ErrorKind::invalid, "'", text, "' is not a relative path");
    }
    while (true) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        if (part.empty() || part == "." || part == "..") {
            fail(ErrorKind::invalid, "'", text, "' is not a relative path without '.' and '..'");
        }
        if (slash == std::string_view::npos) {
            return;
        }
        rest.remove_prefix(slash + 1);
    }
}

UniqueFd open_directory(const std::string& path) {
    return UniqueFd(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                          "opening the directory '", path, "'"));
}

namespace {

UniqueFd open_resolved(int dirfd, const RelativePath& path, int flags, unsigned mode, unsigned resolve) {
    open_how how{};
    how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
    how.mode = mode;
    how.resolve = resolve;
    const long fd = ::syscall(SYS_openat2, dirfd, path.text().c_str(), &how, sizeof how);
    return UniqueFd(static_cast<int>(check(fd, "opening '", path.text(), "'")));
}

}  // namespace

UniqueFd open_beneath(int dirfd, const RelativePath& path, int flags, unsigned mode) {
    return open_resolved(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

UniqueFd open_without_links(int dirfd, const RelativePath& path, int flags, unsigned mode) {
    return open_resolved(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

}  // namespace gearbox
