// verify ONE OTHER of two tiny media by the real xorriso and squashfs-tools, and inspect; diffoscope is a stub.
#include "compare.h"
#include "inspect.h"

#include "base/file.h"
#include "base/str.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdlib>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

class CompareImagesTest : public testing::Test {
protected:
    CompareImagesTest() {
        fs::create_directory(folder.path() / "bin");
        // It is told two files after its options.
        write_file_atomically(folder.path() / "bin/diffoscope",
                              "#!/bin/sh\necho \"$# -$(cat \"$5\") +$(cat \"$6\")\"\n", 0755);
        ::setenv("PATH", str((folder.path() / "bin").string(), ":", path).c_str(), 1);
    }
    ~CompareImagesTest() override { ::setenv("PATH", path.c_str(), 1); }

    /// A medium with what each image has, and these texts in its menu and in a program of its tree.
    fs::path medium(const std::string& name, const std::string& menu, const std::string& program,
                    const std::string& date = "2026010100000000") {
        const fs::path work = folder.path() / name;
        run_tool_checked({"sh", "-ec",
                          "mkdir -p $1/tree/usr/bin $1/tree/var/lib/dpkg $1/tree/etc/selinux $1/tree/usr/lib/gearbox;"
                          "mkdir -p $1/medium/live $1/medium/EFI/BOOT; cd $1;"
                          "touch medium/live/vmlinuz medium/EFI/BOOT/BOOTX64.EFI;"
                          "printf 'Package: jq\\nStatus: install ok installed\\nVersion: 1.7\\n' >tree/var/lib/dpkg/status;"
                          "echo SELINUX=enforcing >tree/etc/selinux/config;"
                          "echo '{\"tree\": \"of the tree\"}' >tree/usr/lib/gearbox/image.json;"
                          "printf %s \"$2\" >medium/menu; printf %s \"$3\" >tree/usr/bin/program;"
                          "for image in base upper; do mksquashfs tree medium/live/$image.squashfs -quiet -no-progress -all-time 1 -mkfs-time 1;"
                          "rm -f tree/usr/bin/program; done;"
                          "find medium -exec touch -d @1 {} +;"
                          "xorriso -as mkisofs -quiet -r -V GEARBOX --modification-date=$4 -o image.iso medium",
                          "sh", work.string(), menu, program, date});
        return work / "image.iso";
    }

    TempDir folder;
    const std::string path = std::getenv("PATH");
};

TEST_F(CompareImagesTest, AFileOfAMediumGoesThroughDiffoscope) {
    const fs::path one = medium("one", "quiet", "a");
    const fs::path two = medium("two", "noisy", "a");
    EXPECT_THAT(compare_images(one, two), ElementsAre("on the medium: /menu: contents", "6 -quiet +noisy\n"));
    EXPECT_THAT(compare_images(one, one), IsEmpty());
}

TEST_F(CompareImagesTest, AFileOfAMediumsTreeDoes) {
    EXPECT_THAT(compare_images(medium("one", "quiet", "a"), medium("two", "quiet", "b")),
                ElementsAre("on the medium: /live/base.squashfs: contents", "in the base: /usr/bin/program: contents",
                            "6 -a +b\n"));
}

TEST_F(CompareImagesTest, WithoutDiffoscopeTheFilesAreNamed) {
    const fs::path one = medium("one", "quiet", "a");
    const fs::path two = medium("two", "noisy", "a");
    const fs::path tools = folder.path() / "tools";
    fs::create_directory(tools);
    for (const char* tool : {"chmod", "unsquashfs", "xorriso"}) {
        fs::create_symlink(str("/usr/bin/", tool), tools / tool);
    }
    ::setenv("PATH", tools.c_str(), 1);
    EXPECT_THAT(compare_images(one, two), ElementsAre("on the medium: /menu: contents"));
}

TEST_F(CompareImagesTest, OnlyTheMediumCanDiffer) {
    EXPECT_THAT(compare_images(medium("one", "quiet", "a"), medium("two", "quiet", "a", "2026020200000000")),
                ElementsAre(StartsWith("the files are the same; only the medium around them")));
}

TEST_F(CompareImagesTest, AMediumTellsWhatIsOnIt) {
    const fs::path image = medium("one", "quiet", "a");
    const ImageReport report = inspect_image(image);
    EXPECT_EQ(report.kind, ImageKind::iso);
    EXPECT_EQ(report.about.at("tree"), "of the tree");
    EXPECT_EQ(report.selinux, "enforcing");
    ASSERT_EQ(report.packages.size(), 1u);
    EXPECT_EQ(report.packages[0].name + " " + report.packages[0].version, "jq 1.7");
    ASSERT_EQ(report.partitions.size(), 3u);
    EXPECT_EQ(report.partitions[0].label, "GEARBOX");
    EXPECT_EQ(report.partitions[1].name, "/live/base.squashfs");
    EXPECT_EQ(report.partitions[2].file_system, "squashfs");
    EXPECT_THAT(report.boots, IsEmpty());  // the test's has no boot sector
    fs::permissions(folder.path(), fs::perms(0755));
    const auto as_nobody = [&image] {
        constexpr uid_t nobody = 65534;
        if (::setresgid(nobody, nobody, nobody) == 0 && ::setresuid(nobody, nobody, nobody) == 0) {
            ::_exit(inspect_image(image).efi_programs.size() == 2 ? 0 : 1);
        }
    };
    EXPECT_EXIT(as_nobody(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace gearbox::builder
