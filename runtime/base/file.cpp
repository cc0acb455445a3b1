#include "base/file.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/fd.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gearbox {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path, std::size_t limit) {
    const std::string& name = path.native();
    const UniqueFd fd(check(::open(name.c_str(), O_RDONLY | O_CLOEXEC), "opening '", name, "'"));
    return while_doing([&] { return read_all(fd.get(), limit); }, "reading '", name, "'");
}

std::optional<std::string> find_file(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        fail_errno("opening '", path.native(), "'");
    }
    return while_doing([&] { return read_all(fd.get()); }, "reading '", path.native(), "'");
}

void write_file_atomically(const fs::path& path, std::string_view data, mode_t mode) {
    const std::string& name = path.native();
    std::string temporary = name + ".XXXXXX";
    UniqueFd fd(check(::mkostemp(temporary.data(), O_CLOEXEC), "creating '", temporary, "'"));
    Defer discard([&] { ::unlink(temporary.c_str()); });
    while_doing([&] { write_all(fd.get(), data); }, "writing '", temporary, "'");
    check(::fchmod(fd.get(), mode), "setting the mode of '", temporary, "'");
    check(::fsync(fd.get()), "flushing '", temporary, "'");
    check(::rename(temporary.c_str(), name.c_str()), "renaming '", temporary, "' to '", name, "'");
    discard.cancel();
    // The rename itself must survive a power cut, too.
    const std::string parent = path.has_parent_path() ? path.parent_path().native() : ".";
    const UniqueFd dir(check(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                             "opening '", parent, "'"));
    check(::fsync(dir.get()), "flushing '", parent, "'");
}

void flush_file_system(const fs::path& directory) {
    const std::string& name = directory.native();
    const UniqueFd fd(check(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening '", name, "'"));
    check(::syncfs(fd.get()), "flushing the file system of '", name, "'");
}

TempDir::TempDir(const std::string& prefix) {
    std::string name = (fs::temp_directory_path() / (prefix + "-XXXXXX")).native();
    if (::mkdtemp(name.data()) == nullptr) {
        fail_errno("creating a temporary directory '", name, "'");
    }
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

}  // namespace gearbox
