// The shape of a manifest: which of its keys are lists, which are maps (cartridge contract, 1).
#pragma once
#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// A scalar as text, "" for anything else: descriptions and the like may have odd shapes.
std::string text_of(const YAML::Node& node);

/// The words for it that Ruby's YAML had for OpenShift; 1 as well (contract 1.4).
bool is_true(const YAML::Node& node);

/// An item of Cart-Data with a Key of at most 128 characters, and a Type of the two that there are, or none.
bool is_cartridge_value(const YAML::Node& item);

/// Items of a manifest's Cart-Data that mean nothing: misspelt, which OpenShift did not notice.
std::vector<std::string> ignored_values(std::string_view yaml);

/// Those at the top of a manifest that mean something, here or to OpenShift, by name.
std::vector<std::string> known_manifest_keys();

/// Throws Error(invalid) naming the key that is neither absent, null or empty nor of the shape that its readers expect. Keys
/// that mean nothing here are looked at, too: their authors learn of a slip before another platform tells them. Of keys that are
/// there twice the first are removed.
void check_shape(const YAML::Node& manifest);

}  // namespace gearbox
