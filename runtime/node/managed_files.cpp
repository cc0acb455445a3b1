#include "node/managed_files.h"

#include "base/error.h"
#include "base/path.h"
#include "base/str.h"

#include <fnmatch.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <optional>

namespace gearbox {

namespace {

constexpr std::array never_unlocked = {"metadata/manifest.yml", "metadata/managed_files.yml",
                                       "env/OPENSHIFT_*_IDENT", "env/OPENSHIFT_*_DIR"};
constexpr std::array forbidden_in_home = {".ssh", ".sandbox", ".tmp", ".env", ".auth"};

bool is_forbidden_in_home(const std::string& path) {
    const std::string first = path.substr(0, path.find('/'));
    const bool listed = std::any_of(forbidden_in_home.begin(), forbidden_in_home.end(),
                                    [&](const char* name) { return first == name; });
    // In the home itself only dotfiles, and what lies in app-root.
    return listed || (!first.starts_with('.') && first != "app-root");
}

bool is_relative(std::string path) {
    while (path.ends_with('/')) {
        path.pop_back();
    }
    try {
        const RelativePath checked(path);
        return true;
    } catch (const Error&) {
        return false;
    }
}

std::optional<std::string> clean(std::string pattern, const std::string& cartridge) {
    if (pattern.starts_with("~/")) {
        pattern.erase(0, 2);
        const bool own = pattern.starts_with(cartridge + "/");
        return is_relative(pattern) && (own || !is_forbidden_in_home(pattern))
                   ? std::optional(pattern)
                   : std::nullopt;
    }
    for (const char* never : never_unlocked) {
        if (::fnmatch(never, pattern.c_str(), FNM_PATHNAME) == 0) {
            return std::nullopt;
        }
    }
    return is_relative(pattern) ? std::optional(str(cartridge, "/", pattern)) : std::nullopt;
}

std::vector<std::string> patterns(const YAML::Node& root, const char* key,
                                  const std::string& cartridge) {
    std::vector<std::string> out;
    const YAML::Node plain = root[key];
    const YAML::Node list = plain ? plain : root[str(":", key)];  // Ruby symbols
    if (!list || !list.IsSequence()) {
        return out;
    }
    for (const YAML::Node& item : list) {
        if (!item.IsScalar()) {
            continue;
        }
        if (const auto pattern = clean(item.Scalar(), cartridge)) {
            out.push_back(*pattern);
        }
    }
    return out;
}

}  // namespace

ManagedFiles parse_managed_files(std::string_view yaml, const std::string& cartridge) {
    ManagedFiles out;
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        if (root.IsMap()) {
            out.locked = patterns(root, "locked_files", cartridge);
            out.templates = patterns(root, "processed_templates", cartridge);
            out.setup_rewritten = patterns(root, "setup_rewritten", cartridge);
            out.snapshot_exclusions = patterns(root, "snapshot_exclusions", cartridge);
        }
    } catch (const YAML::Exception&) {
        return {};
    }
    return out;
}

bool matches(const std::string& pattern, const std::string& path) {
    std::string simple = pattern;
    for (auto at = simple.find("**"); at != std::string::npos; at = simple.find("**")) {
        simple.erase(at, 1);
    }
    return ::fnmatch(simple.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

bool has_wildcard(const std::string& pattern) {
    return pattern.find_first_of("*?[") != std::string::npos;
}

}  // namespace gearbox
