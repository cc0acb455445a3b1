#include "tar_archive.h"

#include "base/error.h"

#include <archive.h>
#include <archive_entry.h>

#include <fstream>
#include <vector>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t ustar_limit = std::uint64_t{8} << 30;

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

void check_archive(archive* writer, la_ssize_t rc) {
    if (rc < ARCHIVE_WARN) {
        fail(ErrorKind::internal, "writing an archive: ", archive_error_string(writer));
    }
}

}  // namespace

void TarArchive::Free::operator()(archive* writer) const {
    archive_write_free(writer);
}

TarArchive::TarArchive(const fs::path& path, std::int64_t epoch)
    : writer_(archive_write_new()), epoch_(epoch) {
    check_archive(writer_.get(), archive_write_set_format_ustar(writer_.get()));
    check_archive(writer_.get(), archive_write_open_filename(writer_.get(), path.c_str()));
}

void TarArchive::begin(const std::string& name, std::uint64_t size) {
    if (size >= ustar_limit) {
        fail(ErrorKind::invalid, "'", name, "' has ", size, " bytes, the archive takes less than ",
             ustar_limit);
    }
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), epoch_, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    check_archive(writer_.get(), archive_write_header(writer_.get(), entry.get()));
}

void TarArchive::add(std::string_view data) {
    check_archive(writer_.get(), archive_write_data(writer_.get(), data.data(), data.size()));
}

void TarArchive::text(const std::string& name, const std::string& data) {
    begin(name, data.size());
    add(data);
}

void TarArchive::file(const std::string& name, const fs::path& from) {
    begin(name, fs::file_size(from));
    std::ifstream in(from, std::ios::binary);
    std::vector<char> buffer(std::size_t{1} << 20);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
        add({buffer.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (!in.eof()) {
        fail(ErrorKind::internal, "reading '", from.string(), "'");
    }
}

void TarArchive::close() {
    check_archive(writer_.get(), archive_write_close(writer_.get()));
}

}  // namespace gearbox::builder
