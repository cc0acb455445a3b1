// Where things are on a disk image, as values: partitions, GRUB's sectors, identifiers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace gearbox::builder {

inline constexpr std::uint64_t sector_bytes = 512;

/// In sectors.
struct Extent {
    std::uint64_t start = 0;
    std::uint64_t size = 0;
};

/// GPT: room for GRUB's BIOS image, the EFI system partition, the root file system last so that it
/// can grow.
struct DiskLayout {
    Extent bios{2048, 2048};
    Extent esp{4096, 65536};
    Extent root{69632, 0};
    std::uint64_t sectors = 0;
};

/// Of a disk of this many MiB, of which the last is left to the second partition table. Throws
/// Error(invalid) below 64 MiB.
DiskLayout make_disk_layout(int mebibytes);

/// What is made of the same words is the same UUID (of version 8, RFC 9562), nothing else is.
std::string make_uuid(std::string_view owner, std::string_view purpose);

/// Input of sfdisk(8). `owner` is what the identifiers are made of; "" leaves them to chance. A root of size 0 gets the
/// rest of the disk.
std::string make_partition_script(const DiskLayout& layout, std::string_view owner);

/// The code for the first sector: GRUB's boot.img, told where its core is. 440 bytes; what follows
/// in that sector is the partition table's. Throws Error(invalid) if it is no boot.img.
std::string make_boot_code(std::string image, std::uint64_t core_sector);

/// GRUB's core image, told where the rest of it is, padded to whole sectors. Throws Error(invalid)
/// if it is larger than the room for it.
std::string make_boot_core(std::string image, const Extent& room);

}  // namespace gearbox::builder
