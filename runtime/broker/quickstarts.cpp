#include "broker/quickstarts.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <toml++/toml.h>

#include <algorithm>

namespace gearbox {

namespace {

std::vector<std::string> texts(const toml::table& table, const char* key) {
    std::vector<std::string> out;
    if (const auto* array = table[key].as_array()) {
        for (const auto& node : *array) {
            out.push_back(node.value_or(std::string()));
        }
    }
    return out;
}

std::filesystem::path picture_of(const toml::table& table, const std::filesystem::path& file) {
    const auto* const value = table["picture"].node();
    if (value == nullptr) {
        return {};
    }
    const std::string name = value->value_or(std::string());
    const std::string stem = name.ends_with(".svg") ? name.substr(0, name.size() - 4) : "";
    if (!is_plain_name(stem)) {
        const auto& begin = value->source().begin;
        fail(ErrorKind::invalid, file.native(), ":", begin.line, ":", begin.column,
             ": 'picture' must be the name of an .svg file in the same directory");
    }
    return file.parent_path() / name;
}

}  // namespace

bool is_plain_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

Quickstart parse_quickstart(const std::string& text, const std::filesystem::path& file) {
    try {
        const toml::table table = toml::parse(text, file.native());
        const std::string directory = file.parent_path().filename().native();
        Quickstart quickstart;
        quickstart.id = table["id"].value_or(directory);
        quickstart.name = table["name"].value_or(directory);
        quickstart.summary = table["summary"].value_or(std::string());
        quickstart.website = table["website"].value_or(std::string());
        quickstart.cartridges = texts(table, "cartridges");
        quickstart.packages = texts(table, "packages");
        quickstart.tags = texts(table, "tags");
        quickstart.picture = picture_of(table, file);
        quickstart.initial_git_url =
            str("file://", file.parent_path().native(), "/", directory, ".git");
        if (quickstart.cartridges.empty()) {
            fail(ErrorKind::invalid, file.native(), ": 'cartridges' is missing or empty");
        }
        return quickstart;
    } catch (const toml::parse_error& error) {
        const auto& begin = error.source().begin;
        fail(ErrorKind::invalid, file.native(), ":", begin.line, ":", begin.column, ": ",
             error.description());
    }
}

std::string lacking(const std::vector<std::string>& cartridges, const std::vector<std::string>& packages) {
    const auto said = [](const char* what, const std::vector<std::string>& names, const char* is) {
        std::string all;
        for (const std::string& name : names) {
            all += (all.empty() ? "" : ", ") + name;
        }
        return str("the ", what, names.size() == 1 ? " " : "s ", all, names.size() == 1 ? " is" : " are", is,
                   " on this node");
    };
    if (!cartridges.empty()) {
        return said("cartridge", cartridges, " not");
    }
    return packages.empty() ? "" : said("package", packages, " not installed");
}

std::vector<Quickstart> QuickstartCatalogue::list() const {
    std::vector<Quickstart> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, none)) {
        const auto file = entry.path() / "quickstart.toml";
        const auto text = std::filesystem::exists(file, none) ? find_file(file) : std::nullopt;
        if (!text) {
            continue;
        }
        try {
            found.push_back(parse_quickstart(*text, file));
            found.back().unavailable = why_not_(found.back());
        } catch (const Error& error) {
            log::warning("leaving out a quickstart: ", error.what());
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return found;
}

std::optional<Quickstart> QuickstartCatalogue::find(const std::string& id) const {
    for (Quickstart& quickstart : list()) {
        const std::string& url = quickstart.initial_git_url;
        if (quickstart.id == id || url.ends_with(str("/", id, ".git"))) {
            return std::move(quickstart);
        }
    }
    return std::nullopt;
}

}  // namespace gearbox
