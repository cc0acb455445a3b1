// The shape of a kickstart file: commands, sections, %include. What the words mean is recipe.h.
#pragma once
#include "diagnostics.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

/// One word of a command line, quotes removed.
struct Word {
    std::string text;
    Location at;
};

/// A line of a section's body as it stands.
struct SourceLine {
    std::string text;
    Location at;
};

struct CommandLine {
    std::vector<Word> words;  ///< words[0] is the command
};

struct Section {
    std::string name;  ///< with its '%'
    Location at;
    std::vector<Word> arguments;
    std::vector<SourceLine> body;
};

struct Kickstart {
    std::vector<CommandLine> commands;
    std::vector<Section> sections;
    std::vector<std::filesystem::path> files;  ///< the recipe and everything it includes, in order
};

/// The text of a file, or nothing if it cannot be read.
using SourceReader = std::function<std::optional<std::string>(const std::filesystem::path&)>;

/// Reads path and everything it %includes (relative to the including file). Problems are added to
/// problems; what could be understood is returned all the same.
Kickstart load_kickstart(const std::filesystem::path& path, const SourceReader& read,
                         Problems& problems);

/// Splits like a shell: blanks separate, '…' and "…" group, \ escapes, # starts a comment.
std::vector<Word> split_words(const SourceLine& line, Problems& problems);

/// The sections a recipe can have.
const std::vector<std::string>& section_names();

}  // namespace gearbox::builder
