// A look into a disk image by libguestfs: a small virtual machine reads it, so no file system of
// the image is mounted on this host, and root is not needed.
#pragma once
#include "inspect.h"

#include <filesystem>

namespace gearbox::builder {

/// Adds capacity, partitions and boot ways of the disk to the report, and copies what
/// inspected_paths() names into the folder. Format is QEMU's name. One start of the virtual
/// machine: about 10 s without KVM. Throws Error(internal) with libguestfs' reason.
void read_guest_disk(const std::filesystem::path& disk, const std::string& format,
                     const std::filesystem::path& folder, ImageReport& report);

/// The disk's system as a tar archive with labels, owners and times. Throws as above.
void export_guest_root(const std::filesystem::path& disk, const std::string& format,
                       const std::filesystem::path& archive);

}  // namespace gearbox::builder
