// What an image has to show in a machine.
#pragma once
#include "boot_test/guest.h"

#include "base/json.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

/// One machine under test.
struct Bench {
    Machine& machine;
    Guest guest;
    std::filesystem::path pictures;      ///< a folder
    std::chrono::seconds limit;          ///< for the boot, to the login prompt
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::string page_host{};             ///< of the application that is made
    std::vector<std::string> denials{};  ///< so far
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

/// What a firmware said last if it starts nothing from the image, "" otherwise: BIOS says so on the screen alone. Pure.
std::string find_refusal(std::string_view console);

/// What the guest says of its firmware: "bios", "uefi" or "uefi-secure", and behind the last the kernel's line about its
/// lockdown. As a sentence. Throws Error(internal) if that is not what the machine has, or nothing is locked down. Pure.
std::string judge_firmware(Firmware started, std::string_view state);

/// "a-b.example.org" of "http://a-b.example.org:8080/c". Pure.
std::string host_of(std::string_view url);

/// What `gearbox conformance --output json` printed, as a sentence. Throws Error(internal) naming
/// what was not stopped. Pure.
std::string judge_conformance(const Json& result);

}  // namespace gearbox::builder
