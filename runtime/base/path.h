// Paths below a directory that somebody else controls (a gear's home): opened by openat2(2) with
// RESOLVE_BENEATH, so that no symbolic link or ".." can lead out of it.
#pragma once
#include "base/fd.h"

#include <string>
#include <string_view>

namespace gearbox {

/// A relative path without empty, "." or ".." components; validated once, at construction.
class RelativePath {
public:
    /// Throws Error(invalid).
    explicit RelativePath(std::string_view text);
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// Opens a directory for use as dirfd. Throws SysError.
UniqueFd open_directory(const std::string& path);

/// openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS; flags as in open(2), CLOEXEC is added.
UniqueFd open_beneath(int dirfd, const RelativePath& path, int flags, unsigned mode = 0);

/// The same, and no component may be a symbolic link: for files that root changes for a gear. With
/// O_PATH | O_NOFOLLOW the last one may be, and is itself what is opened.
UniqueFd open_without_links(int dirfd, const RelativePath& path, int flags, unsigned mode = 0);

}  // namespace gearbox
