#include "efi_signature.h"
#include "inspect.h"

#include "base/error.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::string with(std::size_t offset, std::string_view magic) {
    std::string start(65536, '\0');
    return start.replace(offset, magic.size(), magic);
}

std::string kind_of(const std::string& start, std::vector<std::string> members = {}) {
    return to_string(find_kind(start, [members] { return members; }));
}

TEST(FindKind, GoesByContents) {
    std::string medium = with(32769, "CD001");
    EXPECT_EQ(kind_of(medium.replace(512, 8, "EFI PART")), "iso");
    EXPECT_EQ(kind_of(with(512, "EFI PART")), "raw");
    EXPECT_EQ(kind_of(with(0, "QFI\xfb")), "qcow2");
    EXPECT_EQ(kind_of(with(0, "KDMV")), "vmdk");
    EXPECT_EQ(kind_of(with(64, "\x7f\x10\xda\xbe")), "vdi");
    EXPECT_EQ(kind_of(with(0, "\x28\xb5\x2f\xfd")), "tar");
    const std::string archive = with(257, "ustar");
    EXPECT_EQ(kind_of(archive, {"g.ovf", "g.mf", "g-disk1.vmdk"}), "ova");
    EXPECT_EQ(kind_of(archive, {"metadata.json", "box.ovf"}), "vagrant-virtualbox");
    EXPECT_EQ(kind_of(archive, {"metadata.json", "box.img"}), "vagrant-libvirt");
    EXPECT_EQ(kind_of(archive, {"oci-layout", "index.json"}), "oci");
}

TEST(FindKind, KnowsNothingElse) {
    EXPECT_THROW(kind_of(with(257, "ustar"), {"README"}), Error);
    EXPECT_THROW(kind_of(""), Error);
    EXPECT_THROW(kind_of("KDM"), Error);
}

class TakeTreeTest : public testing::Test {
protected:
    void put(const std::string& name, const std::string& text) {
        fs::create_directories((folder.path() / name).parent_path());
        write_file_atomically(folder.path() / name, text);
    }
    TempDir folder;
};

