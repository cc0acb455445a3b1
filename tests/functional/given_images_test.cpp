// What disks are made into, made by an ordinary user of a raw disk that is there: gearbox-build itself, with a small disk.
#include "base/file.h"
#include "base/json.h"
#include "base/subprocess.h"
#include "hash.h"
#include "lock.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <map>

namespace gearbox::builder {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* nobody = "65534";

class GivenImagesTest : public testing::Test {
protected:
    GivenImagesTest() {
        fs::permissions(folder.path(), fs::perms(0755));
        for (const char* place : {"given", "home"}) {
            fs::create_directory(folder.path() / place);
        }
        EXPECT_EQ(::chown(home().c_str(), 65534, 65534), 0);
        // Nobody may have no way to where the sources are.
        program = folder.path() / "gearbox-build";
        fs::copy_file(test::built_program("builder/gearbox-build"), program);
        recipe = folder.path() / "small.ks";
        std::string text = "rootpw --lock\nrepo --name=debian --suite=trixie --baseurl=http://packages.invalid/debian\n%addon gearbox\n";
        for (const char* part : {"overlay", "initramfs", "policy_modules"}) {
            fs::create_directory(folder.path() / part);
            text += str(part, " = ", part, "\n");
        }
        for (const char* part : {"boot_menu", "policy_keep"}) {
            write_file_atomically(folder.path() / part, "", 0644);
            text += str(part, " = ", part, "\n");
        }
        write_file_atomically(recipe, text + "%end\n%packages\nbusybox\nselinux-policy-default\npolicycoreutils\nlinux-image-amd64\n%end\n", 0644);
        write_file_atomically(raw(), std::string(1 << 20, 'x') + std::string(3 << 20, '\0') + "end", 0644);
        fs::resize_file(raw(), 8 << 20);
        write_file_atomically(given() / "small.spdx.json", "{}", 0644);
        const ToolResult plan = run({"plan", recipe, "--format", "raw", "--json"});
        EXPECT_EQ(plan.status, 0) << plan.err;
        write_manifest(take<std::string>(parse_json(plan.out), "tree"));
    }

    fs::path given() const { return folder.path() / "given"; }
    fs::path home() const { return folder.path() / "home"; }
    fs::path raw() const { return given() / "small.raw"; }

    void write_manifest(const std::string& tree, const char* format = "raw") const {
        const Json images{{{"format", format}, {"file", "small.raw"}, {"sha256", hash_file(raw())}},
                          {{"format", "sbom"}, {"file", "small.spdx.json"}, {"sha256", hash_file(given() / "small.spdx.json")}}};
        write_file_atomically(given() / "MANIFEST.json", Json{{"tree", tree}, {"images", images}, {"packages", Json::array()}}.dump(), 0644);
    }

    ToolResult run(const std::vector<std::string>& arguments, const char* user = nobody) const {
        std::vector<std::string> argv{"setpriv", std::string("--reuid=") + user, std::string("--regid=") + user, "--clear-groups", program};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        ToolOptions options;
        options.directory = home();
        return run_tool(argv, options);
    }
    ToolResult build(const std::string& formats, const char* user = nobody, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"build",   recipe, "--from", given(), "--format", formats, "--cache",
                                           home() / (std::string("cache-") + user), "--output", home() / user / ""};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments, user);
    }

    TempDir folder;
    fs::path program;
    fs::path recipe;
};

