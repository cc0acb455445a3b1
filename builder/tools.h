// Running programs for a stage, on the host or inside the tree.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

struct ToolCall {
    std::vector<std::string> argv;
    std::filesystem::path root;            ///< empty: the host; else argv runs chrooted, with /proc
    bool network = false;                  ///< inside the tree there is none unless asked for
    std::string input;                     ///< for its standard input
    std::vector<std::string> environment;  ///< NAME=value
    bool unsynced = false;  ///< fsync(2) and its like do nothing: what is half-made is made anew
    /// Every line of its output; false keeps the line out of the log.
    std::function<bool(std::string_view)> on_line;
};

/// Effects behind an interface, so that a test can record what a stage would run.
class Tools {
public:
    virtual ~Tools() = default;
    /// Throws Error if the program cannot be started or ends with another status than 0.
    virtual void run(const ToolCall& call) = 0;
};

class BuildLog;

/// Runs programs for real: a clean environment, a pid namespace (so that nothing they start
/// outlives them, or us), output into the log.
class HostTools final : public Tools {
public:
    HostTools(BuildLog& log, std::int64_t source_date_epoch);
    void run(const ToolCall& call) override;
    /// A shell for whoever runs the build, in the tree as tools are; returns when it has ended.
    void shell(const std::filesystem::path& root) const;

private:
    BuildLog& log_;
    std::vector<std::string> environment_;
};

/// The command line with everything around it that HostTools adds.
std::vector<std::string> make_command(const ToolCall& call,
                                      const std::vector<std::string>& environment);

}  // namespace gearbox::builder
