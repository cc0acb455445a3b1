#include "toml_edit.h"

#include "base/str.h"

#include <sstream>

namespace gearbox::builder {

namespace {

bool has_key(const std::string& line, const std::string& key) {
    const auto start = line.find_first_not_of("# \t");
    if (start == std::string::npos || line.compare(start, key.size(), key) != 0) {
        return false;
    }
    const auto after = line.find_first_not_of(" \t", start + key.size());
    return after != std::string::npos && line[after] == '=';
}

}  // namespace

std::string with_toml_value(const std::string& text, const std::string& section,
                            const std::string& key, const std::string& value) {
    const std::string header = "[" + section + "]";
    const std::string wanted = str(key, " = ", value, "\n");
    std::string out;
    bool inside = false;
    bool written = false;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("[")) {
            if (inside && !written) {
                out += wanted;
                written = true;
            }
            inside = line.starts_with(header);
        }
        if (inside && !written && has_key(line, key)) {
            out += wanted;
            written = true;
        } else {
            out += line + "\n";
        }
    }
    if (!written) {
        out += inside ? wanted : str("\n", header, "\n", wanted);
    }
    return out;
}

}  // namespace gearbox::builder
