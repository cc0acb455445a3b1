// Kernels that come to a disk and go again: its boot menu and their initramfs, by the script of the image on a root of
// the test's own. Needs root: the builder's initramfs, which has to be the same, is made in a chroot.
#include "base/file.h"
#include "base/subprocess.h"
#include "build_log.h"
#include "layers.h"
#include "stages/stages.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mount.h>
#include <algorithm>
#include <filesystem>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* old_kernel = "6.12.9+deb13-amd64";
constexpr const char* new_kernel = "6.12.10+deb13-amd64";

class KernelsTest : public testing::Test {
protected:
    static void SetUpTestSuite() { enter_private_mounts(); }

    KernelsTest() {
        put("boot/grub/grub.cfg", "the menu");
        put("usr/lib/gearbox/initramfs/init", "#!/bin/busybox sh\n", 0755);
        put("usr/lib/gearbox/initramfs/modules", "# all of them\next4 virtio-blk # the root\n\nloop\n");
        put("usr/lib/gearbox/initramfs/programs", "/usr/bin/bash\n");
        add_program_and_what_it_needs();
        add_kernel(old_kernel);
        EXPECT_EQ(run_script().status, 0);
    }

    /// So that the builder can ask ldd in there.
    void add_program_and_what_it_needs() const {
        fs::create_directories(root / "proc");
        fs::create_directory_symlink("usr/bin", root / "bin");
        fs::create_directory_symlink("usr/lib", root / "lib");
        fs::create_directory_symlink("usr/lib64", root / "lib64");
        run_tool_checked({"sh", "-c",
                          "for file in /usr/bin/bash /usr/bin/ldd /usr/bin/env $(find /usr/lib/locale/C.utf8 -type f)"
                          " $(ldd /usr/bin/bash | grep -o '/[^ ]*'); do"
                          " install -D $file $0/usr${file#/usr}; done",
                          root.string()});
    }

    void put(const std::string& name, const std::string& text, int mode = 0644) const {
        fs::create_directories((root / name).parent_path());
        write_file_atomically(root / name, text, mode);
    }

    /// With modules in the three ways in which they may be packed, and one that is built in.
    void add_kernel(const std::string& version) const {
        const std::string modules = "usr/lib/modules/" + version;
        put(modules + "/kernel/fs/ext4.ko", "ext4 of " + version);
        put(modules + "/kernel/lib/crc16.ko", "crc16 of " + version);
        put(modules + "/kernel/fs/jbd2.ko", "jbd2 of " + version);
        put(modules + "/kernel/block/virtio_blk.ko", "virtio_blk of " + version);
        run_tool_checked({"xz", (root / modules / "kernel/fs/jbd2.ko").string()});
        run_tool_checked({"zstd", "-q", "--rm", (root / modules / "kernel/lib/crc16.ko").string()});
        put(modules + "/modules.dep", "kernel/fs/ext4.ko: kernel/fs/jbd2.ko.xz kernel/lib/crc16.ko.zst\n"
                                      "kernel/fs/jbd2.ko.xz: kernel/lib/crc16.ko.zst\nkernel/lib/crc16.ko.zst:\n"
                                      "kernel/block/virtio_blk.ko:\n");
        put(modules + "/modules.builtin", "kernel/drivers/block/loop.ko\n");
        put("boot/vmlinuz-" + version, "Linux " + version);
    }

    void remove_kernel(const std::string& version) const {
        fs::remove(root / "boot" / ("vmlinuz-" + version));
        fs::remove_all(root / "usr/lib/modules" / version);
    }

    /// `before`: shell commands that go first.
    ToolResult run_script(const std::string& renewed = "", const std::string& before = "") const {
        const std::string script = test::source_path("livecd/overlay/usr/libexec/gearbox/kernels");
        return run_tool({"sh", "-c", str(before, "\nGEARBOX_ROOT=", root.string(), " exec ", script, " ", renewed)});
    }

