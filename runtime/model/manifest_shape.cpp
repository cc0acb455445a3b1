#include "model/manifest_shape.h"

#include "base/error.h"
#include "base/str.h"
#include "model/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>
#include <utility>

namespace gearbox {

namespace {

// words: a list of them, or one; lists in it are any one of theirs. any: read as text if it is one, or ignored.
enum class Shape { word, words, flag, number, list, map, any };
using Key = std::pair<const char*, Shape>;

constexpr Key keys[] = {{"Name", Shape::word},
                        {"Cartridge-Short-Name", Shape::word},
                        {"Version", Shape::word},
                        {"Versions", Shape::words},
                        {"Version-Overrides", Shape::map},
                        {"Cartridge-Version", Shape::word},
                        {"Cartridge-Vendor", Shape::word},
                        {"Compatible-Versions", Shape::words},
                        {"Provides", Shape::words},
                        {"Requires", Shape::words},
                        {"Conflicts", Shape::words},
                        {"Suggests", Shape::words},
                        {"Native-Requires", Shape::words},
                        {"Obsolete", Shape::flag},
                        {"Source-Url", Shape::word},
                        {"Source-Md5", Shape::word},
                        {"Source-Sha256", Shape::word},
                        {"Install-Build-Required", Shape::flag},
                        {"Metrics", Shape::words},
                        {"Categories", Shape::words},
                        {"Cart-Data", Shape::list},
                        {"Endpoints", Shape::list},
                        {"Scaling", Shape::map},
                        {"Group-Overrides", Shape::list},
                        {"Configure-Order", Shape::words},
                        {"Components", Shape::map},
                        {"Connections", Shape::map},
                        {"Publishes", Shape::map},
                        {"Subscribes", Shape::map},
                        {"Additional-Control-Actions", Shape::words},
                        {"Deployment-Verbs", Shape::words},
                        {"Architecture", Shape::any},
                        {"Cartridge-Versions", Shape::any},
                        {"Description", Shape::any},
                        {"Display-Name", Shape::any},
                        {"Help-Topics", Shape::any},
                        {"Id", Shape::any},
                        {"License", Shape::any},
                        {"License-Url", Shape::any},
                        {"Platform", Shape::any},
                        {"Profiles", Shape::any},
                        {"Start-Order", Shape::any},
                        {"Stop-Order", Shape::any},
                        {"Vendor", Shape::any},
                        {"Website", Shape::any}};

constexpr Key scaling_keys[] = {{"Min", Shape::number}, {"Max", Shape::number}, {"Min-Managed", Shape::number}, {"Multiplier", Shape::number}, {"Required", Shape::flag}};
constexpr Key component_keys[] = {{"Publishes", Shape::map}, {"Subscribes", Shape::map}, {"Scaling", Shape::map}};
constexpr Key connection_keys[] = {{"Components", Shape::words}};
constexpr Key connector_keys[] = {{"Required", Shape::flag}};
constexpr Key endpoint_keys[] = {{"Protocols", Shape::words}, {"WebSocket-Port-Name", Shape::word}, {"WebSocket-Port", Shape::number}, {"Options", Shape::map}, {"Mappings", Shape::list}};
constexpr Key endpoint_options[] = {{"primary", Shape::flag}, {"ssl_to_gear", Shape::flag}};
constexpr Key mapping_keys[] = {{"Frontend", Shape::word}, {"Backend", Shape::word}, {"Options", Shape::map}};
constexpr Key mapping_options[] = {{"websocket", Shape::flag},   {"connections", Shape::number}, {"bandwidth", Shape::number}, {"target_update", Shape::flag},
                                   {"gone", Shape::flag},        {"forbidden", Shape::flag},     {"noproxy", Shape::flag},     {"redirect", Shape::flag},
                                   {"file", Shape::flag},        {"tohttps", Shape::flag},       {"ssl_to_gear", Shape::flag}, {"health", Shape::flag}};

constexpr int most_values = 10000;
constexpr int most_levels = 20;

constexpr std::array true_words = {"true", "yes", "on", "y", "1"};
constexpr std::array false_words = {"false", "no", "off", "n", "0", ""};

bool is_one_of(std::span<const char* const> words, const YAML::Node& node) {
    return std::find(words.begin(), words.end(), to_lower(text_of(node))) != words.end();
}

bool is_number(const std::string& text) {
    int value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc() && end == text.data() + text.size();
}

bool is_absent(const YAML::Node& node) {
    return !node || node.IsNull() || (!node.IsScalar() && node.size() == 0);
}

std::string is_what(const YAML::Node& node) {
    return node.IsScalar() ? str("'", text_of(node).substr(0, 64), "'") : node.IsMap() ? "a map" : "a list";
}

bool is_words(const YAML::Node& node) {
    return node.IsScalar() || (node.IsSequence() && std::none_of(node.begin(), node.end(), [](const YAML::Node& item) { return item.IsMap(); }));
}

void check(const YAML::Node& node, const std::string& place, Shape shape) {
    if (is_absent(node)) {
        return;
    }
    const auto demand = [&](bool is_so, const char* wanted) {
        if (!is_so) {
            fail(ErrorKind::invalid, place, " must be ", wanted, ", not ", node.IsSequence() && shape == Shape::words ? "a list of maps" : is_what(node));
        }
    };
    switch (shape) {
        case Shape::word: return demand(node.IsScalar(), "a word");
        case Shape::words: return demand(is_words(node), "a list of words");
        case Shape::flag: return demand(node.IsScalar() && (is_one_of(true_words, node) || is_one_of(false_words, node)), "true or false");
        case Shape::number: return demand(is_number(text_of(node)), "a whole number");
        case Shape::list: return demand(node.IsSequence(), "a list");
        case Shape::map: return demand(node.IsMap(), "a map");
        case Shape::any: return;
    }
}

// Null if it is not there.
YAML::Node value_of(const YAML::Node& map, const char* key) {
    const YAML::Node found = map.IsMap() ? map[key] : YAML::Node();
    return found ? found : YAML::Node();
}

void check_keys(const YAML::Node& map, const std::string& prefix, std::span<const Key> expected) {
    for (const auto& [key, shape] : expected) {
        check(value_of(map, key), str(prefix, key), shape);
    }
}

// What it is with its anchors followed: few lines make lists without end, or of billions (YAML 1.2, 7.1).
void count(const YAML::Node& node, int levels, int& left) {
    if (--left < 0 || levels == 0) {
        fail(ErrorKind::invalid, "the manifest has more than ", most_values, " values, or more than ", most_levels, " levels");
    }
    if (node.IsScalar() || node.IsNull()) {
        return;
    }
    for (const auto& item : node) {
        count(node.IsMap() ? item.second : item, levels - 1, left);
    }
}

// Of a key that is there twice the last counts, as in Ruby; a look-up here would find the first.
void drop_repeated_keys(YAML::Node node) {
    std::map<std::string, int> times;
    for (const auto& item : node) {
        if (node.IsMap()) {
            times[text_of(item.first)] += 1;
        }
        drop_repeated_keys(node.IsMap() ? item.second : YAML::Node(item));
    }
    for (const auto& [key, count] : times) {
        for (int i = 1; i < count && !key.empty(); ++i) {
            node.remove(key);
        }
    }
}

// The maps in a map, each with these keys.
void check_maps(const YAML::Node& map, const std::string& place, std::span<const Key> expected) {
    for (const auto& entry : map) {
        const std::string own = str(place, ".", text_of(entry.first).substr(0, 64));
        check(entry.second, own, Shape::map);
        check_keys(entry.second, own + ".", expected);
    }
}

// Likewise in a list; `inside` looks further into each.
void check_items(const YAML::Node& list, const std::string& place, std::span<const Key> expected, const auto& inside) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string own = str(place, "[", i, "]");
        if (!list[i].IsMap()) {
            fail(ErrorKind::invalid, own, " must be a map, not ", list[i].IsNull() ? "nothing" : is_what(list[i]));
        }
        check_keys(list[i], own + ": ", expected);
        inside(YAML::Node(list[i]), own + ": ");
    }
}

