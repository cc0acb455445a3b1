// GRUB for whatever boots: the same modules and the same menu on every medium.
#pragma once
#include "stages/stages.h"

#include <string>
#include <vector>

namespace gearbox::builder::stages {

/// Runs a program of the build host. Throws what Tools::run does.
void on_host(StageContext& context, std::vector<std::string> argv);

/// GRUB's image for BIOS, of a format of grub-mkimage; `early` is its first configuration, "" where it finds the menu
/// itself.
struct GrubImage {
    const char* format;
    std::filesystem::path early;
    std::filesystem::path image;
    std::vector<std::string> modules;  ///< besides those that every menu needs
    const char* prefix = "/boot/grub";
};
void make_grub(StageContext& context, const GrubImage& wanted);

/// What UEFI looks for on a removable medium (\EFI\BOOT), with Secure Boot and without it: Debian's signed shim, and the
/// signed GRUB that it starts. That reads /boot/grub/grub.cfg of the volume it was started from. Throws Error(invalid) if
/// the host's shim is not Debian's.
void make_efi_folder(StageContext& context, const std::filesystem::path& folder);

/// The EFI system partition: a FAT with that folder and GRUB's configuration, the same bytes every time.
struct EfiPartition {
    std::filesystem::path programs;  ///< of make_efi_folder()
    std::filesystem::path config;
    int mebibytes;
};
void make_esp(StageContext& context, const EfiPartition& wanted, const std::filesystem::path& esp);

/// How GRUB finds the medium, and the kernel the root file system.
struct BootPlaces {
    std::string search;  ///< arguments of GRUB's 'search'
    std::string kernel;  ///< path on it
    std::string initrd;
    std::string root;  ///< kernel arguments
};

/// The template of the recipe, filled in.
std::string make_boot_menu(const StageContext& context, const BootPlaces& places);

/// What stands on every disk before its root file system: boot.img, the code of the first sector, and start.img, what
/// begins at DiskLayout::bios (sparse). GRUB looks for its menu on the third partition of the disk that it was started from.
void make_disk_start(StageContext& context, const std::filesystem::path& folder);

/// What a running live medium makes a disk of (livecd/overlay/usr/libexec/gearbox/install): the above, packed, the
/// partition table, the options of mke2fs, and the menu, in which @UUID@ has to be filled in.
void make_disk_kit(StageContext& context, const std::filesystem::path& folder);

/// Finds the volume, then runs its menu: GRUB's first configuration.
std::string make_early_config(const std::string& search);

}  // namespace gearbox::builder::stages
