// Whole files and temporary directories. For paths that we control; paths inside a gear go through
// base/path.h.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gearbox {

/// Throws SysError; Error(invalid) when the file is larger than limit bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = 64 * 1024 * 1024);

/// Empty if there is no such file.
std::optional<std::string> find_file(const std::filesystem::path& path);

/// Replaces the file as a whole or not at all: a temporary file in the same directory, fsync, rename.
void write_file_atomically(const std::filesystem::path& path, std::string_view data,
                           mode_t mode = 0644);

/// All that was written to the file system that the directory is on survives a power cut from now on.
void flush_file_system(const std::filesystem::path& directory);

/// A directory of one's own, removed with everything in it when destroyed.
class TempDir {
public:
    explicit TempDir(const std::string& prefix = "gearbox");
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace gearbox