void check_options(const YAML::Node& owner, const std::string& prefix, std::span<const Key> expected) {
    check_keys(value_of(owner, "Options"), prefix + "Options.", expected);
}

// Components may be anybody's, also of cartridges that nobody knows; some manifests have them one level too high (contract 22).
void check_group_overrides(const YAML::Node& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string own = str("Group-Overrides[", i, "]");
        if (list[i].IsSequence()) {
            fail(ErrorKind::invalid, own, " must be a map with 'components', not a list");
        }
        if (const YAML::Node components = value_of(list[i], "components"); !components.IsScalar()) {
            check(components, own + ".components", Shape::list);
        }
    }
}

void check_manifest(const YAML::Node& manifest) {
    check_keys(manifest, "", keys);
    check_keys(value_of(manifest, "Scaling"), "Scaling.", scaling_keys);
    check_maps(value_of(manifest, "Components"), "Components", component_keys);
    check_maps(value_of(manifest, "Connections"), "Connections", connection_keys);
    check_maps(value_of(manifest, "Publishes"), "Publishes", connector_keys);
    check_maps(value_of(manifest, "Subscribes"), "Subscribes", connector_keys);
    check_group_overrides(value_of(manifest, "Group-Overrides"));
    check_items(value_of(manifest, "Endpoints"), "Endpoints", endpoint_keys, [](const YAML::Node& endpoint, const std::string& prefix) {
        check_options(endpoint, prefix, endpoint_options);
        check_items(value_of(endpoint, "Mappings"), prefix + "Mappings", mapping_keys,
                    [](const YAML::Node& mapping, const std::string& of_it) { check_options(mapping, of_it, mapping_options); });
    });
}

}  // namespace

std::string text_of(const YAML::Node& node) {
    return node && node.IsScalar() ? node.Scalar() : std::string();
}

bool is_true(const YAML::Node& node) {
    return is_one_of(true_words, node);
}

bool is_cartridge_value(const YAML::Node& item) {
    constexpr std::array types = {"environment", "cart_data", ""};
    const std::string key = text_of(value_of(item, "Key"));
    return !key.empty() && key.size() <= 128 && std::find(types.begin(), types.end(), text_of(value_of(item, "Type"))) != types.end();
}

std::vector<std::string> ignored_values(std::string_view yaml) {
    std::vector<std::string> out;
    const YAML::Node values = YAML::Load(std::string(yaml))["Cart-Data"];
    for (std::size_t i = 0; values && values.IsSequence() && i < values.size(); ++i) {
        if (!is_cartridge_value(values[i])) {
            out.push_back(str("Cart-Data[", i, "]"));
        }
    }
    return out;
}

std::vector<std::string> known_manifest_keys() {
    std::vector<std::string> names;
    for (const auto& [name, shape] : keys) {
        names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

void check_shape(const YAML::Node& manifest) {
    int left = most_values;
    count(manifest, most_levels, left);
    drop_repeated_keys(manifest);
    check_manifest(manifest);
    check_maps(value_of(manifest, "Version-Overrides"), "Version-Overrides", {});
    for (const auto& version : value_of(manifest, "Version-Overrides")) {
        check_manifest(version.second);
    }
}

}  // namespace gearbox
