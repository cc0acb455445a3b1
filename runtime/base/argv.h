// Texts as the calls of the exec family, and shells, take them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// Ends with a null pointer; valid as long as the texts are.
inline std::vector<char*> argv_of(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& text : texts) {
        out.push_back(const_cast<char*>(text.c_str()));
    }
    out.push_back(nullptr);
    return out;
}

/// The text in single quotes: one word for a shell that splits a line.
inline std::string shell_word(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

}  // namespace gearbox
