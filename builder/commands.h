// The commands of gearbox-build.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Where results of stages are kept unless the user says: $GEARBOX_CACHE/image, else gearbox/image below
/// $XDG_CACHE_HOME, else below ~/.cache (XDG base directory specification).
std::filesystem::path default_cache();

/// Everything the command line can say; each command uses its part.
struct CommandLineOptions {
    std::filesystem::path recipe;
    std::filesystem::path output;
    std::filesystem::path cache = default_cache();
    std::filesystem::path deb;
    std::filesystem::path report;
    std::filesystem::path log;
    std::string mirror;
    std::string format = "iso";
    std::string until;
    std::string fresh;
    std::string progress = "text";
    int keep = 2;
    bool json = false;
};

enum class Wants { nothing, recipe };

struct BuilderCommand {
    const char* name;
    Wants wants;
    const char* summary;
    int (*run)(const CommandLineOptions&);
};

const std::vector<BuilderCommand>& builder_commands();

}  // namespace gearbox::builder
