#include "model/descriptor.h"

#include "base/error.h"
#include "base/str.h"

#include <yaml-cpp/yaml.h>

namespace gearbox {

namespace {

constexpr std::size_t longest_descriptor = 20480;  // bytes

YAML::Node load(const std::string& text) {
    if (text.size() > longest_descriptor) {
        fail(ErrorKind::invalid, "The descriptor is longer than ", longest_descriptor, " bytes.");
    }
    try {
        YAML::Node top = YAML::Load(text);
        if (top.IsMap()) {
            return top;
        }
    } catch (const YAML::Exception&) {
        // Told below, like any text that is no descriptor.
    }
    fail(ErrorKind::invalid, "Invalid application descriptor.");
}

}  // namespace

Descriptor parse_descriptor(const std::string& text) {
    const YAML::Node top = load(text);
    Descriptor descriptor;
    if (const YAML::Node name = top["Name"]; name && name.IsScalar()) {
        descriptor.name = name.Scalar();
    }
    if (const YAML::Node list = top["Requires"]; list && list.IsSequence()) {
        for (const auto& item : list) {
            if (item.IsScalar()) {
                descriptor.requires_cartridges.push_back(item.Scalar());
            }
        }
    }
    if (descriptor.name.empty() || descriptor.requires_cartridges.empty()) {
        fail(ErrorKind::invalid, "Application name or framework not found in the descriptor.");
    }
    return descriptor;
}

std::string to_yaml(const Descriptor& descriptor) {
    std::string out = str("Name: ", descriptor.name, "\nRequires:\n");
    for (const std::string& cartridge : descriptor.requires_cartridges) {
        out += str("- ", cartridge, "\n");
    }
    return out;
}

}  // namespace gearbox
