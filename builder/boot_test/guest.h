// The system in a test's machine, as its operator and a browser see it.
#pragma once
#include "boot_test/machine.h"

#include "base/subprocess.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

struct Page {
    int status = 0;
    std::string body;
};

/// curl's output with the status on a last line of its own. Throws Error(internal) if there is
/// none. Pure.
Page parse_page(std::string_view output);

/// Lines of a journal that tell of something SELinux refused, or of messages about that which were
/// lost. Pure.
std::vector<std::string> find_denials(std::string_view journal);

class Guest {
public:
    /// `key`: the private half of the machine's operator_key.
    Guest(const Machine& machine, std::filesystem::path key)
        : spec_(machine.spec()), key_(std::move(key)) {}

    /// A shell command as the operator.
    ToolResult try_run(const std::string& command, const std::string& input = "",
                       std::chrono::seconds limit = std::chrono::seconds(300)) const;
    /// The same; its output. Throws Error(internal) with what it said if it ends with another
    /// status than 0.
    std::string run(const std::string& command, const std::string& input = "") const;
    /// A page of a host's name, from port 80. Throws Error if there is no answer.
    Page get(const std::string& host, const std::string& path) const;
    /// Those of this start that were not returned before.
    std::vector<std::string> new_denials();

private:
    MachineSpec spec_;
    std::filesystem::path key_;
    std::size_t seen_ = 0;
};

}  // namespace gearbox::builder
