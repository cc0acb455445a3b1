#include "disk_layout.h"

#include "hash.h"

#include "base/error.h"

namespace gearbox::builder {

namespace {

constexpr std::uint64_t table_sectors = 2048;  // of the second partition table, and alignment

// UEFI specification, and the Discoverable Partitions Specification for the root of amd64.
constexpr const char* type_bios_boot = "21686148-6449-6E6F-744E-656564454649";
constexpr const char* type_esp = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
constexpr const char* type_root = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";

// GRUB's include/grub/i386/pc/boot.h: where boot.img keeps the sector of the core, the jump that
// believes the BIOS about the drive, and where the core keeps its first block list.
constexpr std::size_t boot_code_bytes = 440;
constexpr std::size_t at_kernel_sector = 0x5c;
constexpr std::size_t at_drive_check = 0x66;
constexpr std::size_t at_block_list = 0x1f4;
constexpr std::uint64_t core_segment = 0x820;

void put_little_endian(std::string& data, std::size_t at, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        data.at(at + static_cast<std::size_t>(i)) = static_cast<char>(value >> (8 * i) & 0xff);
    }
}

}  // namespace

DiskLayout make_disk_layout(int mebibytes) {
    constexpr int least = 64;
    if (mebibytes < least) {
        fail(ErrorKind::invalid, "a disk of ", mebibytes, " MiB is too small: at least ", least);
    }
    DiskLayout layout;
    layout.sectors = static_cast<std::uint64_t>(mebibytes) * 2048;
    layout.root.size = layout.sectors - layout.root.start - table_sectors;
    return layout;
}

std::string make_uuid(std::string_view owner, std::string_view purpose) {
    std::string hex = hash_text(str(owner, "\n", purpose));
    hex[12] = '8';
    hex[16] = "89ab"[(hex[16] >= 'a' ? hex[16] - 'a' + 10 : hex[16] - '0') & 3];
    return str(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
               hex.substr(16, 4), "-", hex.substr(20, 12));
}

std::string make_partition_script(const DiskLayout& layout, std::string_view owner) {
    const auto field = [&](const char* key, const char* purpose) {
        return owner.empty() ? "" : str(key, make_uuid(owner, purpose));
    };
    std::string text = str("label: gpt", field("\nlabel-id: ", "disk"), "\nunit: sectors\n\n");
    const auto line = [&](const Extent& extent, const char* type, const char* name) {
        text += str("start=", extent.start, extent.size == 0 ? "" : str(", size=", extent.size), ", type=", type,
                    field(", uuid=", name), ", name=\"", name, "\"\n");
    };
    line(layout.bios, type_bios_boot, "bios");
    line(layout.esp, type_esp, "esp");
    line(layout.root, type_root, "root");
    return text;
}

std::string make_boot_code(std::string image, std::uint64_t core_sector) {
    if (image.size() < sector_bytes) {
        fail(ErrorKind::invalid, "GRUB's boot.img has ", image.size(), " bytes, not a sector");
    }
    put_little_endian(image, at_kernel_sector, core_sector, 8);
    put_little_endian(image, at_drive_check, 0x9090, 2);  // two no-operations: it is a hard disk
    return image.substr(0, boot_code_bytes);
}

std::string make_boot_core(std::string image, const Extent& room) {
    image.resize((image.size() + sector_bytes - 1) / sector_bytes * sector_bytes);
    const std::uint64_t sectors = image.size() / sector_bytes;
    if (sectors < 2 || sectors > room.size) {
        fail(ErrorKind::invalid, "GRUB's core has ", sectors, " sectors, room is for 2 to ",
             room.size);
    }
    put_little_endian(image, at_block_list, room.start + 1, 8);
    put_little_endian(image, at_block_list + 8, sectors - 1, 2);
    put_little_endian(image, at_block_list + 10, core_segment, 2);
    return image;
}

}  // namespace gearbox::builder
