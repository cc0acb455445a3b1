// What is pushed, before anything is stopped for it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

struct Room {
    std::int64_t files = 0;
    std::int64_t disk_mb = 0;
};

/// Reads the lines of `git ls-tree -r -t -l`, in which names with control characters are quoted.
class Listing {
public:
    explicit Listing(Room room) : room_(room) {}
    /// One line without its end. False: refused, see problem().
    bool add(std::string_view line);
    /// After the last line. False: refused.
    bool finish();

    const std::string& problem() const { return problem_; }
    /// Paths below .openshift/markers.
    const std::vector<std::string>& markers() const { return markers_; }
    std::int64_t megabytes() const { return bytes_ >> 20; }

private:
    Room room_;
    std::string problem_;
    std::vector<std::string> markers_;
    std::int64_t rows_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace gearbox
