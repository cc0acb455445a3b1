#include "disk_patches.h"

#include "disk_layout.h"
#include "little_endian.h"
#include "sparse.h"

#include "base/error.h"

#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// Where VMware's "Virtual Disk Format 5.0" has them, in bytes.
constexpr std::size_t vmdk_descriptor_offset = 28;
constexpr std::size_t vmdk_descriptor_size = 36;
constexpr const char* nil_uuid = "00000000-0000-0000-0000-000000000000";

// VirtualBox' VDICore.h, as QEMU's block/vdi.c has it.
constexpr std::size_t vdi_signature = 64;
constexpr std::size_t vdi_uuid_image = 392;
constexpr std::size_t vdi_uuid_modification = 408;

std::string read_at(const fs::path& image, std::uint64_t offset, std::size_t size) {
    std::ifstream file(image, std::ios::binary);
    std::string data(size, '\0');
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(data.data(), static_cast<std::streamsize>(size));
    if (!file) {
        fail(ErrorKind::internal, "the disk image ends too early");
    }
    return data;
}

// The bytes of a UUID as Microsoft and VirtualBox keep them: the first three groups little endian.
std::string uuid_bytes(const std::string& uuid) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < uuid.size(); i += uuid[i] == '-' ? 1 : 2) {
        if (uuid[i] != '-') {
            int value = 0;
            std::from_chars(uuid.data() + i, uuid.data() + i + 2, value, 16);
            bytes += static_cast<char>(value);
        }
    }
    const auto swap = [&bytes](std::size_t a, std::size_t b) { std::swap(bytes[a], bytes[b]); };
    swap(0, 3);
    swap(1, 2);
    swap(4, 5);
    swap(6, 7);
    return bytes;
}

}  // namespace

std::string patch_vmdk_descriptor(const std::string& text, const std::string& uuid) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("CID=")) {
            line = "CID=" + uuid.substr(0, 8);
        }
        if (!line.starts_with("ddb.uuid.")) {
            out += line + "\n";
        }
    }
    return out + str("ddb.uuid.image=\"", uuid, "\"\nddb.uuid.modification=\"", uuid,
                     "\"\nddb.uuid.parent=\"", nil_uuid, "\"\nddb.uuid.parentmodification=\"",
                     nil_uuid, "\"\n");
}

void patch_vmdk(const fs::path& image, const std::string& uuid) {
    const std::string header = read_at(image, 0, sector_bytes);
    if (!header.starts_with("KDMV")) {
        fail(ErrorKind::internal, "'", image.string(), "' is no sparse VMDK");
    }
    const auto sectors_at = [&header](std::size_t at) { return number_at(header, at, 8) * sector_bytes; };
    const std::uint64_t offset = sectors_at(vmdk_descriptor_offset);
    const std::uint64_t size = sectors_at(vmdk_descriptor_size);
    std::string text = read_at(image, offset, size);
    text = patch_vmdk_descriptor(text.substr(0, text.find('\0')), uuid);
    if (text.size() > size) {
        fail(ErrorKind::internal, "the descriptor of '", image.string(), "' has no room");
    }
    text.resize(size);
    write_at(image, offset, text);
}

void patch_vdi(const fs::path& image, const std::string& uuid, const std::string& modification) {
    if (number_at(read_at(image, vdi_signature, 4), 0, 4) != 0xbeda107f) {
        fail(ErrorKind::internal, "'", image.string(), "' is no VDI");
    }
    write_at(image, vdi_uuid_image, uuid_bytes(uuid));
    write_at(image, vdi_uuid_modification, uuid_bytes(modification));
}

}  // namespace gearbox::builder
