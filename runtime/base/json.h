// Typed reads from JSON, with the place in the error.
#pragma once
#include "base/error.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gearbox {

using Json = nlohmann::json;

/// Depth is bounded (64), duplicate keys keep the last. Throws Error(invalid) with the position.
Json parse_json(std::string_view text);

/// Compact text; bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string to_text(const Json& value);

/// The member as T. Throws Error(invalid) "'/key' is missing" or "'/key' must be a string".
template <typename T>
T take(const Json& object, const std::string& key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end()) {
        fail(ErrorKind::invalid, "'/", key, "' is missing");
    }
    try {
        return found->get<T>();
    } catch (const Json::exception&) {
        fail(ErrorKind::invalid, "'/", key, "' has the wrong type (", found->type_name(), ")");
    }
}

/// Empty if the member is not there or null.
template <typename T>
std::optional<T> find(const Json& object, const std::string& key) {
    if (!object.is_object() || !object.contains(key) || object.at(key).is_null()) {
        return std::nullopt;
    }
    return take<T>(object, key);
}

}  // namespace gearbox
