#include "sparse.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

UniqueFd open_file(const fs::path& path, int flags) {
    const std::string name = path.string();
    return UniqueFd(check(::open(name.c_str(), flags | O_CLOEXEC, 0644), "opening '", name, "'"));
}

// One extent of data. copy_file_range shares it where the file system can.
void copy_extent(const UniqueFd& from, const UniqueFd& to, off_t start, off_t end, off_t shift) {
    off_t at = start + shift;
    while (start < end) {
        const ssize_t done = ::copy_file_range(from.get(), &start, to.get(), &at,
                                               static_cast<std::size_t>(end - start), 0);
        if (check(done, "copying an image") == 0) {
            return;  // the source became shorter
        }
    }
}

}  // namespace

void copy_sparse_at(const fs::path& from, const fs::path& to, std::uint64_t offset) {
    const UniqueFd in = open_file(from, O_RDONLY);
    const UniqueFd out = open_file(to, O_WRONLY | O_CREAT);
    off_t end = 0;
    for (;;) {
        const off_t start = ::lseek(in.get(), end, SEEK_DATA);
        if (start < 0 && errno == ENXIO) {
            return;  // only a hole follows
        }
        check(start, "reading '", from.string(), "'");
        end = check(::lseek(in.get(), start, SEEK_HOLE), "reading '", from.string(), "'");
        copy_extent(in, out, start, end, static_cast<off_t>(offset));
    }
}

void copy_sparse(const fs::path& from, const fs::path& to) {
    fs::remove(to);
    copy_sparse_at(from, to, 0);
    fs::resize_file(to, fs::file_size(from));
}

void write_at(const fs::path& image, std::uint64_t offset, std::string_view data) {
    std::fstream out(image, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(offset));
    out.write(data.data(), static_cast<std::streamsize>(data.size()));
    out.close();
    if (!out) {
        fail(ErrorKind::internal, "writing '", image.string(), "'");
    }
}

}  // namespace gearbox::builder