TEST_F(GivenImagesTest, AreMadeIntoOthersByAnybody) {
    const ToolResult built = build("qcow2,vdi,ova");
    ASSERT_EQ(built.status, 0) << built.out << built.err;
    const fs::path mine = home() / nobody;
    for (const auto& entry : fs::directory_iterator(mine)) {
        struct stat info {};
        ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_uid, 65534u) << entry.path();
    }
    const Json manifest = parse_json(read_file(mine / "MANIFEST.json"));
    EXPECT_EQ(manifest.at("tree"), parse_json(read_file(given() / "MANIFEST.json")).at("tree"));
    ASSERT_EQ(manifest.at("images").size(), 4u);
    const std::string qcow2 = mine / manifest.at("images").at(0).at("file").get<std::string>();
    const ToolResult same = run_tool({"qemu-img", "compare", "-f", "qcow2", "-F", "raw", qcow2, raw()});
    EXPECT_EQ(same.status, 0) << same.out << same.err;
    // Made of the same plan as a build of everything: UUIDs come from there.
    const Json plan = parse_json(run({"plan", recipe, "--format", "qcow2,vdi,ova", "--json"}).out);
    std::map<std::string, std::string> planned;
    for (const Json& stage : plan.at("stages")) {
        planned[stage.at("stage")] = stage.at("id");
    }
    const Json report = parse_json(read_file(mine / "stages.json"));
    for (const Json& stage : report.at("stages")) {
        if (stage.contains("bytes")) {  // not a check
            EXPECT_EQ(stage.at("id"), planned[stage.at("stage")]) << stage;
        }
    }
    // Root's are the same.
    const ToolResult roots = build("qcow2,vdi,ova", "0");
    ASSERT_EQ(roots.status, 0) << roots.out << roots.err;
    EXPECT_EQ(parse_json(read_file(home() / "0/MANIFEST.json")), manifest);
    // A later build from a tree finds nothing of it.
    for (const char* place : {"objects", "pending"}) {
        EXPECT_TRUE(fs::is_empty(home() / "cache-0" / place)) << place;
    }
}

// What a lock says of packages is in the raw disk of its build, and in no other.
TEST_F(GivenImagesTest, AreThoseOfALock) {
    const Json plan = parse_json(run({"plan", recipe, "--format", "raw", "--json"}).out);
    LockFile lock{"0.1.0", {{"debian", "http://packages.invalid/debian"}}, plan.at("stages"), {}, {}, {{"raw", hash_file(raw())}, {"sbom", hash_file(given() / "small.spdx.json")}}};
    const std::vector<std::string> with_lock{"--lock", folder.path() / "lock"};
    const auto write = [&] { write_file_atomically(folder.path() / "lock", to_json(lock).dump(), 0644); };
    write();
    const ToolResult built = build("qcow2", nobody, with_lock);
    EXPECT_EQ(built.status, 0) << built.out << built.err;
    lock.images["raw"] = std::string(64, '0');
    write();
    EXPECT_THAT(build("qcow2", nobody, with_lock).err, HasSubstr("small.raw' is not the raw of the lock: give the lock file of the build that made it"));
    lock.images = {};
    write();
    EXPECT_THAT(build("qcow2", nobody, with_lock).err, HasSubstr("small.raw' is not the raw of the lock: give the lock file of the build that made it"));
}

TEST_F(GivenImagesTest, AreOfTheSameTreeAndWhole) {
    EXPECT_THAT(build("iso").err, HasSubstr("  - not root: building a system needs device files and labels; use sudo, or give a raw disk"));
    EXPECT_THAT(build("qcow2,tar", "0").err, HasSubstr("'tar' is made of the tree, not of a raw disk: build it without --from"));
    const std::string tree = take<std::string>(parse_json(read_file(given() / "MANIFEST.json")), "tree");
    write_manifest("0123");
    EXPECT_THAT(build("qcow2").err, HasSubstr("' is of the tree 0123, and this recipe makes " + tree + ": give the recipe"));
    write_manifest(tree, "vdi");
    EXPECT_THAT(build("qcow2").err, HasSubstr("MANIFEST.json' has no image of the format raw: build with '--format raw'"));
    write_manifest(tree);
    fs::resize_file(raw(), (8 << 20) - 1);
    EXPECT_THAT(build("qcow2").err, HasSubstr("small.raw' has other bytes than '"));
    fs::remove(given() / "MANIFEST.json");
    EXPECT_THAT(build("qcow2").err, HasSubstr("given' is no image, and no folder of images, with the manifest that a build writes beside it"));
    EXPECT_FALSE(fs::exists(home() / nobody / "MANIFEST.json"));
}

}  // namespace
}  // namespace gearbox::builder
