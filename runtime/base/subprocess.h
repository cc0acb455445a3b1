// Runs a tool to its end: argv only, never a shell.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

struct ToolResult {
    int status = 0;  ///< exit code; 128 + signal number when killed
    std::string out;
    std::string err;
};

struct ToolOptions {
    std::string input{};                                       ///< for its standard input
    std::string directory{};                                   ///< working directory; empty: ours
    std::vector<std::string> environment{};                    ///< NAME=value added to ours
    std::chrono::seconds deadline{600};                       ///< killed after that
    std::function<void(std::string_view)> on_output{};        ///< every chunk of out and err as it comes
    /// In the child before the program: system calls only, its memory is ours (vfork(2)).
    std::function<void()> in_child{};
};

/// argv[0] is looked up in PATH. Throws Error(unavailable) if it is not there or overruns its
/// deadline; a non-zero exit is a value.
ToolResult run_tool(const std::vector<std::string>& argv, const ToolOptions& options = {});

/// The same, and a non-zero exit is an Error(internal) with the tool's last error output.
std::string run_tool_checked(const std::vector<std::string>& argv, const ToolOptions& options = {});

}  // namespace gearbox
