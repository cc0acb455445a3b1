// The small parts: hashes, host facts, kernel modules, monitors, names, TOML values, command lines.
#include "base/error.h"
#include "base/file.h"
#include "hash.h"
#include "host.h"
#include "kernel_modules.h"
#include "monitor.h"
#include "store.h"
#include "toml_edit.h"
#include "tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

TEST(Hash, IsSha256) {
    EXPECT_EQ(hash_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const TempDir folder;
    write_file_atomically(folder.path() / "f", "abc");
    EXPECT_EQ(hash_file(folder.path() / "f"), hash_text("abc"));
    EXPECT_EQ(hash_path(folder.path() / "f"), hash_text("abc"));
    EXPECT_THROW(hash_file(folder.path() / "none"), SysError);
}

TEST(Hash, OfAFolderSeesNamesModesAndLinksButNotTimes) {
    const TempDir folder;
    const fs::path tree = folder.path() / "tree";
    fs::create_directories(tree / "sub");
    write_file_atomically(tree / "sub/f", "abc");
    fs::create_symlink("f", tree / "sub/link");
    const std::string before = hash_path(tree);
    write_file_atomically(tree / "sub/f", "abc");
    EXPECT_EQ(hash_path(tree), before);
    std::vector<std::string> seen{before};
    const auto expect_new = [&] {
        const std::string hash = hash_path(tree);
        EXPECT_THAT(seen, testing::Not(testing::Contains(hash)));
        seen.push_back(hash);
    };
    fs::permissions(tree / "sub/f", fs::perms::owner_all);
    expect_new();
    fs::rename(tree / "sub/f", tree / "sub/g");
    expect_new();
    fs::remove(tree / "sub/link");
    fs::create_symlink("g", tree / "sub/link");
    expect_new();
    fs::create_directory(tree / "empty");
    expect_new();
}

TEST(Host, ReadsDependencies) {
    EXPECT_THAT(parse_depends("adduser, libc6 (>= 2.36), a | b, perl:any, x [amd64],\n y (= 1)"),
                ElementsAre("adduser", "libc6", "a", "perl", "x", "y"));
    EXPECT_THAT(parse_depends(""), IsEmpty());
}

HostState good_host() {
    HostState state;
    state.root = state.debian = state.amd64 = true;
    state.free_bytes = 100'000'000'000;
    state.stages = {"root-tree", "squashfs", "initramfs", "iso"};
    state.has = [](const std::string&) { return true; };
    return state;
}

TEST(Host, WithEverythingIsGood) {
    EXPECT_THAT(find_host_problems(good_host()), IsEmpty());
}

TEST(Host, SaysEverythingThatIsMissing) {
    HostState state = good_host();
    state.root = state.debian = false;
    state.free_bytes = 1'000'000'000;
    state.has = [](const std::string& what) {
        return what != "xorriso" && what != "/usr/lib/grub/i386-pc/boot_hybrid.img";
    };
    EXPECT_THAT(
        find_host_problems(state),
        ElementsAre("this is not Debian on amd64: build on Debian 12 or 13",
                    "not root: building a system needs device files and labels; use sudo, or give a raw disk that is built with "
                    "--from and make of it what disks are made into",
                    "only 1000 MB free for the cache, 5000 MB are needed: make room, or choose "
                    "another place with --cache",
                    "xorriso is missing", "GRUB for BIOS is missing",
                    "install what is missing: apt-get install xorriso grub-pc-bin"));
}

TEST(Host, NeedsOnlyWhatTheFormatsNeed) {
    HostState state = good_host();
    state.has = [](const std::string& what) { return what != "qemu-img" && what != "xorriso"; };
    state.stages = {"initramfs", "raw"};
    EXPECT_THAT(find_host_problems(state), IsEmpty());
    state.stages = {"initramfs", "raw", "qcow2", "vmdk"};
    EXPECT_THAT(
        find_host_problems(state),
        ElementsAre("qemu-img is missing", "install what is missing: apt-get install qemu-utils"));
}

TEST(KernelModules, AreListedWithTheirDependenciesFirst) {
    const ModuleIndex index(
        "kernel/fs/squashfs.ko.xz: kernel/lib/zstd.ko.xz\n"
        "kernel/lib/zstd.ko.xz:\n"
        "kernel/drivers/usb-storage.ko.xz: kernel/scsi/scsi_mod.ko.xz "
        "kernel/scsi/scsi_common.ko.xz\n"
        "kernel/scsi/scsi_mod.ko.xz: kernel/scsi/scsi_common.ko.xz\n"
        "kernel/scsi/scsi_common.ko.xz:\n",
        "kernel/drivers/loop.ko\n");
    EXPECT_THAT(index.load_order({"squashfs", "loop", "usb_storage", "scsi_mod"}),
                ElementsAre("kernel/lib/zstd.ko.xz", "kernel/fs/squashfs.ko.xz",
                            "kernel/scsi/scsi_common.ko.xz", "kernel/scsi/scsi_mod.ko.xz",
                            "kernel/drivers/usb-storage.ko.xz"));
    try {
        index.load_order({"sqashfs"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), "the kernel has no module 'sqashfs'; did you mean 'squashfs'?");
    }
    EXPECT_EQ(module_name("kernel/drivers/usb-storage.ko.xz"), "usb-storage");
    EXPECT_THAT(parse_name_list("# all\na b # c\n\n  d\n"), ElementsAre("a", "b", "d"));
}

TEST(TomlEdit, ReplacesAddsAndAppends) {
    const auto edit = [](const std::string& text) {
        return with_toml_value(text, "broker", "domain", "\"x\"");
    };
    EXPECT_EQ(edit("[broker]\n# domain = \"y\"\na = 1\n"), "[broker]\ndomain = \"x\"\na = 1\n");
    EXPECT_EQ(edit("[broker]\ndomain=\"y\"\n[b]\ndomain = 1\n"),
              "[broker]\ndomain = \"x\"\n[b]\ndomain = 1\n");
    EXPECT_EQ(edit("[broker]\ndomains = 1\n[b]\n"), "[broker]\ndomains = 1\ndomain = \"x\"\n[b]\n");
    EXPECT_EQ(edit("[broker]\n"), "[broker]\ndomain = \"x\"\n");
    EXPECT_EQ(edit("a = 1\n"), "a = 1\n\n[broker]\ndomain = \"x\"\n");
}

TEST(Tools, CommandsAreWrappedSoThatNothingOutlivesUs) {
    ToolCall call;
    call.argv = {"xorriso", "-v"};
    EXPECT_THAT(make_command(call, {"PATH=/bin"}),
                ElementsAre("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork",
                            "--kill-child", "--mount", "env", "-i", "PATH=/bin", "xorriso", "-v"));
    call.root = "/tree";
    call.environment = {"A=1"};
    EXPECT_THAT(make_command(call, {}),
                ElementsAre("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork",
                            "--kill-child", "--mount", "--mount-proc", "--root=/tree", "--net",
                            "env", "-i", "A=1", "xorriso", "-v"));
}

void play(Monitor& monitor) {
    const StageStep one{"one", StageKind::layer, "first", Json(), {}, {}, "0123456789abcdef"};
    const StageStep two{"two", StageKind::layer, "second", Json(), {}, {}, "fedcba9876543210"};
    const StageStep three{"three", StageKind::check, "third", Json(), {}, {}, "abcdef"};
    monitor.plan({"one", "two", "three"});
    monitor.cached(one);
    monitor.begin(two);
    monitor.progress(0.5, "half");
    monitor.done(two, 12.34, 250'000'000);
    monitor.begin(three);
    monitor.done(three, 0.4, 0);
    monitor.finished({{{"iso", "out.iso", "abc", 271'000'000}}, "0123456789abcdef", 20});
}

TEST(Monitor, WritesOneLineAStageIntoAPipe) {
    std::ostringstream out;
    play(*make_text_monitor(out, false));
    EXPECT_EQ(out.str(),
              " 1/3  one            reused    0123456789ab\n"
              " 2/3  two            12.3 s   250 MB\n"
              " 3/3  three           0.4 s   \n"
              "\ntimes\n       two            12.3 s   62 %\n"
              "\nout.iso: 271 MB\nsha256 abc, root tree 0123456789ab\nin  20.0 s\n");
}

TEST(Monitor, WritesJsonLines) {
    std::ostringstream out;
    play(*make_json_monitor(out));
    std::istringstream in(out.str());
    std::vector<std::string> events;
    for (std::string line; std::getline(in, line);) {
        events.push_back(parse_json(line).at("event").get<std::string>());
    }
    EXPECT_THAT(events, ElementsAre("plan", "cached", "begin", "progress", "done", "begin", "done", "finished"));
}

TEST(Monitor, ExplainsAFailure) {
    std::ostringstream out;
    const auto monitor = make_text_monitor(out, false);
    monitor->plan({"one"});
    monitor->begin({"one", StageKind::layer, "", Json(), {}, {}, "0123456789abcdef"});
    monitor->failed({"one", "0123456789abcdef", "it broke", "mend it", "b.log", {"a", "b"}, "/kept"});
    EXPECT_EQ(out.str(),
              " 1/1  one           FAILED\n\nstage 'one' (0123456789ab) failed: it broke\n"
              "\nlast lines of b.log:\n  | a\n  | b\n\nwhat the stage left is in /kept until the next build\n"
              "\nwhat to do: mend it\n");
}

TEST(Diagnostics, FindsWhatWasMeant) {
    const std::vector<std::string> names{"timezone", "keyboard", "lang"};
    EXPECT_EQ(find_nearest("tiemzone", names), "timezone");
    EXPECT_EQ(find_nearest("keybord", names), "keyboard");
    EXPECT_EQ(find_nearest("lnag", names), "lang");
    EXPECT_EQ(find_nearest("firewall", names), std::nullopt);
    EXPECT_EQ(join_names({"a"}), "a");
    EXPECT_EQ(join_names({"a", "b", "c"}), "a, b and c");
}

}  // namespace
}  // namespace gearbox::builder
