// Texts as the calls of the exec family take them.
#pragma once
#include <string>
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

}  // namespace gearbox
