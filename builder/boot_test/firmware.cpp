#include "boot_test/firmware.h"

#include "little_endian.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <algorithm>
#include <cstdint>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// Types of partitions as their 16 bytes on the disk.
constexpr std::string_view bios_boot = "Hah!IdontNeedEFI";
constexpr std::string_view efi_system{
    "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b", 16};

struct UefiFiles {
    bool secure;
    const char* code;
    const char* variables;
};
constexpr UefiFiles uefi_files[] = {
    {false, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {false, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {true, "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"},
    {true, "/usr/share/OVMF/OVMF_CODE.ms.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"},
};

}  // namespace

std::vector<Firmware> find_disk_firmware(std::string_view sectors) {
    constexpr std::size_t sector = 512;
    constexpr std::size_t header_end = sector + 92;
    if (sectors.size() < header_end || !sectors.substr(sector).starts_with("EFI PART")) {
        return {};
    }
    const std::uint64_t table = number_at(sectors, sector + 72, 8);  // UEFI specification, 5.3.2
    const std::uint64_t count = number_at(sectors, sector + 80, 4);
    const std::uint64_t size = number_at(sectors, sector + 84, 4);
    const auto has = [&](std::string_view type) {
        for (std::uint64_t i = 0; size >= 128 && i < count && table <= sectors.size(); ++i) {
            const std::uint64_t at = table * sector + i * size;
            if (at + type.size() > sectors.size()) {
                return false;
            }
            if (sectors.substr(at, type.size()) == type) {
                return true;
            }
        }
        return false;
    };
    std::vector<Firmware> found;
    if (has(bios_boot)) {
        found.push_back(Firmware::bios);
    }
    if (has(efi_system)) {
        found.push_back(Firmware::uefi);
    }
    return found;
}

std::vector<Firmware> find_firmware(ImageKind kind, const fs::path& medium,
                                    const std::string& format) {
    if (kind == ImageKind::iso) {
        std::vector<Firmware> found;
        for (const std::string& name : medium_boots(medium)) {
            found.push_back(name == "BIOS" ? Firmware::bios : Firmware::uefi);
        }
        return found;
    }
    const TempDir work;
    const fs::path start = work.path() / "start";
    run_tool_checked({"qemu-img", "dd", "-U", "-f", format, "-O", "raw", "bs=512", "count=34",
                      "if=" + medium.string(), "of=" + start.string()});
    return find_disk_firmware(read_file(start));
}

std::vector<Firmware> choose_firmware(const std::vector<Firmware>& of_image,
                                      const std::string& wanted) {
    if (of_image.empty()) {
        fail(ErrorKind::invalid, "the image has nothing that BIOS or UEFI would start");
    }
    if (wanted.empty()) {
        return of_image;
    }
    const Firmware one = wanted == "bios"   ? Firmware::bios
                         : wanted == "uefi" ? Firmware::uefi
                                            : Firmware::uefi_secure;
    // Whether it is signed, too, is for the firmware to say.
    const Firmware needed = one == Firmware::uefi_secure ? Firmware::uefi : one;
    if (std::find(of_image.begin(), of_image.end(), needed) == of_image.end()) {
        fail(ErrorKind::invalid, "the image does not start by ", wanted, ", only by ",
             to_string(of_image.front()));
    }
    return {one};
}

std::pair<fs::path, fs::path> find_uefi(bool secure) {
    for (const UefiFiles& files : uefi_files) {
        if (files.secure == secure && fs::exists(files.code) && fs::exists(files.variables)) {
            return {files.code, files.variables};
        }
    }
    fail(ErrorKind::unavailable, "no UEFI firmware ", secure ? "with Secure Boot " : "",
         "for QEMU: install the package 'ovmf', or test "
         "with --firmware bios alone");
}

}  // namespace gearbox::builder
