// GRUB for whatever boots: the same modules and the same menu on every medium.
#pragma once
#include "stages/stages.h"

#include <string>
#include <vector>

namespace gearbox::builder::stages {

/// Runs a program of the build host. Throws what Tools::run does.
void on_host(StageContext& context, std::vector<std::string> argv);

/// GRUB's image of a format of grub-mkimage; `early` is its first configuration, "" where it finds the menu itself.
struct GrubImage {
    const char* format;
    const char* folder;  ///< below /usr/lib/grub
    std::filesystem::path early;
    std::filesystem::path image;
    std::vector<std::string> modules;  ///< besides those that every menu needs
    const char* prefix = "/boot/grub";
};
void make_grub(StageContext& context, const GrubImage& wanted);

/// The EFI system partition: a FAT of this many MiB with nothing but GRUB, the same bytes every
/// time.
void make_esp(StageContext& context, const std::filesystem::path& program,
              const std::filesystem::path& esp, int mebibytes);

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

/// Finds the volume, then runs its menu: for GrubImage::early.
std::string make_early_config(const std::string& search);

}  // namespace gearbox::builder::stages
