// Disk images as values: partitions, GRUB's sectors, what is patched, machines, boxes, lists.
#include "base/error.h"
#include "base/file.h"
#include "disk_layout.h"
#include "disk_patches.h"
#include "golden.h"
#include "hash.h"
#include "manifest.h"
#include "ovf.h"
#include "sparse.h"
#include "tar_archive.h"
#include "vagrant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <fstream>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
namespace fs = std::filesystem;

TEST(DiskLayout, LeavesRoomForTheSecondTable) {
    const DiskLayout layout = make_disk_layout(8192);
    EXPECT_EQ(layout.sectors, 16777216u);
    EXPECT_EQ(layout.root.start, layout.esp.start + layout.esp.size);
    EXPECT_EQ(layout.root.start + layout.root.size + 2048, layout.sectors);
    EXPECT_EQ(layout.root.size * sector_bytes % 4096, 0u);
    EXPECT_THROW(make_disk_layout(63), Error);
}

TEST(DiskLayout, IdentifiersAreMadeOfTheOwner) {
    EXPECT_THAT(
        make_uuid("a", "root"),
        MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(make_uuid("a", "root"), make_uuid("a", "root"));
    EXPECT_NE(make_uuid("a", "root"), make_uuid("b", "root"));
    EXPECT_NE(make_uuid("a", "root"), make_uuid("a", "esp"));
}

TEST(DiskLayout, IsWrittenForSfdisk) {
    expect_golden("disks/sfdisk.txt", make_partition_script(make_disk_layout(8192), "owner"));
}

TEST(DiskLayout, TakesWhatDiskThereIs) {
    expect_golden("disks/sfdisk-any.txt", make_partition_script(DiskLayout(), ""));
}

TEST(Grub, KnowsWhereItsCoreIs) {
    const std::string code = make_boot_code(std::string(512, '\x7f'), 2048);
    ASSERT_EQ(code.size(), 440u);
    EXPECT_EQ(code.substr(0x5c, 8), std::string("\x00\x08\x00\x00\x00\x00\x00\x00", 8));
    EXPECT_EQ(code.substr(0x66, 2), "\x90\x90");
    EXPECT_EQ(code[0x64], '\x7f');
    EXPECT_THROW(make_boot_code("short", 2048), Error);
}

TEST(Grub, CoreIsPaddedAndKnowsItsRest) {
    const std::string core = make_boot_core(std::string(1025, '\x7f'), {2048, 2048});
    ASSERT_EQ(core.size(), 1536u);
    EXPECT_EQ(core.substr(0x1f4, 12),
              std::string("\x01\x08\x00\x00\x00\x00\x00\x00\x02\x00\x20\x08", 12));
    EXPECT_THROW(make_boot_core(std::string(2049 * 512, 'x'), {2048, 2048}), Error);
    EXPECT_THROW(make_boot_core("one sector", {2048, 2048}), Error);
}

TEST(Vmdk, DescriptorLosesWhatChanges) {
    EXPECT_EQ(patch_vmdk_descriptor("version=1\nCID=68f5a9d2\nparentCID=ffffffff\n"
                                    "ddb.uuid.image=\"old\"\nddb.adapterType = \"lsilogic\"\n",
                                    "01234567-89ab-8cde-8f01-23456789abcd"),
              "version=1\nCID=01234567\nparentCID=ffffffff\nddb.adapterType = \"lsilogic\"\n"
              "ddb.uuid.image=\"01234567-89ab-8cde-8f01-23456789abcd\"\n"
              "ddb.uuid.modification=\"01234567-89ab-8cde-8f01-23456789abcd\"\n"
              "ddb.uuid.parent=\"00000000-0000-0000-0000-000000000000\"\n"
              "ddb.uuid.parentmodification=\"00000000-0000-0000-0000-000000000000\"\n");
}

TEST(Patches, RefuseOtherFiles) {
    const TempDir folder;
    write_file_atomically(folder.path() / "f", std::string(4096, 'x'));
    EXPECT_THROW(patch_vmdk(folder.path() / "f", make_uuid("a", "b")), Error);
    EXPECT_THROW(patch_vdi(folder.path() / "f", make_uuid("a", "b"), make_uuid("a", "c")), Error);
    EXPECT_EQ(read_file(folder.path() / "f"), std::string(4096, 'x'));
}

TEST(Sparse, HolesStayHoles) {
    const TempDir folder;
    const fs::path from = folder.path() / "from";
    write_file_atomically(from, "data");
    fs::resize_file(from, 64 << 20);
    std::ofstream(from, std::ios::in | std::ios::binary).seekp(32 << 20) << "more";
    copy_sparse(from, folder.path() / "to");
    EXPECT_EQ(hash_file(from), hash_file(folder.path() / "to"));
    struct stat about {};
    ASSERT_EQ(::stat((folder.path() / "to").c_str(), &about), 0);
    EXPECT_LT(about.st_blocks * 512, 1 << 20);
    copy_sparse_at(folder.path() / "to", folder.path() / "disk", 1 << 20);
    EXPECT_EQ(read_file(folder.path() / "disk").substr(1 << 20, 4), "data");
    EXPECT_EQ(read_file(folder.path() / "disk").substr(33 << 20, 4), "more");
}

VirtualMachine machine() {
    VirtualMachine machine;
    machine.name = "gearbox-0.1.0";
    machine.product = "Gears & <Boxes>";
    machine.version = "0.1.0";
    machine.disk = "gearbox-0.1.0-disk1.vmdk";
    machine.disk_bytes = 123456;
    machine.capacity_bytes = 8589934592;
    machine.disk_uuid = make_uuid("owner", "disk");
    machine.machine_uuid = make_uuid("owner", "machine");
    return machine;
}

TEST(Ovf, IsWritten) {
    expect_golden("disks/machine.ovf", make_ovf(machine()));
}

TEST(Ovf, HasTheAddressThatABoxWants) {
    VirtualMachine box = machine();
    EXPECT_THAT(make_ovf(box), Not(HasSubstr("MACAddress")));
    box.mac = vagrant_mac;
    EXPECT_THAT(make_ovf(box), HasSubstr(str(" MACAddress=\"", vagrant_mac, "\"")));
    EXPECT_THAT(box_vagrantfile(), HasSubstr(str("base_mac = \"", vagrant_mac, "\"")));
}

TEST(Vagrant, FilesOfTheBox) {
    // A second line would stay in the machine: Vagrant 2.3 removes only the key that it knows.
    EXPECT_THAT(vagrant_public_key, MatchesRegex("ssh-rsa [A-Za-z0-9+/=]+ vagrant insecure public key\n"));
    EXPECT_EQ(libvirt_metadata(8),
              "{\"format\":\"qcow2\",\"provider\":\"libvirt\",\"virtual_size\":8}\n");
    EXPECT_EQ(virtualbox_metadata(), "{\"provider\":\"virtualbox\"}\n");
    expect_golden("disks/Vagrantfile", box_vagrantfile());
}

TEST(TarArchive, DependsOnItsContentsOnly) {
    const TempDir folder;
    std::vector<std::string> hashes;
    for (const char* name : {"a.tar", "b.tar"}) {
        write_file_atomically(folder.path() / "disk", "contents");
        TarArchive tar(folder.path() / name, 1767225600);
        tar.text("metadata.json", "{}\n");
        tar.file("disk.img", folder.path() / "disk");
        tar.close();
        hashes.push_back(hash_file(folder.path() / name));
    }
    EXPECT_EQ(hashes[0], hashes[1]);
    const std::string data = read_file(folder.path() / "a.tar");
    EXPECT_EQ(data.substr(0, 14), std::string("metadata.json\0", 14));
    EXPECT_EQ(data.substr(257, 6), std::string("ustar\0", 6));
    EXPECT_EQ(data.substr(1536, 8), "contents");
}

constexpr const char* dpkg_status =
    "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n"
    "Source: zlib (1:1.3)\nVersion: 1:1.3+b1\nDescription: compression\n more: text\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
    "Package: libstdc++6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 14~1\n";

TEST(Packages, AreReadFromDpkg) {
    const auto packages = parse_dpkg_status(dpkg_status);
    ASSERT_EQ(packages.size(), 2u);
    EXPECT_EQ(packages[0].name, "libstdc++6");
    EXPECT_EQ(packages[0].source, "libstdc++6");
    EXPECT_EQ(packages[0].source_version, "14~1");
    EXPECT_EQ(packages[1].version, "1:1.3+b1");
    EXPECT_EQ(packages[1].source, "zlib");
    EXPECT_EQ(packages[1].source_version, "1:1.3");
}

TEST(Packages, AreListedAsSpdx) {
    const Json spdx =
        make_spdx({"Gearbox", "0.1.0", "trixie", "id", 1767225600}, parse_dpkg_status(dpkg_status));
    EXPECT_EQ(spdx.at("creationInfo").at("created"), "2026-01-01T00:00:00Z");
    EXPECT_EQ(spdx.at("documentNamespace"), "urn:gearbox:image:id");
    ASSERT_EQ(spdx.at("packages").size(), 3u);
    ASSERT_EQ(spdx.at("relationships").size(), 3u);
    const Json& package = spdx.at("packages").at(1);
    EXPECT_EQ(package.at("SPDXID"), "SPDXRef-Package-libstdc-plus--plus-6-amd64");
    EXPECT_EQ(package.at("externalRefs").at(0).at("referenceLocator"),
              "pkg:deb/debian/libstdc%2B%2B6@14~1?arch=amd64&distro=trixie");
}

TEST(Manifest, NamesImages) {
    EXPECT_EQ(image_name("Gearbox", "0.1.0"), "gearbox-0.1.0");
    EXPECT_EQ(image_name("Our Training / 2026", "1+b1"), "our-training---2026-1+b1");
}

TEST(Manifest, AccountsForASingleImage) {
    const TempDir folder;
    write_file_atomically(folder.path() / "packages.json", "[]");
    BuildPlan plan;
    plan.steps.push_back({"labels", StageKind::layer, "", Json(), {}, {}, "id"});
    plan.steps.push_back({"squashfs", StageKind::artifact, "", Json(), {}, {"labels"}, "id"});
    plan.steps.push_back({"iso", StageKind::artifact, "", Json(), {}, {"squashfs"}, "id"});
    const fs::path image = folder.path() / "box.iso";
    write_file_atomically(image, "image");
    const BuildResult result{{{"iso", image.string(), hash_text("image"), 5}}, "the tree", 1};
    const fs::path manifest = image.string() + ".manifest.json";
    write_manifest(plan, result, folder.path(), manifest, image.string() + ".sha256");
    const Json written = parse_json(read_file(manifest));
    EXPECT_EQ(written.at("tree"), "the tree");
    EXPECT_EQ(written.at("images").at(0).at("file"), "box.iso");
    EXPECT_EQ(written.at("images").at(0).at("path"), "tree → squashfs → iso");
    EXPECT_EQ(read_file(image.string() + ".sha256"),
              str(hash_text("image"), "  box.iso\n", hash_text(read_file(manifest)),
                  "  box.iso.manifest.json\n"));
}

}  // namespace
}  // namespace gearbox::builder
