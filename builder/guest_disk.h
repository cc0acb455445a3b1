// A look into a disk image by libguestfs: a small virtual machine reads it, so no file system of
// the image is mounted on this host, and root is not needed.
#pragma once
#include "inspect.h"

#include <filesystem>
#include <memory>
#include <string>

namespace gearbox::builder {

/// A disk with the virtual machine that reads it.
class GuestDisk;

/// Starts the virtual machine: about 10 s without KVM. Format is QEMU's name. This and what follows throw
/// Error(internal) with libguestfs' reason.
std::shared_ptr<GuestDisk> open_guest_disk(const std::filesystem::path& disk, const std::string& format);

/// Adds capacity, partitions and boot ways of the disk to the report, and copies what
/// inspected_paths() names into the folder.
void read_guest_disk(GuestDisk& guest, const std::filesystem::path& folder, ImageReport& report);

/// The disk's system as a tar archive with labels, owners and times.
void export_guest_root(GuestDisk& guest, const std::filesystem::path& archive);

}  // namespace gearbox::builder
