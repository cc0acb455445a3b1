// Disk images of a tiny tree, made by the real tools and then looked into. Needs root: the tree is
// an overlay.
#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "build_log.h"
#include "compare.h"
#include "disk_layout.h"
#include "hash.h"
#include "efi_signature.h"
#include "inspect.h"
#include "layers.h"
#include "stages/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/xattr.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>

namespace gearbox::builder {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

constexpr std::int64_t epoch = 1767225600;
constexpr int disk_mib = 256;

class DiskImageTest : public testing::Test {
protected:
    static void SetUpTestSuite() { enter_private_mounts(); }

    DiskImageTest() {
        for (const char* point : {"boot", "etc/credstore", "proc", "sys", "dev", "run", "tmp"}) {
            fs::create_directories(tree / point);
        }
        put("boot/vmlinuz-6.12", "kernel");
        put("etc/selinux/default/contexts/files/file_contexts",
            "/boot/.*\tsystem_u:object_r:boot_t:s0\n/lost\\+found\t-d\tsystem_u:object_r:lost_found_t:s0\n");
        put("usr/bin/a program", "#!/bin/sh\n");
        put("run/left", "over");
        EXPECT_EQ(::chown((tree / "usr/bin/a program").c_str(), 33, 33), 0);
        label("", "root_t");
        label("boot", "boot_t");
        label("usr/bin/a program", "bin_t");
        write_file_atomically(folder.path() / "initrd.img", "initramfs");
        write_file_atomically(folder.path() / "menu", "# a template\nlinux @KERNEL@ @ROOT@\n");
    }

    void put(const std::string& name, const std::string& text) {
        fs::create_directories((tree / name).parent_path());
        write_file_atomically(tree / name, text);
    }

    void label(const std::string& name, const char* type) {
        const std::string text = str("system_u:object_r:", type, ":s0");
        const std::string path = (tree / name).string();
        ASSERT_EQ(::lsetxattr(path.c_str(), "security.selinux", text.c_str(), text.size() + 1, 0),
                  0);
    }

    /// Runs a stage into a folder of its own, which it returns.
    fs::path run(void (*stage)(StageContext&), const std::string& name,
                 std::map<std::string, fs::path> artifacts) {
        const fs::path out = folder.path() / name / "files";
        fs::create_directories(out);
        StageContext context{options,
                             sources,
                             folder.path(),
                             tree,
                             out,
                             std::move(artifacts),
                             tools,
                             [](double, const std::string&) {},
                             "id of the stage"};
        stage(context);
        return out;
    }

    fs::path make_raw(const std::string& name) {
        return run(stages::run_raw, name, {{"initramfs", folder.path()}}) / "disk.raw";
    }

    std::string debugfs(const fs::path& disk, const std::string& command) {
        const auto offset = make_disk_layout(disk_mib).root.start * sector_bytes;
        return run_tool_checked({"debugfs", "-R", command, str(disk.string(), "?offset=", offset)});
    }

