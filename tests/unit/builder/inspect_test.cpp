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

TEST_F(TakeTreeTest, AnOlderImageSaysLess) {
    ImageReport report;
    take_tree(folder.path(), report);
    EXPECT_THAT(to_text(report, false), HasSubstr("tree        unknown\n"));
    EXPECT_THAT(to_text(report, false), HasSubstr("SELinux     off\n"));
    EXPECT_THAT(to_text(report, false), HasSubstr("kernel      none\n"));
}

}  // namespace
}  // namespace gearbox::builder
