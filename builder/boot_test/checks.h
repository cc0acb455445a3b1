// What an image has to show in a machine.
#pragma once
#include "boot_test/guest.h"

#include "base/json.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// One machine under test.
struct Bench {
    Machine& machine;
    Guest guest;
    std::filesystem::path pictures;  ///< a folder
    std::chrono::seconds limit;      ///< for the boot, to the login prompt
    std::vector<std::string> denials{};
};

struct BootCheck {
    const char* name;
    const char* what;
    bool decisive;  ///< without it the others cannot be tried
    /// What there is to say. Throws Error if the image is not as it should be.
    std::string (*run)(Bench& bench);
};

/// In their order.
const std::vector<BootCheck>& boot_checks();

/// What `gearbox conformance --output json` printed, as a sentence. Throws Error(internal) naming
/// what was not stopped. Pure.
std::string judge_conformance(const Json& result);

}  // namespace gearbox::builder