    TempDir folder;
    fs::path tree = folder.path() / "tree";
    BuildLog log{folder.path() / "log"};
    HostTools tools{log, epoch};
    std::map<std::string, fs::path> sources{{"boot_menu", folder.path() / "menu"}};
    Json options{{"disk_size", disk_mib}, {"source_date_epoch", epoch},
                 {"title", "T"},          {"version", "1"},
                 {"timeout", 3},          {"arguments", ""}};
};

TEST_F(DiskImageTest, HasItsPartitionsAndGrub) {
    const fs::path disk = make_raw("one");
    const Json table = parse_json(run_tool_checked({"sfdisk", "--json", disk.string()}));
    const Json& partitions = table.at("partitiontable").at("partitions");
    ASSERT_EQ(partitions.size(), 3u);
    const DiskLayout layout = make_disk_layout(disk_mib);
    EXPECT_EQ(partitions.at(2).at("start"), layout.root.start);
    EXPECT_EQ(partitions.at(2).at("size"), layout.root.size);
    EXPECT_EQ(partitions.at(1).at("name"), "esp");
    const std::string start = read_file(disk, 1u << 30).substr(0, 3 << 20);
    EXPECT_THAT(start.substr(0, 440), HasSubstr("GRUB"));
    EXPECT_EQ(start.substr(510, 2), "\x55\xaa");
    const auto of_esp = [&](const char* path) {
        return run_tool_checked({"mtype", "-i", str(disk.string(), "@@2M"), path});
    };
    EXPECT_THAT(find_signers(of_esp("::EFI/BOOT/BOOTX64.EFI")), testing::Contains(HasSubstr("Microsoft")));
    EXPECT_THAT(find_signers(of_esp("::EFI/BOOT/grubx64.efi")), testing::ElementsAre("Debian Secure Boot CA"));
    EXPECT_THAT(of_esp("::boot/grub/grub.cfg"), HasSubstr("set root=$disk,gpt3\n"));
}

TEST_F(DiskImageTest, KeepsLabelsOwnersAndQuotas) {
    const fs::path disk = make_raw("one");
    const auto label_of = [&](const char* path) {
        return debugfs(disk, str("ea_get ", path, " security.selinux"));
    };
    EXPECT_THAT(label_of("/"), HasSubstr(":root_t:"));
    EXPECT_THAT(label_of("\"/usr/bin/a program\""), HasSubstr(":bin_t:"));
    EXPECT_THAT(label_of("/lost+found"), HasSubstr(":lost_found_t:"));
    EXPECT_THAT(label_of("/boot/initrd.img-6.12"), HasSubstr(":boot_t:"));
    EXPECT_THAT(label_of("/boot/grub/grub.cfg"), HasSubstr(":boot_t:"));
    const std::string program = debugfs(disk, "stat \"/usr/bin/a program\"");
    EXPECT_THAT(program, HasSubstr("User:    33   Group:    33"));
    for (const char* time : {"ctime", "atime", "mtime"}) {
        EXPECT_THAT(program, HasSubstr(str(time, ": 0x6955b900:00000000")));
    }
    EXPECT_THAT(debugfs(disk, "list_quota user"), HasSubstr("33"));
    EXPECT_THAT(debugfs(disk, "stats"), HasSubstr("quota metadata_csum project"));
    EXPECT_THAT(debugfs(disk, "ls /run"), Not(HasSubstr("left")));
}

TEST_F(DiskImageTest, StartsItsOwnRootFileSystem) {
    const fs::path disk = make_raw("one");
    const std::string uuid = make_uuid("id of the stage", "root");
    EXPECT_THAT(debugfs(disk, "stats"), HasSubstr(uuid));
    EXPECT_EQ(debugfs(disk, "cat /boot/grub/grub.cfg"),
              str("linux /boot/vmlinuz-6.12 gearbox.root=", uuid, "\n"));
    EXPECT_EQ(debugfs(disk, "cat /boot/initrd.img-6.12"), "initramfs");
}

TEST_F(DiskImageTest, IsTheSameEveryTime) {
    const std::string first = hash_file(make_raw("one"));
    // Another folder, other times, another order of the folder's entries.
    fs::rename(tree, folder.path() / "old");
    fs::copy(folder.path() / "old", tree, fs::copy_options::recursive);
    run_tool_checked({"cp", "-a", "--no-preserve=timestamps", (folder.path() / "old/.").string(),
                      tree.string()});
    EXPECT_EQ(hash_file(make_raw("two")), first);
}

TEST_F(DiskImageTest, ConvertsToTheSameDiskAndTheSameBytes) {
    const fs::path raw = make_raw("raw");
    struct Row {
        void (*stage)(StageContext&);
        const char* file;
        const char* format;
    };
    for (const Row& row :
         {Row{stages::run_qcow2, "disk.qcow2", "qcow2"}, Row{stages::run_vmdk, "disk.vmdk", "vmdk"},
          Row{stages::run_vdi, "disk.vdi", "vdi"}}) {
        const std::map<std::string, fs::path> made{{"raw", raw.parent_path()}};
        const fs::path one = run(row.stage, str(row.format, "1"), made) / row.file;
        const fs::path two = run(row.stage, str(row.format, "2"), made) / row.file;
        EXPECT_EQ(hash_file(one), hash_file(two)) << row.format;
        EXPECT_EQ(run_tool({"qemu-img", "compare", "-f", "raw", "-F", row.format, raw.string(),
                            one.string()})
                      .status,
                  0)
            << row.format;
        EXPECT_STREQ(to_string(open_image_file(one, folder.path()).kind), row.format);
        EXPECT_EQ(open_image_file(one, folder.path()).format, row.format);
    }
}

TEST_F(DiskImageTest, WhatIsAroundADiskOrATreeIsTheSameEveryTime) {
    const fs::path disk = make_raw("raw");
    const std::map<std::string, fs::path> raw{{"raw", disk.parent_path()}};
    const fs::path vmdk = run(stages::run_vmdk, "vmdk", raw);
    const fs::path qcow2 = run(stages::run_qcow2, "qcow2", raw);
    const std::map<std::string, fs::path> parts{{"vmdk", vmdk},
                                                {"vagrant-vmdk", vmdk},
                                                {"vagrant-qcow2", qcow2},
                                                {"tar", run(stages::run_tar, "tar", {})}};
    struct Row {
        void (*stage)(StageContext&);
        const char* file;
        const char* kind;
    };
    for (const Row& row : {Row{stages::run_ova, "machine.ova", "ova"},
                           Row{stages::run_vagrant_virtualbox, "virtualbox.box", "vagrant-virtualbox"},
                           Row{stages::run_vagrant_libvirt, "libvirt.box", "vagrant-libvirt"},
                           Row{stages::run_oci, "image.oci.tar", "oci"}}) {
        const fs::path one = run(row.stage, str(row.file, "1"), parts) / row.file;
        const std::time_t made = std::time(nullptr);
        while (std::time(nullptr) == made) {
            // allowed: the archives keep whole seconds
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        const fs::path two = run(row.stage, str(row.file, "2"), parts) / row.file;
        EXPECT_GT(fs::file_size(one), 0u) << row.file;
        EXPECT_EQ(hash_file(one), hash_file(two)) << row.file;
        const ImageFile opened = open_image_file(one, folder.path());
        EXPECT_STREQ(to_string(opened.kind), row.kind);
        if (!opened.format.empty()) {
            EXPECT_EQ(run_tool({"qemu-img", "compare", "-f", "raw", "-F", opened.format, disk.string(),
                                opened.file.string()})
                          .status,
                      0)
                << row.file;
        }
    }
}

TEST_F(DiskImageTest, AVagrantBoxHasOneFileMore) {
    const fs::path raw = make_raw("raw");
    const fs::path disk =
        run(stages::run_vagrant_disk, "vagrant", {{"raw", raw.parent_path()}}) / "disk.raw";
    const std::string file = "/etc/credstore/gearbox.operator_key";
    EXPECT_THAT(debugfs(disk, "cat " + file), HasSubstr("vagrant insecure public key\n"));
    EXPECT_THAT(debugfs(disk, "stat " + file), HasSubstr("Mode:  0600"));
    EXPECT_THAT(debugfs(disk, "ea_get " + file + " security.selinux"), HasSubstr(":etc_t:"));
    EXPECT_EQ(hash_file(disk),
              hash_file(run(stages::run_vagrant_disk, "again", {{"raw", raw.parent_path()}}) /
                        "disk.raw"));
}

TEST_F(DiskImageTest, ATarKeepsLabels) {
    const fs::path one = run(stages::run_tar, "one", {}) / "root.tar.zst";
    const fs::path unpacked = folder.path() / "unpacked";
    fs::create_directory(unpacked);
    run_tool_checked({"tar", "--extract", "--file", one.string(), "--directory", unpacked.string(),
                      "--xattrs", "--xattrs-include=*"});
    char label[64]{};
    ASSERT_GT(::lgetxattr((unpacked / "usr/bin/a program").c_str(), "security.selinux", label,
                          sizeof label),
              0);
    EXPECT_THAT(label, HasSubstr(":bin_t:"));
    EXPECT_FALSE(fs::exists(unpacked / "run/left"));
    EXPECT_EQ(hash_file(one), hash_file(run(stages::run_tar, "two", {}) / "root.tar.zst"));
    EXPECT_EQ(
        read_file(one.parent_path() / "unpacked.sha256"),
        run_tool_checked({"sh", "-c", "zstd -dc \"$1\" | sha256sum | cut -c1-64 | tr -d '\\n'",
                          "sh", one.string()}));
}

TEST_F(DiskImageTest, AnOciArchiveNamesWhatIsInIt) {
    const fs::path layer = run(stages::run_tar, "tar", {});
    const fs::path image = run(stages::run_oci, "oci", {{"tar", layer}}) / "image.oci.tar";
    const auto part = [&image](const std::string& name) {
        return run_tool_checked(
            {"tar", "--extract", "--to-stdout", "--file", image.string(), name});
    };
    const auto blob = [&](const Json& descriptor) {
        const auto digest = descriptor.at("digest").get<std::string>().substr(7);
        const std::string data = part("blobs/sha256/" + digest);
        EXPECT_EQ(hash_text(data), digest);
        EXPECT_EQ(data.size(), descriptor.at("size").get<std::size_t>());
        return data;
    };
    const Json index = parse_json(part("index.json"));
    ASSERT_EQ(index.at("manifests").size(), 1u);
    const Json manifest = parse_json(blob(index.at("manifests").at(0)));
    const Json config = parse_json(blob(manifest.at("config")));
    ASSERT_EQ(manifest.at("layers").size(), 1u);
    EXPECT_EQ(blob(manifest.at("layers").at(0)), read_file(layer / "root.tar.zst"));
    EXPECT_EQ(config.at("rootfs").at("diff_ids").at(0),
              "sha256:" + read_file(layer / "unpacked.sha256"));
}

// Two starts of libguestfs' virtual machine; the other formats take no more than a file's time.
TEST_F(DiskImageTest, CanBeInspectedAndComparedWithoutABoot) {
    ::setenv("LIBGUESTFS_BACKEND_SETTINGS", "force_tcg", 1);
    put("var/lib/dpkg/status",
        "Package: linux-image-6.12-amd64\nStatus: install ok installed\nVersion: 6.12\n");
    put("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=default\n");
    put("etc/selinux/default/policy/policy.33", "policy");
    put(image_about, R"({"tree": "of the tree"})");
    const auto box = [this](const std::string& name) {
        const std::map<std::string, fs::path> raw{{"raw", make_raw(name + "-raw").parent_path()}};
        const fs::path qcow2 = run(stages::run_qcow2, name + "-disk", raw);
        return run(stages::run_vagrant_libvirt, name + "-box", {{"vagrant-qcow2", qcow2}}) / "libvirt.box";
    };
    const auto open = [this](const fs::path& image) {
        const fs::path work = image.parent_path() / "opened";
        fs::create_directory(work);
        return open_image(image, work);
    };
    const OpenedImage one = open(box("one"));
    const ImageReport& disk = one.report;
    EXPECT_EQ(disk.kind, ImageKind::vagrant_libvirt);
    EXPECT_EQ(disk.capacity, std::uint64_t{disk_mib} << 20);
    EXPECT_THAT(disk.boots, testing::ElementsAre("BIOS", "UEFI"));
    ASSERT_EQ(disk.efi_programs.size(), 3u);
    EXPECT_THAT(disk.efi_programs[1].signers, testing::ElementsAre("Debian Secure Boot CA"));
    EXPECT_EQ(disk.efi_programs[2].role, "kernel");
    EXPECT_FALSE(starts_securely(disk));  // its kernel is a text
    ASSERT_EQ(disk.partitions.size(), 3u);
    EXPECT_EQ(disk.partitions[1].role, "EFI system");
    EXPECT_EQ(disk.partitions[2].file_system, "ext4");

    const fs::path tar = run(stages::run_tar, "tar", {});
    const fs::path oci = run(stages::run_oci, "oci", {{"tar", tar}}) / "image.oci.tar";
    for (const ImageReport& report :
         {disk, inspect_image(tar / "root.tar.zst"), inspect_image(oci)}) {
        EXPECT_EQ(report.policy, "default, version 33") << to_string(report.kind);
        EXPECT_EQ(report.selinux, "enforcing");
        EXPECT_THAT(report.kernels, testing::ElementsAre("6.12-amd64"));
        EXPECT_EQ(report.about.at("tree"), "of the tree");
    }
    EXPECT_EQ(inspect_image(oci).kind, ImageKind::oci);
    EXPECT_THROW(inspect_image(tar / "unpacked.sha256"), Error);

    put("etc/motd", "two");
    label("usr/bin/a program", "shell_exec_t");
    EXPECT_THAT(compare_images(one, open(box("two"))),
                testing::IsSupersetOf({"partition 3 of the disk has other bytes", "in the tree: /etc/motd: only in the second",
                                       "in the tree: /usr/bin/a program: label system_u:object_r:bin_t:s0 and "
                                       "system_u:object_r:shell_exec_t:s0"}));
}

}  // namespace
}  // namespace gearbox::builder
