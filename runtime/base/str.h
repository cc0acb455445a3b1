// Concatenation of anything that prints to a string view or a number.
#pragma once
#include <string>
#include <string_view>
#include <type_traits>

namespace gearbox {

namespace detail {
inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, char part) { out += part; }
template <typename T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, char>)
void append(std::string& out, T part) {
    out += std::to_string(part);
}
}  // namespace detail

/// str("gear '", id, "' has ", 3, " endpoints").
template <typename... Parts>
std::string str(const Parts&... parts) {
    std::string out;
    (detail::append(out, parts), ...);
    return out;
}

}  // namespace gearbox
