// Tables of a TOML file, checked against rows: whatever is wrong is told with file, line and column. For
// sources only: the parser takes its time to compile.
#pragma once
#include "base/error.h"
#include "base/settings.h"

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace gearbox::toml_file {

using Words = std::vector<std::string>;
using Target = std::variant<std::string*, std::int64_t*, bool*, Words*>;
using Value = std::variant<std::string, std::int64_t, bool, Words>;

/// One key: where its value goes, and which values it may have.
struct Row {
    std::string key;
    Target target;
    Value fallback;
    const char* doc;
    std::int64_t min = 0;
    std::int64_t max = INT64_MAX;
};

/// "FILE:LINE:COLUMN".
std::string where(const toml::node& node, const std::filesystem::path& file);

/// Throws Error(invalid) for broken TOML.
toml::table parse(const std::filesystem::path& file);

/// Puts the values of a table where the rows say; inner tables are prefixes of keys. Throws Error(invalid)
/// for keys that no row has (with the nearest one) and for values of the wrong type or range.
void apply(const toml::table& table, const std::string& prefix, const std::vector<Row>& rows,
           const std::filesystem::path& file);

/// Throws the Error(invalid) about a key that is none of the known ones.
[[noreturn]] void fail_unknown(const std::string& place, const char* what, const std::string& word,
                               const std::vector<std::string>& known);

/// THE list of what a gear gets, for a table that begins with the prefix.
std::vector<Row> gear_rows(const std::string& prefix, GearSettings& gear);

}  // namespace gearbox::toml_file
