// `gearbox-build test`: boots an image and looks whether it does what it is for.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

namespace gearbox::builder {

struct BootTestRequest {
    std::filesystem::path image;  ///< never written to
    std::string firmware;         ///< "bios", "uefi"; empty: all that the image has
    std::filesystem::path
        output;  ///< folder for pictures, consoles' and journals' logs, report.json
    std::chrono::seconds limit{900};  ///< for a boot, to the login prompt
    bool json = false;
};

/// Prints a table as it goes, or JSON at the end. True if all is good. Throws Error if the image
/// cannot be tried.
bool run_boot_test(const BootTestRequest& request);

}  // namespace gearbox::builder
