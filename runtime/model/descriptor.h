// What an application needs, as the descriptor's YAML says it: its name and its cartridges.
#pragma once
#include <string>
#include <vector>

namespace gearbox {

struct Descriptor {
    std::string name;
    std::vector<std::string> requires_cartridges;
};

/// From a user: keys that are not known are left aside. Errors: invalid, if the text is longer than
/// 20,480 bytes, no YAML mapping, or lacks Name or Requires.
Descriptor parse_descriptor(const std::string& text);
std::string to_yaml(const Descriptor& descriptor);

}  // namespace gearbox
