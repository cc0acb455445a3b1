#include "base/toml_file.h"

#include "base/file.h"

#include <algorithm>
#include <iterator>

namespace gearbox::toml_file {

namespace {

void assign(const Row& row, const toml::node& node, const std::string& place) {
    const auto wrong = [&](const char* type) {
        fail(ErrorKind::invalid, place, ": '", row.key, "' must be ", type);
    };
    if (auto* const* text = std::get_if<std::string*>(&row.target)) {
        const auto value = node.value_exact<std::string>();
        value ? void(**text = *value) : wrong("a string");
    } else if (auto* const* number = std::get_if<std::int64_t*>(&row.target)) {
        const auto value = node.value_exact<std::int64_t>();
        if (!value) {
            wrong("a whole number");
        }
        if (*value < row.min || *value > row.max) {
            fail(ErrorKind::invalid, place, ": '", row.key, "' must be from ", row.min, " to ",
                 row.max);
        }
        **number = *value;
    } else if (auto* const* words = std::get_if<Words*>(&row.target)) {
        (**words).clear();
        const auto* const array = node.as_array();
        if (array == nullptr || !array->is_homogeneous(toml::node_type::string)) {
            // An empty array is of no type.
            array != nullptr && array->empty() ? void() : wrong("a list of strings");
            return;
        }
        for (const toml::node& word : *array) {
            (**words).push_back(word.ref<std::string>());
        }
    } else {
        const auto value = node.value_exact<bool>();
        value ? void(*std::get<bool*>(row.target) = *value) : wrong("true or false");
    }
}

}  // namespace

std::string where(const toml::node& node, const std::filesystem::path& file) {
    const auto& begin = node.source().begin;
    return str(file.native(), ":", begin.line, ":", begin.column);
}

toml::table parse(const std::filesystem::path& file) {
    const std::string text = read_file(file);
    try {
        return toml::parse(text, file.native());
    } catch (const toml::parse_error& error) {
        const auto& begin = error.source().begin;
        fail(ErrorKind::invalid, file.native(), ":", begin.line, ":", begin.column, ": ",
             error.description());
    }
}

void fail_unknown(const std::string& place, const char* what, const std::string& word,
                  const std::vector<std::string>& known) {
    const std::string near = nearest(word, known);
    fail(ErrorKind::invalid, place, ": unknown ", what, " '", word, "'",
         near.empty() ? "" : str("; did you mean '", near, "'?"));
}

void apply(const toml::table& table, const std::string& prefix, const std::vector<Row>& rows,
           const std::filesystem::path& file) {
    for (const auto& [key, node] : table) {
        const std::string full = prefix + std::string(key.str());
        if (const auto* inner = node.as_table()) {
            apply(*inner, full + ".", rows, file);
            continue;
        }
        const auto row = std::find_if(rows.begin(), rows.end(),
                                      [&](const Row& r) { return full == r.key; });
        if (row == rows.end()) {
            std::vector<std::string> keys;
            std::transform(rows.begin(), rows.end(), std::back_inserter(keys),
                           [](const Row& r) { return r.key; });
            fail_unknown(where(node, file), "setting", full, keys);
        }
        assign(*row, node, where(node, file));
    }
}

}  // namespace gearbox::toml_file
