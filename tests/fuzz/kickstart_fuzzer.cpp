// Recipes. What follows a zero byte is the file 'more.ks', which the recipe can include. Each
// problem has its place.
#include "recipe.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto end = text.find('\0');
    const std::string recipe = text.substr(0, end);
    const std::string more = end == std::string::npos ? "" : text.substr(end + 1);
    const auto read = [&](const std::filesystem::path& path) -> std::optional<std::string> {
        return path == "r.ks"      ? std::optional(recipe)
               : path == "more.ks" ? std::optional(more)
                                   : std::nullopt;
    };
    gearbox::builder::Problems problems;
    static_cast<void>(gearbox::builder::load_recipe("r.ks", read, problems));
    for (const gearbox::builder::Problem& problem : problems.list()) {
        if (problem.at.file.empty() || problem.at.line < 1 || problem.at.column < 1 ||
            problem.what.empty()) {
            std::abort();
        }
    }
    static_cast<void>(problems.text());
    return 0;
}
