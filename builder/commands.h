// The commands of gearbox-build.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Where results of stages are kept unless the user says: $GEARBOX_CACHE/image, else gearbox/image
/// below $XDG_CACHE_HOME, else below ~/.cache (XDG base directory specification).
std::filesystem::path default_cache();

/// Everything the command line can say; each command uses its part.
struct CommandLineOptions {
    std::filesystem::path recipe;
    std::filesystem::path output;
    std::filesystem::path cache = default_cache();
    std::filesystem::path deb;
    std::filesystem::path report;
    std::filesystem::path log;
    std::filesystem::path lock;
    std::filesystem::path from;
    std::string mirror;
    std::string format;  ///< empty: the recipe's
    std::vector<std::string> settings;
    std::string until;
    std::string fresh;
    std::string progress = "text";
    int keep = 2;
    std::filesystem::path image;
    std::filesystem::path other;       ///< of two images
    std::filesystem::path sign;        ///< secret key
    std::filesystem::path public_key;  ///< that a signature must be by
    bool signature = false;
    bool offline = false;
    bool keep_failed = false;
    bool packages = false;
    bool json = false;
    std::string firmware;  ///< empty: all that the image has
    int timeout = 900;     ///< seconds for a boot
};

enum class Wants { nothing, recipe, image, images, machine };

struct BuilderCommand {
    const char* name;
    Wants wants;
    const char* summary;
    int (*run)(const CommandLineOptions&);
};

const std::vector<BuilderCommand>& builder_commands();

}  // namespace gearbox::builder
