// A large file that appears when it is complete.
#pragma once
#include "base/fd.h"

#include <filesystem>

namespace gearbox::builder {

/// Until it is kept the file has no name, so nothing is left of it however we end. On a file system
/// that has no such files it is called NAME.new and removed with this object; one of a process that
/// was killed is removed by the next for the same name.
class NewFile {
public:
    /// unnamed: false treats the file system as one that has no such files.
    explicit NewFile(std::filesystem::path name, bool unnamed = true);
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();

    /// Where it can be written and read.
    const std::filesystem::path& path() const { return path_; }
    /// Gives it its name; a file that has the name is replaced.
    void keep();

private:
    std::filesystem::path name_;
    std::filesystem::path temporary_;
    std::filesystem::path path_;
    UniqueFd fd_;
};

}  // namespace gearbox::builder
