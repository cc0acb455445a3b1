// GRUB for whatever boots: the same modules and the same menu on every medium.
#pragma once
#include "stages/stages.h"

#include <string>
#include <vector>

namespace gearbox::builder::stages {

/// Runs a program of the build host. Throws what Tools::run does.
void on_host(StageContext& context, std::vector<std::string> argv);

/// GRUB's image of a format of grub-mkimage; `early` is its first configuration.
struct GrubImage {
    const char* format;
    const char* folder;  ///< below /usr/lib/grub
    std::filesystem::path early;
    std::filesystem::path image;
    std::vector<std::string> modules;  ///< besides those that every menu needs
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

/// Finds the volume, then runs its menu: for GrubImage::early.
std::string make_early_config(const std::string& search);

}  // namespace gearbox::builder::stages