TEST_F(TakeTreeTest, ReadsWhatTheTreeSays) {
    put("var/lib/dpkg/status",
        "Package: linux-image-6.12.1-amd64\nStatus: install ok installed\nVersion: 6.12.1-1\n\n"
        "Package: linux-image-amd64\nStatus: install ok installed\nVersion: 6.12.1-1\n");
    put("usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n");
    put("etc/selinux/config", "# a = b\nSELINUX=enforcing\nSELINUXTYPE=default\n");
    put("etc/selinux/default/policy/policy.33", "");
    put(image_about, R"({"tree": "abc", "recipe": "livecd.ks", "version": "1", "builder": "2"})");
    ImageReport report;
    report.file = "x.iso";
    report.kind = ImageKind::iso;
    report.boots = {"BIOS", "UEFI"};
    take_tree(folder.path(), report);
    EXPECT_THAT(report.kernels, ElementsAre("6.12.1-amd64"));
    const std::string text = to_text(report, true);
    for (const char* line :
         {"system      Debian GNU/Linux 13 (trixie)\n", "boots       BIOS, UEFI\n",
          "SELinux     enforcing, policy default, version 33\n", "tree        abc\n",
          "recipe      livecd.ks\n", "packages    2\n",
          "            linux-image-amd64 6.12.1-1\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    const Json json = to_json(report, false);
    EXPECT_EQ(json.at("package_count"), 2);
    EXPECT_EQ(json.at("about").at("tree"), "abc");
    EXPECT_FALSE(json.contains("packages"));
    EXPECT_EQ(to_json(report, true).at("packages").size(), 2u);
}

TEST_F(TakeTreeTest, SaysWhoSignedWhatStarts) {
    ImageReport report;
    EXPECT_THAT(to_text(report, false), testing::Not(HasSubstr("Secure Boot")));
    report.efi_programs = {{"GRUB", {}}, {"kernel", {"Debian"}}};
    EXPECT_FALSE(starts_securely(report));
    report.efi_programs = {{"shim", {"One", "Two"}}, {"GRUB", {"Debian"}}, {"kernel", {}}};
    EXPECT_FALSE(starts_securely(report));
    EXPECT_THAT(to_text(report, false),
                HasSubstr("Secure Boot no, signed are: shim by One, Two; GRUB by Debian; kernel by nobody\n"));
    report.efi_programs.back().signers = {"Debian"};
    EXPECT_TRUE(starts_securely(report));
    EXPECT_EQ(to_json(report, false).at("efi_programs").at(0),
              Json({{"role", "shim"}, {"signers", {"One", "Two"}}}));
}

TEST_F(TakeTreeTest, ReadsTheProgramsOfOldAndNewImages) {
    put("BOOTX64.EFI", "GRUB");
    put("vmlinuz-6.12", "kernel");
    ASSERT_EQ(read_efi_programs(folder.path()).size(), 2u);
    EXPECT_EQ(read_efi_programs(folder.path()).front().role, "GRUB");
    put("grubx64.efi", "GRUB");
    EXPECT_EQ(read_efi_programs(folder.path()).front().role, "shim");
}

// A program of 64 bit whose table of certificates is at `at`, `size` bytes.
std::string program_with(std::string table, std::uint8_t at, std::uint8_t size) {
    std::string program(0x100, '\0');
    program.replace(0, 2, "MZ");
    program[0x3c] = 0x40;
    program.replace(0x40, 2, "PE");
    program[0x40 + 24] = '\x0b';
    program[0x40 + 25] = '\x02';
    program[0x40 + 168] = static_cast<char>(at);
    program[0x40 + 172] = static_cast<char>(size);
    return program.replace(0xf0, table.size(), table);
}

TEST(FindSigners, FindsNobodyInWhatIsNotSigned) {
    EXPECT_THAT(find_signers(""), testing::IsEmpty());
    EXPECT_THAT(find_signers("MZ"), testing::IsEmpty());
    EXPECT_THAT(find_signers(program_with("", 0, 0)), testing::IsEmpty());
    std::string wild = program_with("", 0, 0);
    wild.replace(0x3c, 4, "\xff\xff\xff\xff");
    EXPECT_THAT(find_signers(wild), testing::IsEmpty());
}

TEST(FindSigners, StopsAtTablesThatAreWrong) {
    const std::string header("\x10\0\0\0\0\x02\x02\0", 8);
    EXPECT_THAT(find_signers(program_with(header + "no DER", 0xf0, 0x10)), testing::IsEmpty());
    EXPECT_THAT(find_signers(program_with(header, 0xf0, 0xff)), testing::IsEmpty()) << "beyond the end";
    EXPECT_THAT(find_signers(program_with("", 0xf0, 0x10)), testing::IsEmpty()) << "an entry of no size";
    EXPECT_THAT(find_signers(program_with("\x11", 0xf0, 0x10)), testing::IsEmpty()) << "larger than the table";
}

TEST(FindSigners, NamesDebian) {
    const auto grub = find_file("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed");
    ASSERT_TRUE(grub) << "packages/build.txt has its package";
    EXPECT_THAT(find_signers(*grub), ElementsAre("Debian Secure Boot CA"));
    EXPECT_THAT(find_signers(grub->substr(0, grub->size() / 2)), testing::IsEmpty());
}

TEST_F(TakeTreeTest, AnOlderImageSaysLess) {
    ImageReport report;
    take_tree(folder.path(), report);
    EXPECT_THAT(to_text(report, false), HasSubstr("tree        unknown\n"));
    EXPECT_THAT(to_text(report, false), HasSubstr("SELinux     off\n"));
    EXPECT_THAT(to_text(report, false), HasSubstr("kernel      none\n"));
}

}  // namespace
}  // namespace gearbox::builder
