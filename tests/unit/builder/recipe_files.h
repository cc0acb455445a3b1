// Recipes that live in memory, for tests.
#pragma once
#include "kickstart.h"
#include "recipe.h"

#include <map>
#include <stdexcept>
#include <string>

namespace gearbox::builder {

using Files = std::map<std::string, std::string>;

inline SourceReader reader_of(const Files& files) {
    return [files](const std::filesystem::path& path) -> std::optional<std::string> {
        const auto found = files.find(path.string());
        return found == files.end() ? std::nullopt : std::optional(found->second);
    };
}

/// The least that is a whole recipe.
inline std::string minimal_recipe() {
    return "repo --name=debian\n"
           "rootpw --lock\n"
           "%packages\nbusybox\nselinux-policy-default\npolicycoreutils\n%end\n"
           "%addon gearbox\noverlay = o\ninitramfs = i\nboot_menu = b\npolicy_keep = k\n"
           "policy_modules = m\n%end\n";
}

/// What is wrong with a file 'r.ks' of this text put before the minimal recipe.
inline std::string problems_of(const std::string& text, Files files = {}) {
    files["r.ks"] = text + minimal_recipe();
    Problems problems;
    load_recipe("r.ks", reader_of(files), problems);
    return problems.text();
}

inline Recipe recipe_of(const std::string& text) {
    Problems problems;
    Recipe recipe = load_recipe("r.ks", reader_of({{"r.ks", text + minimal_recipe()}}), problems);
    if (!problems.empty()) {
        throw std::runtime_error(problems.text());
    }
    return recipe;
}

}  // namespace gearbox::builder
