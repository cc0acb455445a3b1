// Files of a home whose owner is hostile.
#include "base/error.h"
#include "base/file.h"
#include "node/gear_files.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace gearbox::test {

namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
protected:
    FilesTest() {
        files.ensure_directory("root", files.locked(), 0750);
        files.write("root/secret", "secret", files.locked(), 0440);
        files.ensure_directory("own", files.unlocked(), 0750);
    }
    struct stat stat_of(const std::string& path) const {
        struct stat info {};
        EXPECT_EQ(::lstat((home.path() / path).c_str(), &info), 0) << path;
        return info;
    }
    TempDir home;
    GearFiles files{home.path(), 1234, ""};
};

TEST_F(FilesTest, AreOwnedAndReplacedAsAWhole) {
    files.write("own/a", "1", files.unlocked(), 0600);
    files.write("own/a", "2", files.locked(), 0640);
    EXPECT_EQ(files.find("own/a"), "2");
    EXPECT_EQ(stat_of("own/a").st_uid, 0u);
    EXPECT_EQ(stat_of("own/a").st_gid, 1234u);
    EXPECT_EQ(stat_of("own/a").st_mode & 07777, 0640u);
    EXPECT_EQ(files.list("own"), std::vector<std::string>{"a"});
    files.remove("own");
    files.remove("own");
    EXPECT_FALSE(files.exists("own"));
}

TEST_F(FilesTest, NoLinkIsFollowed) {
    fs::create_symlink("/etc/passwd", home.path() / "own/outside");
    fs::create_symlink("../root", home.path() / "own/inside");
    EXPECT_EQ(files.find("own/outside"), std::nullopt);
    EXPECT_EQ(files.find("own/inside/secret"), std::nullopt);
    EXPECT_TRUE(files.list("own/inside").empty());
    EXPECT_FALSE(files.give("own/inside/secret", files.unlocked()));
    EXPECT_FALSE(files.give("own/outside", files.unlocked()));
    EXPECT_THROW(files.write("own/inside/x", "", files.locked(), 0600), SysError);
    EXPECT_THROW(files.ensure_directory("own/inside", files.unlocked(), 0750), SysError);
    EXPECT_EQ(stat_of("root/secret").st_uid, 0u);
    // A link in the place of a file is replaced, not written through.
    files.write("own/outside", "x", files.locked(), 0600);
    EXPECT_TRUE(S_ISREG(stat_of("own/outside").st_mode));
    files.remove("own/inside");
    EXPECT_EQ(files.find("root/secret"), "secret");
}

// A directory that is a link to somebody else's every other moment.
TEST_F(FilesTest, NoExchangeWithALinkIsFast) {
    const TempDir victim;
    fs::create_directory(victim.path() / "sub");
    std::ofstream(victim.path() / "name") << "secret";
    fs::create_directories(home.path() / "own/place/sub");
    fs::create_symlink(victim.path(), home.path() / "own/link");
    std::atomic<bool> is_over = false;
    const std::string place = home.path() / "own/place";
    const std::string link = home.path() / "own/link";
    std::thread exchanger([&] {
        while (!is_over) {
            ::renameat2(AT_FDCWD, place.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
        }
    });
    int done = 0;
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
        try {
            files.ensure_directory("own/place/sub/new", files.unlocked(), 0777);
            files.write("own/place/sub/file", "x", files.unlocked(), 0777);
            EXPECT_NE(files.find("own/place/name"), "secret");
            files.give("own/place/sub", files.unlocked());
            files.remove("own/place/sub/new");
            ++done;
        } catch (const SysError&) {
            ++refused;
        }
    }
    is_over = true;
    exchanger.join();
    EXPECT_GT(done, 0);
    EXPECT_GT(refused, 0);
    EXPECT_EQ(find_file(victim.path() / "name"), "secret");
    EXPECT_TRUE(fs::is_empty(victim.path() / "sub"));
    struct stat info {};
    ::stat((victim.path() / "sub").c_str(), &info);
    EXPECT_EQ(info.st_uid, 0u);
}

TEST_F(FilesTest, NoSecondNameGivesAFileAway) {
    fs::create_hard_link(home.path() / "root/secret", home.path() / "own/name");
    EXPECT_FALSE(files.give("own/name", files.unlocked()));
    EXPECT_EQ(stat_of("root/secret").st_uid, 0u);
}

TEST_F(FilesTest, WhatIsNotAFileHoldsNobodyUp) {
    ASSERT_EQ(::mkfifo((home.path() / "own/fifo").c_str(), 0666), 0);
    EXPECT_EQ(files.find("own/fifo"), std::nullopt);
    EXPECT_EQ(files.find("own"), std::nullopt);
    files.write("own/large", std::string(300 * 1024, 'x'), files.unlocked(), 0600);
    EXPECT_EQ(files.find("own/large"), std::nullopt);
}

TEST_F(FilesTest, NamesStayBelow) {
    for (const char* path : {"../x", "/etc/passwd", "own/../root/secret", "", "own//x", "own/."}) {
        EXPECT_THROW(files.find(path), Error) << path;
        EXPECT_THROW(files.remove(path), Error) << path;
    }
}

TEST_F(FilesTest, RemovesTreesThatAreDeeperThanPathsMayBe) {
    const std::string level(200, 'd');
    fs::path path = home.path() / "own";
    const fs::path before = fs::current_path();
    fs::current_path(path);
    for (int i = 0; i < 100; ++i) {
        fs::create_directory(level);
        fs::current_path(level);
    }
    fs::current_path(before);
    files.remove("own");
    EXPECT_FALSE(files.exists("own"));
}

}  // namespace

}  // namespace gearbox::test