    std::vector<std::string> boot_files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(root / "boot")) {
            if (entry.is_regular_file()) {
                names.push_back(entry.path().filename().string());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string menu() const { return read_file(root / "boot/grub/kernels.cfg"); }
    fs::path initramfs(const std::string& version) const { return root / "boot" / ("initrd.img-" + version); }

    fs::path unpack(const fs::path& archive, const std::string& name) const {
        const fs::path to = folder.path() / name;
        fs::create_directories(to);
        run_tool_checked({"sh", "-c", "zstd -dcq \"$0\" | (cd \"$1\" && cpio -i --quiet)", archive.string(), to.string()});
        return to;
    }

    /// A program that comes before the system's.
    std::string replaced(const std::string& name, const std::string& script) const {
        const fs::path programs = folder.path() / "programs";
        fs::create_directories(programs);
        write_file_atomically(programs / name, "#!/bin/sh\n" + script, 0755);
        return str("export PATH=", programs.string(), ":$PATH");
    }

    TempDir folder;
    fs::path root = folder.path() / "root";
};

TEST_F(KernelsTest, TheNewestIsFirst) {
    EXPECT_THAT(menu(), HasSubstr(str("set kernel=/boot/vmlinuz-", old_kernel, "\nset initrd=/boot/initrd.img-", old_kernel,
                                      "\nset older=\"\"\n")));
    add_kernel(new_kernel);
    put("boot/vmlinuz-6.13.dpkg-new", "without modules");
    add_kernel("6.12.10~rc1");
    EXPECT_EQ(run_script(new_kernel).status, 0);
    EXPECT_THAT(menu(), HasSubstr(str("set kernel=/boot/vmlinuz-", new_kernel, "\nset initrd=/boot/initrd.img-", new_kernel,
                                      "\nset older=\"6.12.10~rc1 ", old_kernel, "\"\n")));
}

TEST_F(KernelsTest, WhatIsRemovedIsInNoMenu) {
    add_kernel(new_kernel);
    EXPECT_EQ(run_script(new_kernel).status, 0);
    remove_kernel(new_kernel);
    EXPECT_EQ(run_script().status, 0);
    EXPECT_THAT(menu(), HasSubstr(str("vmlinuz-", old_kernel, "\n")));
    EXPECT_THAT(menu(), HasSubstr("older=\"\""));
    EXPECT_THAT(boot_files(), ElementsAre(str("initrd.img-", old_kernel), str("vmlinuz-", old_kernel)));
    // There is nothing to put in its place.
    const std::string before = menu();
    remove_kernel(old_kernel);
    const ToolResult last = run_script();
    EXPECT_EQ(last.status, 0);
    EXPECT_THAT(last.out, HasSubstr("there is no kernel"));
    EXPECT_EQ(menu(), before);
}

// Of the same kernel, with the lists of the same folder.
TEST_F(KernelsTest, MakesTheInitramfsThatTheBuilderMakes) {
    EXPECT_EQ(run_script(old_kernel).status, 0);

    const std::map<std::string, fs::path> sources{{"initramfs", root / "usr/lib/gearbox/initramfs"}};
    const Json options{{"level", 3}, {"source_date_epoch", 1}};
    BuildLog log{folder.path() / "log"};
    HostTools tools{log, 1};
    StageContext context{options, sources, folder.path(), root, folder.path(), {}, tools, [](double, const std::string&) {},
                         "id"};
    stages::run_initramfs(context);
    const fs::path ours = unpack(initramfs(old_kernel), "ours");
    EXPECT_EQ(run_tool_checked({"diff", "-r", unpack(folder.path() / "initrd.img", "builders").string(), ours.string()}), "");
    EXPECT_EQ(read_file(ours / "m/order"), "crc16.ko\njbd2.ko\next4.ko\nvirtio_blk.ko\n");
    EXPECT_EQ(read_file(ours / "m/jbd2.ko"), str("jbd2 of ", old_kernel));
    const std::string list = "find . -printf '%p %M %U %G\\n' | sort";
    EXPECT_EQ(run_tool_checked({"sh", "-c", "cd \"$0\" && " + list, ours.string()}),
              run_tool_checked({"sh", "-c", "cd \"$0\" && " + list, (folder.path() / "builders").string()}));
}

TEST_F(KernelsTest, ADiskWithoutRoomKeepsWhatItHas) {
    const fs::path boot = root / "boot";
    const fs::path kept = folder.path() / "kept";
    fs::rename(boot, kept);
    fs::create_directory(boot);
    ASSERT_EQ(::mount("tmpfs", boot.c_str(), "tmpfs", 0, "size=8M"), 0);
    run_tool_checked({"cp", "-a", (kept / ".").string(), boot.string()});
    add_kernel(new_kernel);
    const std::string before = menu();
    run_tool({"dd", "if=/dev/zero", str("of=", (boot / "filler").string()), "bs=4096"});
    const auto files = boot_files();
    const ToolResult full = run_script(new_kernel);
    EXPECT_NE(full.status, 0);
    EXPECT_THAT(full.err, HasSubstr("No space left on device"));
    EXPECT_THAT(full.err, HasSubstr("the boot menu stays as it was"));
    EXPECT_EQ(menu(), before);
    EXPECT_EQ(boot_files(), files);

    fs::remove(boot / "filler");
    EXPECT_EQ(run_script(new_kernel).status, 0);
    EXPECT_THAT(menu(), HasSubstr(str("kernel=/boot/vmlinuz-", new_kernel)));
    ASSERT_EQ(::umount(boot.c_str()), 0);
}

// Before and after each file gets its name.
TEST_F(KernelsTest, WhoKillsItKeepsAMenuThatStarts) {
    for (const char* moment : {"*/initrd.img-*.new", "*/boot", "*/kernels.cfg.new"}) {
        const std::string before = menu();
        add_kernel(new_kernel);
        const ToolResult killed = run_script(
            new_kernel, replaced("sync", str("case $1 in ", moment, ") kill -9 $PPID ;; esac\nexec /usr/bin/sync \"$@\"\n")));
        EXPECT_NE(killed.status, 0) << moment;
        EXPECT_EQ(menu(), before) << moment;
        EXPECT_EQ(run_script().status, 0);
        EXPECT_THAT(menu(), HasSubstr(str("kernel=/boot/vmlinuz-", new_kernel))) << moment;
        EXPECT_EQ(read_file(unpack(initramfs(new_kernel), "whole") / "m/ext4.ko"), str("ext4 of ", new_kernel));
        EXPECT_THAT(boot_files(), ElementsAre(str("initrd.img-", new_kernel), str("initrd.img-", old_kernel),
                                              str("vmlinuz-", new_kernel), str("vmlinuz-", old_kernel)));
        remove_kernel(new_kernel);
        EXPECT_EQ(run_script().status, 0);
    }
}

TEST_F(KernelsTest, AModuleThatANewKernelLacksIsTold) {
    put("usr/lib/gearbox/initramfs/modules", "ext4 floppy\n");
    const ToolResult made = run_script(old_kernel);
    EXPECT_EQ(made.status, 0);
    EXPECT_THAT(made.err, HasSubstr("this kernel has no module floppy"));
    EXPECT_EQ(read_file(unpack(initramfs(old_kernel), "made") / "m/order"), "crc16.ko\njbd2.ko\next4.ko\n");
}

TEST_F(KernelsTest, NothingIsDoneOnTheLiveMediumNorWithoutAMenu) {
    const std::string before = menu();
    add_kernel(new_kernel);
    fs::create_directories(root / "run/live/medium");
    EXPECT_THAT(run_script(new_kernel).out, HasSubstr("the kernel of the live medium"));
    fs::remove_all(root / "run/live");
    fs::remove(root / "boot/grub/grub.cfg");
    EXPECT_THAT(run_script(new_kernel).out, HasSubstr("there is no boot menu here"));
    EXPECT_EQ(menu(), before);
    EXPECT_FALSE(fs::exists(initramfs(new_kernel)));
}

}  // namespace
}  // namespace gearbox::builder
