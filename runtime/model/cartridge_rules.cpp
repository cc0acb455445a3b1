// What a cartridge is called, and what it may stand beside.
#include "base/str.h"
#include "model/cartridge.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gearbox {

bool is_system_category(const std::string& word) {
    constexpr std::array known = {"web_framework", "plugin",     "embedded", "service",
                                  "web_proxy",     "ci_builder", "ci",       "external"};
    return std::find(known.begin(), known.end(), word) != known.end();
}

std::string Cartridge::base_name() const {
    return vendor.empty() || is_reserved_vendor(vendor) ? name : str(vendor, "-", name);
}

std::string Cartridge::full_name() const {
    return str(base_name(), "-", version);
}

std::string Cartridge::ident() const {
    return str(vendor.empty() ? "redhat" : vendor, ":", name, ":", version, ":", cartridge_version);
}

bool Cartridge::has_category(std::string_view category) const {
    return std::find(categories.begin(), categories.end(), category) != categories.end();
}

bool Cartridge::answers_to(std::string_view word) const {
    return word == full_name() || word == base_name() || word == name ||
           std::find(provides.begin(), provides.end(), word) != provides.end();
}

std::string Cartridge::missing_before(const std::vector<Cartridge>& others) const {
    for (const std::vector<std::string>& words : configure_order) {
        std::string missing;
        for (const std::string& word : words) {
            if (answers_to(word)) {
                return "";  // what comes after it may be absent
            }
            const bool is_there = is_system_category(word) || std::any_of(others.begin(), others.end(), [&](const Cartridge& other) {
                return other.answers_to(word);
            });
            if (is_there) {
                missing.clear();
                break;
            }
            missing += str(missing.empty() ? "" : " or ", word);
        }
        if (!missing.empty()) {
            return missing;
        }
    }
    return "";
}

std::string Cartridge::conflict_with(const Cartridge& other) const {
    for (const auto& [one, two] : {std::pair(this, &other), {&other, this}}) {
        for (const std::string& word : one->conflicts) {
            if (two->answers_to(word) && !one->answers_to(word)) {
                return word;
            }
        }
    }
    return "";
}

bool is_reserved_vendor(std::string_view vendor) {
    return vendor == "redhat" || vendor == "gearbox";
}

}  // namespace gearbox
