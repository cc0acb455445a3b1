#include "guest_disk.h"

#include "base/error.h"
#include "base/file.h"

#include <guestfs.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>

namespace gearbox::builder {

namespace fs = std::filesystem;

class GuestDisk {
public:
    GuestDisk(const fs::path& disk, const std::string& format) : name_(disk.string()), handle_(guestfs_create()) {
        if (!handle_) {
            fail(ErrorKind::internal, "libguestfs has no memory");
        }
        guestfs_set_error_handler(handle_.get(), nullptr, nullptr);
        // libvirt would want a daemon of its own.
        if (std::getenv("LIBGUESTFS_BACKEND") == nullptr) {
            check(guestfs_set_backend(handle_.get(), "direct"));
        }
        check(guestfs_add_drive_opts(handle_.get(), disk.c_str(), GUESTFS_ADD_DRIVE_OPTS_READONLY,
                                     1, GUESTFS_ADD_DRIVE_OPTS_FORMAT, format.c_str(), -1));
        check(guestfs_launch(handle_.get()));
    }

    const std::string& name() const { return name_; }
    guestfs_h* get() { return handle_.get(); }

    void check(int result) {
        if (result < 0) {
            const char* reason = guestfs_last_error(handle_.get());
            fail(ErrorKind::internal, "libguestfs: ", reason == nullptr ? "failed" : reason,
                 " (libguestfs-test-tool says more)");
        }
    }

    std::string text(char* result) {
        const std::unique_ptr<char, decltype(&std::free)> owner(result, &std::free);
        return result == nullptr ? "" : result;
    }

    std::vector<std::string> list(char** result) {
        std::vector<std::string> texts;
        for (char** each = result; each != nullptr && *each != nullptr; ++each) {
            texts.emplace_back(*each);
            std::free(*each);
        }
        std::free(result);
        return texts;
    }

private:
    std::string name_;
    struct Close {
        void operator()(guestfs_h* handle) const { guestfs_close(handle); }
    };
    std::unique_ptr<guestfs_h, Close> handle_;
};

namespace {

constexpr const char* bios_boot = "21686148-6449-6E6F-744E-656564454649";
constexpr const char* efi_system = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

std::string role_of(const std::string& type) {
    static const std::map<std::string, std::string> roles{
        {bios_boot, "BIOS boot"},
        {efi_system, "EFI system"},
        {"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux"},
        {"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root (x86-64)"},
        {"2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5", "Linux root verity (x86-64)"}};
    const auto found = roles.find(type);
    return found == roles.end() ? type : found->second;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

void copy_out(GuestDisk& guest, const std::string& path, const fs::path& folder) {
    const std::string inside = "/" + path;
    const fs::path to = folder / path;
    if (guestfs_is_file(guest.get(), inside.c_str()) == 1) {
        fs::create_directories(to.parent_path());
        guest.check(guestfs_download(guest.get(), inside.c_str(), to.c_str()));
    } else if (guestfs_is_dir(guest.get(), inside.c_str()) == 1) {
        for (const std::string& name : guest.list(guestfs_ls(guest.get(), inside.c_str()))) {
            copy_out(guest, path + "/" + name, folder);
        }
    }
}

// As read_efi_programs() expects it.
void copy_efi_programs(GuestDisk& guest, const std::string& esp, const std::string& root, const fs::path& folder) {
    const auto copy = [&](const std::string& device, const char* pattern) {
        guest.check(guestfs_mount_ro(guest.get(), device.c_str(), "/"));
        for (const std::string& path : guest.list(guestfs_glob_expand(guest.get(), pattern))) {
            const fs::path to = folder / fs::path(path).filename();
            guest.check(guestfs_download(guest.get(), path.c_str(), to.c_str()));
        }
        guest.check(guestfs_umount_all(guest.get()));
    };
    copy(esp, "/EFI/BOOT/*");
    copy(root, "/boot/vmlinuz-*");
}

bool has_file(GuestDisk& guest, const std::string& device, const char* path) {
    if (guestfs_mount_ro(guest.get(), device.c_str(), "/") < 0) {
        return false;
    }
    const bool there = guestfs_exists(guest.get(), path) == 1;
    guest.check(guestfs_umount_all(guest.get()));
    return there;
}

bool has_system(GuestDisk& guest, const std::string& device) {
    const std::string type = guest.text(guestfs_vfs_type(guest.get(), device.c_str()));
    return !type.empty() && type != "vfat" && has_file(guest, device, "/var/lib/dpkg/status");
}

}  // namespace

std::shared_ptr<GuestDisk> open_guest_disk(const fs::path& disk, const std::string& format) {
    return std::make_shared<GuestDisk>(disk, format);
}

void export_guest_root(GuestDisk& guest, const fs::path& archive) {
    for (const std::string& device : guest.list(guestfs_list_partitions(guest.get()))) {
        if (has_system(guest, device)) {
            guest.check(guestfs_mount_ro(guest.get(), device.c_str(), "/"));
            guest.check(guestfs_tar_out_opts(guest.get(), "/", archive.c_str(),
                                             GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
                                             GUESTFS_TAR_OUT_OPTS_XATTRS, 1, -1));
            guest.check(guestfs_umount_all(guest.get()));
            return;
        }
    }
    fail(ErrorKind::invalid, "no partition of '", guest.name(), "' has a system");
}

void read_guest_disk(GuestDisk& guest, const fs::path& folder, ImageReport& report) {
    report.capacity = static_cast<std::uint64_t>(
        std::max<std::int64_t>(guestfs_blockdev_getsize64(guest.get(), "/dev/sda"), 0));
    std::string root;
    std::string esp;
    for (const std::string& device : guest.list(guestfs_list_partitions(guest.get()))) {
        ImagePartition partition;
        const int number = guestfs_part_to_partnum(guest.get(), device.c_str());
        guest.check(number);
        const std::string type =
            upper(guest.text(guestfs_part_get_gpt_type(guest.get(), "/dev/sda", number)));
        partition.name = std::to_string(number);
        partition.role = role_of(type);
        partition.file_system = guest.text(guestfs_vfs_type(guest.get(), device.c_str()));
        partition.label = guest.text(guestfs_vfs_label(guest.get(), device.c_str()));
        partition.bytes = static_cast<std::uint64_t>(
            std::max<std::int64_t>(guestfs_blockdev_getsize64(guest.get(), device.c_str()), 0));
        if (type == bios_boot) {
            report.boots.emplace_back("BIOS");
        }
        if (partition.file_system == "vfat" && has_file(guest, device, "/EFI/BOOT/BOOTX64.EFI")) {
            report.boots.emplace_back("UEFI");
            esp = device;
        }
        if (root.empty() && has_system(guest, device)) {
            root = device;
        }
        report.partitions.push_back(std::move(partition));
    }
    if (root.empty()) {
        fail(ErrorKind::invalid, "no partition of '", guest.name(), "' has a system");
    }
    if (!esp.empty()) {
        const TempDir work;
        copy_efi_programs(guest, esp, root, work.path());
        report.efi_programs = read_efi_programs(work.path());
    }
    guest.check(guestfs_mount_ro(guest.get(), root.c_str(), "/"));
    for (const std::string& path : inspected_paths()) {
        copy_out(guest, path, folder);
    }
    guest.check(guestfs_umount_all(guest.get()));
}

}  // namespace gearbox::builder
