#include "node/managed_files.h"

#include "base/error.h"
#include "base/path.h"
#include "base/str.h"

#include <fnmatch.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
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

// Of a path relative to the home.
bool is_forbidden(const std::string& path, const std::string& cartridge) {
    if (!path.starts_with(cartridge + "/")) {
        return is_forbidden_in_home(path);
    }
    const std::string inside = path.substr(cartridge.size() + 1);
    return std::any_of(never_unlocked.begin(), never_unlocked.end(),
                       [&](const char* never) { return ::fnmatch(never, inside.c_str(), FNM_PATHNAME) == 0; });
}

std::optional<std::string> clean(std::string pattern, const std::string& cartridge) {
    if (pattern.starts_with("~/")) {
        pattern.erase(0, 2);
    } else {
        pattern.insert(0, cartridge + "/");
    }
    return is_relative(pattern) && !is_forbidden(pattern, cartridge) ? std::optional(pattern) : std::nullopt;
}

// What is listed under a key, which may be a symbol of Ruby; nothing if that is no list.
YAML::Node list_of(const YAML::Node& root, const std::string& key) {
    const YAML::Node plain = root[key];
    const YAML::Node list = plain ? plain : root[":" + key];
    return list && list.IsSequence() ? list : YAML::Node(YAML::NodeType::Sequence);
}

std::vector<std::string> patterns(const YAML::Node& root, const char* key,
                                  const std::string& cartridge) {
    std::vector<std::string> out;
    for (const YAML::Node& item : list_of(root, key)) {
        if (!item.IsScalar()) {
            continue;
        }
        if (const auto pattern = clean(item.Scalar(), cartridge)) {
            out.push_back(*pattern);
        }
    }
    return out;
}

// One replacement a line; the gear's tar looks closer, and what it makes stays in the gear.
bool is_transform(const std::string& text) {
    constexpr int marks = 3;
    return text.size() > 1 && text.front() == 's' && std::ispunct(static_cast<unsigned char>(text[1])) != 0 && text[1] != '\\' &&
           std::count(text.begin() + 1, text.end(), text[1]) >= marks && text.find('\n') == std::string::npos;
}

// "name", or {link: target}.
void add_dependencies(const YAML::Node& root, const std::string& key, const std::string& cartridge, const char* place,
                      std::vector<DependencyDirectory>& out) {
    const auto add = [&](const std::string& link, const std::string& target) {
        const auto path = clean(link, cartridge);
        if (path && is_relative(target) && !has_wildcard(link + target)) {
            out.push_back({*path, str("app-root/runtime/", place, "/", cartridge, "/", target)});
        }
    };
    for (const YAML::Node& item : list_of(root, key)) {
        if (item.IsScalar()) {
            const std::string name = item.Scalar();
            add(name, name.starts_with("~/") ? name.substr(2) : name);
        }
        for (const auto& pair : item.IsMap() ? item : YAML::Node(YAML::NodeType::Map)) {
            if (pair.first.IsScalar() && pair.second.IsScalar()) {
                add(pair.first.Scalar(), pair.second.Scalar());
            }
        }
    }
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
            for (const YAML::Node& item : list_of(root, "restore_transforms")) {
                if (item.IsScalar() && is_transform(item.Scalar())) {
                    out.restore_transforms.push_back(item.Scalar());
                }
            }
            add_dependencies(root, "dependency_dirs", cartridge, "dependencies", out.dependencies);
            add_dependencies(root, "build_dependency_dirs", cartridge, "build-dependencies", out.dependencies);
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

std::vector<std::string> expand(const std::string& pattern, const std::string& cartridge,
                                const std::function<std::vector<std::string>(const std::string&)>& list) {
    std::vector<std::string> found = {""};
    for (std::size_t at = 0; at <= pattern.size() && !found.empty();) {
        const std::size_t end = std::min(pattern.find('/', at), pattern.size());
        const std::string part = pattern.substr(at, end - at);
        const std::string slash = end < pattern.size() ? "/" : "";
        std::vector<std::string> next;
        for (const std::string& before : found) {
            if (!has_wildcard(part)) {
                next.push_back(str(before, part, slash));
                continue;
            }
            for (const std::string& name : list(before.empty() ? "." : before.substr(0, before.size() - 1))) {
                if (matches(part, name)) {
                    next.push_back(str(before, name, slash));
                }
            }
        }
        found = std::move(next);
        at = end + 1;
    }
    std::erase_if(found, [&](const std::string& path) { return is_forbidden(path, cartridge); });
    return found;
}

}  // namespace gearbox
