// Which firmware an image starts with, and which of them are tried.
#pragma once
#include "boot_test/machine.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gearbox::builder {

/// By the partition table in a disk's first 34 sectors: a partition for GRUB's BIOS image, one for
/// UEFI. Pure.
std::vector<Firmware> find_disk_firmware(std::string_view sectors);

/// Of an image that QEMU can read. Throws Error(internal) with what a tool said.
std::vector<Firmware> find_firmware(ImageKind kind, const std::filesystem::path& medium,
                                    const std::string& format);

/// `wanted` ("bios", "uefi", "uefi-secure"), or all that the image has if it is empty. Throws Error(invalid) if
/// the image has none, or not that. Pure.
std::vector<Firmware> choose_firmware(const std::vector<Firmware>& of_image,
                                      const std::string& wanted);

/// Code and variables of the host's UEFI: empty ones, or `secure`, those with Microsoft's keys. Throws Error(unavailable)
/// naming the package.
std::pair<std::filesystem::path, std::filesystem::path> find_uefi(bool secure);

}  // namespace gearbox::builder
