// What is in an image, told without booting it.
#pragma once
#include "manifest.h"

#include "base/json.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

enum class ImageKind {
    iso,
    raw,
    qcow2,
    vmdk,
    vdi,
    ova,
    vagrant_virtualbox,
    vagrant_libvirt,
    tar,
    oci
};

/// The name of the format table.
const char* to_string(ImageKind kind);

/// By the file's first 64 KiB and, of a tar archive, the names of its members: never by its name.
/// Throws Error(invalid) if it is none of ours. Pure.
ImageKind find_kind(std::string_view start,
                    const std::function<std::vector<std::string>()>& members);

/// A partition of a disk, or a file system of a medium.
struct ImagePartition {
    std::string name;  ///< "1", or a path on the medium
    std::string role;  ///< "BIOS boot", "EFI system", "Linux", …
    std::string file_system;
    std::string label;
    std::uint64_t bytes = 0;
};

/// What takes part when UEFI starts an image: "shim", "GRUB" and "kernel", or "GRUB" and "kernel" alone.
struct EfiProgram {
    std::string role;
    std::vector<std::string> signers;  ///< find_signers()
};

struct ImageReport {
    std::filesystem::path file;
    ImageKind kind = ImageKind::raw;
    std::uint64_t bytes = 0;     ///< of the file
    std::uint64_t capacity = 0;  ///< of the disk in it; 0 if there is none
    std::vector<ImagePartition> partitions;
    std::vector<std::string> boots;  ///< "BIOS", "UEFI"; none of a container
    std::vector<EfiProgram> efi_programs;
    std::string system;              ///< PRETTY_NAME of os-release
    std::vector<std::string> kernels;
    std::string selinux;  ///< "enforcing"; "" if the image says nothing
    std::string policy;   ///< "default, version 33"
    Json about;  ///< image.json, which the builder leaves in the tree; null in older images
    std::vector<InstalledPackage> packages;
};

/// Whether Secure Boot lets the image start: UEFI starts a shim, and everything is signed.
bool starts_securely(const ImageReport& report);

/// The programs for UEFI out of copies of \EFI\BOOT and the kernel (with "vmlinuz" in its name) in a folder.
std::vector<EfiProgram> read_efi_programs(const std::filesystem::path& folder);

Json to_json(const ImageReport& report, bool with_packages);
std::string to_text(const ImageReport& report, bool with_packages);

/// What a tree says about itself. The files below `folder` are those of inspected_paths().
void take_tree(const std::filesystem::path& folder, ImageReport& report);

/// Files and folders of the tree that a report is made of, without a slash in front.
const std::vector<std::string>& inspected_paths();

/// Where the builder writes into the tree what the image is.
inline constexpr const char* image_about = "usr/lib/gearbox/image.json";

/// An image's file for QEMU: itself, or the disk unpacked from an OVA or a box. Of a tar or OCI
/// image: itself.
struct ImageFile {
    ImageKind kind = ImageKind::raw;
    std::filesystem::path file;
    std::string format;  ///< of a disk, QEMU's name; "" if it is none
};
/// Throws Error(invalid) if it is none of ours.
ImageFile open_image_file(const std::filesystem::path& file, const std::filesystem::path& work);

/// "BIOS", "UEFI": what the medium's El Torito catalogue has entries for.
std::vector<std::string> medium_boots(const std::filesystem::path& iso);

class GuestDisk;

/// An image with its report and, below the folder it was opened in, what had to be unpacked for it.
struct OpenedImage {
    ImageReport report;
    std::filesystem::path disk;     ///< the disk in it; empty if there is none
    std::string format;             ///< of the disk, QEMU's name
    std::shared_ptr<GuestDisk> guest;  ///< that reads the disk
    std::filesystem::path archive;  ///< of a tar or OCI image: the tree as .tar.zst
};
OpenedImage open_image(const std::filesystem::path& file, const std::filesystem::path& work);

/// Throws Error(invalid) if it is none of ours, Error(internal) with what a tool said.
ImageReport inspect_image(const std::filesystem::path& file);

/// The first bytes of the file, at most `bytes`. Throws SysError.
std::string read_start(const std::filesystem::path& file, std::size_t bytes);

}  // namespace gearbox::builder
