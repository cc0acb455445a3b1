// Takes chance out of disk images that qemu-img made.
#pragma once
#include <filesystem>
#include <string>

namespace gearbox::builder {

/// A streamOptimized VMDK: gives it this UUID, which VirtualBox wants and qemu-img leaves out, and
/// a content id made of it. Throws Error(internal) if the file is not as qemu-img writes it.
void patch_vmdk(const std::filesystem::path& image, const std::string& uuid);

/// The descriptor's text with the same done to it. Pure.
std::string patch_vmdk_descriptor(const std::string& text, const std::string& uuid);

/// A VDI: gives it these UUIDs for image and last modification. Throws Error(internal) if it is
/// none.
void patch_vdi(const std::filesystem::path& image, const std::string& uuid,
               const std::string& modification);

}  // namespace gearbox::builder
