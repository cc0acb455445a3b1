#include "build_log.h"

#include "base/error.h"

#include <fcntl.h>

namespace gearbox::builder {

namespace {

constexpr std::size_t tail_lines = 15;

}  // namespace

BuildLog::BuildLog(const std::filesystem::path& path) : path_(path) {
    const std::string name = path.string();
    file_.reset(check(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
                      "opening the log '", name, "'"));
}

void BuildLog::add(std::string_view line) {
    write_all(file_.get(), str(line, "\n"));
    tail_.emplace_back(line);
    if (tail_.size() > tail_lines) {
        tail_.pop_front();
    }
}

void BuildLog::begin(std::string_view title) {
    add(str("=== ", title));
    tail_.clear();
}

}  // namespace gearbox::builder
