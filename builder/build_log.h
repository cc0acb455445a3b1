// The file that keeps what the tools of a build said.
#pragma once
#include "base/fd.h"

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

class BuildLog {
public:
    /// Starts the file anew.
    explicit BuildLog(const std::filesystem::path& path);
    const std::filesystem::path& path() const { return path_; }

    void add(std::string_view line);
    /// Title of a stage; forgets the tail.
    void begin(std::string_view title);
    /// The last lines of the stage.
    std::vector<std::string> tail() const { return {tail_.begin(), tail_.end()}; }

private:
    std::filesystem::path path_;
    UniqueFd file_;
    std::deque<std::string> tail_;
};

}  // namespace gearbox::builder
