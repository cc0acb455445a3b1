// The log: one line an event on standard error, which journald keeps. Libraries throw; what is
// logged is logged once, at the top.
#pragma once
#include "base/str.h"

#include <string>
#include <string_view>

namespace gearbox::log {

enum class Level { debug, info, warning, error };

/// Lines below the level are dropped. Default: info.
void set_level(Level level);

void write(Level level, std::string_view text);

/// field("gear", id) → " gear='…'", to be put after the sentence.
inline std::string field(std::string_view key, std::string_view value) {
    return str(" ", key, "='", value, "'");
}

template <typename... Parts>
void debug(const Parts&... parts) {
    write(Level::debug, str(parts...));
}
template <typename... Parts>
void info(const Parts&... parts) {
    write(Level::info, str(parts...));
}
template <typename... Parts>
void warning(const Parts&... parts) {
    write(Level::warning, str(parts...));
}
template <typename... Parts>
void error(const Parts&... parts) {
    write(Level::error, str(parts...));
}

}  // namespace gearbox::log
