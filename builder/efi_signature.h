// Whose signature a program for UEFI carries.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

/// The names of the authorities that the program's signers are certified by ("Debian Secure Boot CA"), in the order of the
/// signatures. Empty if it has none, or is no program for UEFI. Whether a signature fits the program is for firmware to
/// say. Pure.
std::vector<std::string> find_signers(std::string_view program);

}  // namespace gearbox::builder
