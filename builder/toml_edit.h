// Changing one value in a TOML file that belongs to somebody else, keeping the rest as it is.
#pragma once
#include <string>

namespace gearbox::builder {

/// Sets section.key to a value as TOML writes it. A line with the key, commented out or not, is replaced; otherwise
/// the key is added to its section, which is added at the end if it is not there.
std::string with_toml_value(const std::string& text, const std::string& section,
                            const std::string& key, const std::string& value);

}  // namespace gearbox::builder
