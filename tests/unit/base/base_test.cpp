#include "base/base64.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/path.h"
#include "base/clock.h"
#include "base/subprocess.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gearbox {
namespace {

namespace fs = std::filesystem;

TEST(Error, ContextGoesBeforeTheText) {
    try {
        while_doing([] { fail(ErrorKind::conflict, "it is there"); }, "creating '", "x", "'");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), "creating 'x': it is there");
        EXPECT_EQ(error.kind(), ErrorKind::conflict);
    }
}

TEST(Error, CheckKeepsErrno) {
    try {
        check(::open("/does/not/exist", O_RDONLY), "opening a file");
        FAIL();
    } catch (const SysError& error) {
        EXPECT_EQ(error.code(), ENOENT);
        EXPECT_EQ(error.text(), "opening a file: No such file or directory");
    }
}

TEST(File, AtomicWriteReplacesContentAndMode) {
    TempDir dir;
    const fs::path file = dir.path() / "f";
    write_file_atomically(file, "one", 0600);
    write_file_atomically(file, "two", 0640);
    EXPECT_EQ(read_file(file), "two");
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0640u);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), 1);
    EXPECT_FALSE(find_file(dir.path() / "none"));
    EXPECT_THROW(read_file(file, 2), Error);
}

TEST(Path, OnlyPlainRelativePathsAreAccepted) {
    EXPECT_EQ(RelativePath("a/b.c").text(), "a/b.c");
    for (const char* bad : {"", "/a", "a/", "a//b", ".", "a/./b", "..", "a/../b"}) {
        EXPECT_THROW(RelativePath{bad}, Error) << bad;
    }
}

TEST(Path, SymbolicLinksCannotLeadOut) {
    TempDir dir;
    fs::create_directory(dir.path() / "gear");
    write_file_atomically(dir.path() / "secret", "s");
    fs::create_symlink("../secret", dir.path() / "gear/link");
    fs::create_symlink("/etc/passwd", dir.path() / "gear/absolute");
    write_file_atomically(dir.path() / "gear/own", "o");
    const UniqueFd gear = open_directory((dir.path() / "gear").native());
    EXPECT_NO_THROW(open_beneath(gear.get(), RelativePath("own"), O_RDONLY));
    EXPECT_THROW(open_beneath(gear.get(), RelativePath("link"), O_RDONLY), SysError);
    EXPECT_THROW(open_beneath(gear.get(), RelativePath("absolute"), O_RDONLY), SysError);
}

TEST(Id, IsTwentyFourHexDigits) {
    EXPECT_NO_THROW(GearId("0123456789abcdef01234567"));
    EXPECT_THROW(GearId("0123456789ABCDEF01234567"), Error);
    EXPECT_THROW(GearId("short"), Error);
    EXPECT_TRUE(is_object_id(random_ids()()));
    EXPECT_EQ(random_base64(96).size(), 128u);
    EXPECT_NE(random_hex(8), random_hex(8));
}

TEST(Json, ErrorsNameThePlace) {
    const Json object = parse_json(R"({"a": 1, "n": null})");
    EXPECT_EQ(take<int>(object, "a"), 1);
    EXPECT_EQ(find<int>(object, "n"), std::nullopt);
    EXPECT_THROW(take<std::string>(object, "a"), Error);
    EXPECT_THROW(take<int>(object, "b"), Error);
    EXPECT_THROW(parse_json("{"), Error);
    EXPECT_THROW(parse_json(std::string(100000, '[')), Error);
    EXPECT_EQ(to_text(Json("\xff")), "\"\xEF\xBF\xBD\"");
}

TEST(Clock, TimesHaveTheOneFormThatRhcParses) {
    EXPECT_EQ(iso_time(1361348989), "2013-02-20T08:29:49Z");
}

TEST(Subprocess, CollectsBothOutputsAndTheStatus) {
    const ToolResult result = run_tool({"sh", "-c", "cat; echo bad >&2; exit 3"}, {.input = "in"});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "in");
    EXPECT_EQ(result.err, "bad\n");
}

TEST(Subprocess, ALargeInputAndOutputDoNotBlock) {
    const std::string big(4 << 20, 'x');
    EXPECT_EQ(run_tool({"cat"}, {.input = big}).out.size(), big.size());
}

TEST(Subprocess, KilledAndMissingAndLate) {
    EXPECT_EQ(run_tool({"sh", "-c", "kill -9 $$"}).status, 128 + 9);
    EXPECT_THROW(run_tool({"no-such-program-here"}), Error);
    ToolOptions hasty;
    hasty.deadline = std::chrono::seconds(1);
    EXPECT_THROW(run_tool({"sleep", "60"}, hasty), Error);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it is a zombie, or still runs";
    EXPECT_THROW(run_tool_checked({"false"}), Error);
}

TEST(Subprocess, ToolsInheritNoDescriptorOfOurs) {
    const Pipe pipe = make_pipe();
    const ToolResult result =
        run_tool({"sh", "-c", str("test -e /proc/self/fd/", pipe.read.get(), " || echo none")});
    EXPECT_EQ(result.out, "none\n");
}

}  // namespace
TEST(Base64, IsThatOfTheRfc) {  // the vectors of RFC 4648, 10
    for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
             {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe", "//4="}}) {
        EXPECT_EQ(encode_base64(bytes), text);
        EXPECT_EQ(decode_base64(text), bytes);
    }
    EXPECT_EQ(decode_base64("Zg"), "f");
    EXPECT_EQ(decode_base64("a b"), std::nullopt);
}

}  // namespace gearbox
