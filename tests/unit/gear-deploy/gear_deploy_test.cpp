#include "base/error.h"
#include "base/file.h"
#include "gear-deploy/inspect.h"
#include "gear-deploy/tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gearbox::test {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string sha1(std::string_view text) {
    Sha1 sum;
    sum.add(text);
    return sum.finish();
}

class Directory {
public:
    std::string operator/(const std::string& name) const { return directory_.path() / name; }

private:
    const TempDir directory_;
};

void write(const std::string& path, std::string_view text) {
    std::ofstream(path) << text;
}

std::string sum_of(const std::string& path, const std::string& copy = "") {
    Sha1 sum;
    copy_tree("top", path, copy, sum);
    return sum.finish();
}

}  // namespace

TEST(Sha1, IsThatOfTheStandard) {
    EXPECT_EQ(sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(sha1(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, TakesItsTextInAnyParts) {
    const std::string text(1000, 'x');
    Sha1 sum;
    for (std::size_t at = 0, part = 1; at < text.size(); at += part++) {
        sum.add(std::string_view(text).substr(at, part));
    }
    EXPECT_EQ(sum.finish(), sha1(text));
}

TEST(Tree, IsCopiedAsItIs) {
    const Directory work;
    fs::create_directories(work / "from/inner/empty");
    write(work / "from/inner/program", "#!/bin/sh\n");
    write(work / "from/Large", std::string(300'000, 'x'));
    ASSERT_EQ(::chmod((work / "from/inner/program").c_str(), 0750), 0);
    ASSERT_EQ(::chmod((work / "from/inner/empty").c_str(), 0500), 0);
    fs::create_symlink("/nowhere", work / "from/link");
    fs::create_hard_link(work / "from/Large", work / "from/inner/second");
    const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 5}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (work / "from/inner/program").c_str(), times, 0), 0);

    const std::string sum = sum_of(work / "from", work / "to");
    EXPECT_EQ(read_file(work / "to/inner/program"), "#!/bin/sh\n");
    EXPECT_EQ(read_file(work / "to/Large"), std::string(300'000, 'x'));
    EXPECT_EQ(fs::read_symlink(work / "to/link"), "/nowhere");
    struct stat info {};
    ASSERT_EQ(::stat((work / "to/inner/program").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0750u);
    EXPECT_EQ(info.st_mtim.tv_sec, 1'000'000'000);
    EXPECT_EQ(info.st_mtim.tv_nsec, 5);
    ASSERT_EQ(::stat((work / "to/inner/empty").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0500u);
    EXPECT_TRUE(fs::equivalent(work / "to/Large", work / "to/inner/second"));
    EXPECT_FALSE(fs::equivalent(work / "to/Large", work / "from/Large"));
    EXPECT_EQ(sum_of(work / "to"), sum);
    EXPECT_THROW(sum_of(work / "from", work / "to"), SysError);
}

TEST(Tree, KeepsItsHoles) {
    const Directory work;
    fs::create_directory(work / "from");
    write(work / "from/sparse", "begin");
    ASSERT_EQ(::truncate((work / "from/sparse").c_str(), 8 << 20), 0);
    sum_of(work / "from", work / "to");
    struct stat info {};
    ASSERT_EQ(::stat((work / "to/sparse").c_str(), &info), 0);
    EXPECT_EQ(info.st_size, 8 << 20);
    EXPECT_LT(info.st_blocks * 512, 1 << 20);
    EXPECT_EQ(read_file(work / "to/sparse"), read_file(work / "from/sparse"));
}

TEST(Tree, HasAnotherSumWhenSomethingIsDifferent) {
    const Directory work;
    fs::create_directories(work / "from/inner");
    write(work / "from/inner/a", "text");
    const std::string before = sum_of(work / "from");
    EXPECT_EQ(sum_of(work / "from"), before);
    fs::rename(work / "from/inner/a", work / "from/a");
    EXPECT_NE(sum_of(work / "from"), before);
    fs::rename(work / "from/a", work / "from/inner/a");
    EXPECT_EQ(sum_of(work / "from"), before);
    ASSERT_EQ(::chmod((work / "from/inner/a").c_str(), 0700), 0);
    EXPECT_NE(sum_of(work / "from"), before);
}

TEST(Tree, IsEmptiedAndStays) {
    const Directory work;
    fs::create_directories(work / "top/inner/deep");
    write(work / "top/inner/file", "x");
    fs::create_symlink("/etc", work / "top/link");
    struct stat before {};
    ASSERT_EQ(::stat((work / "top").c_str(), &before), 0);
    EXPECT_TRUE(empty_directory(work / "top"));
    EXPECT_TRUE(fs::is_empty(work / "top"));
    struct stat after {};
    ASSERT_EQ(::stat((work / "top").c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_TRUE(fs::exists("/etc/passwd"));
    EXPECT_THROW(empty_directory(work / "nowhere"), SysError);
}

TEST(Listing, FindsMarkersAndAddsSizes) {
    Listing listing({5, 10});
    EXPECT_TRUE(listing.add("040000 tree 0a0a       -\t.openshift"));
    EXPECT_TRUE(listing.add("100644 blob 0a0a       0\t.openshift/markers/hot_deploy"));
    EXPECT_TRUE(listing.add("100644 blob 0a0a 3145727\tdata.bin"));
    EXPECT_TRUE(listing.add("160000 commit 0a0a       -\tsubmodule"));
    EXPECT_TRUE(listing.add("100644 blob 0a0a       1\tother/.openshift/markers/no"));
    EXPECT_TRUE(listing.finish());
    EXPECT_EQ(listing.megabytes(), 3);
    EXPECT_THAT(listing.markers(), ElementsAre(".openshift/markers/hot_deploy"));
}

TEST(Listing, RefusesWhatTheGearCannotHold) {
    Listing many({1, 10});
    EXPECT_TRUE(many.add("100644 blob 0a0a 1\ta"));
    EXPECT_TRUE(many.add("100644 blob 0a0a 1\tb"));
    EXPECT_FALSE(many.finish());
    EXPECT_THAT(many.problem(), HasSubstr("has 2 files and directories, and this gear may have 1"));

    Listing large({10, 1});
    EXPECT_TRUE(large.add("100644 blob 0a0a 2621440\ta"));
    EXPECT_FALSE(large.finish());
    EXPECT_THAT(large.problem(), HasSubstr("take 3 MiB, and this gear has a disk of 1 MiB"));

    Listing long_name({10, 10});
    EXPECT_TRUE(long_name.add("100644 blob 0a0a 1\tx/\"" + std::string(255, 'n') + "\""));
    EXPECT_FALSE(long_name.add("100644 blob 0a0a 1\tx/" + std::string(258, 'n')));
    EXPECT_THAT(long_name.problem(), HasSubstr("has 258 characters; 255 are the most"));

    Listing long_path({10, 10});
    std::string path;
    while (path.size() <= 4000) {
        path += "directory/";
    }
    EXPECT_FALSE(long_path.add("100644 blob 0a0a 1\t" + path));
    EXPECT_THAT(long_path.problem(), HasSubstr("4000 are the most"));

    Listing nonsense({10, 10});
    EXPECT_FALSE(nonsense.add("garbage"));
}

}  // namespace gearbox::test
