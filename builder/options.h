// Command lines against a table of options: the table checks, and documents.
#pragma once
#include "kickstart.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

enum class Takes { nothing, text, number, list };

struct OptionSpec {
    const char* name;  ///< with its dashes
    Takes takes;
    const char* doc;
    bool required = false;
};

struct CommandSpec {
    const char* name;
    const char* operand;  ///< what stands after the options, for messages; "" if nothing does
    bool operand_required;
    bool repeatable;
    const char* doc;
    std::vector<OptionSpec> options;
};

/// A line that fits its table row: every option known, values where they belong.
struct Arguments {
    Location at;
    std::vector<Word> operands;
    std::map<std::string, Word> options;

    bool has(const std::string& name) const { return options.contains(name); }
    std::string text(const std::string& name, std::string otherwise = "") const;
    std::vector<std::string> list(const std::string& name) const;
    /// Checked to be one by match_arguments.
    int number(const std::string& name, int otherwise) const;
};

/// Problems go to problems; whatever was understood is returned.
Arguments match_arguments(const CommandSpec& spec, const Location& at,
                          const std::vector<Word>& words, Problems& problems);

/// The whole text as a number that fits an int, or nothing.
std::optional<int> find_number(const std::string& text);

/// Comma-separated parts without blanks; empty parts are dropped.
std::vector<std::string> split_list(const std::string& text);

}  // namespace gearbox::builder
