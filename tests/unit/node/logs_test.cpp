// What people see of a gear's logs, whatever the gear does to them.
#include "base/file.h"
#include "node/logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace gearbox {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogsTest : public ::testing::Test {
protected:
    LogsTest() { fs::create_directories(home.path() / "app-root/logs"); }
    void append(const std::string& name, const std::string& text) {
        std::ofstream(home.path() / "app-root/logs" / name, std::ios::app) << text;
    }
    // "NAME: TEXT" of each line since the last look.
    std::vector<std::string> look(int lines = 10) {
        const LogPage page = read_logs(GearFiles(home.path(), 0, ""), {"app-root/logs", "php/logs"}, after, lines);
        after = page.after;
        std::vector<std::string> out;
        for (const LogLine& line : page.lines) {
            out.push_back(line.file.substr(line.file.rfind('/') + 1) + ": " + line.text);
        }
        return out;
    }
    TempDir home;
    std::string after;
};

TEST_F(LogsTest, AreFollowedFromTheirLastLinesOn) {
    append("a.log", "1\n2\n3\n");
    append("b.log", "x\n");
    EXPECT_THAT(look(2), ElementsAre("a.log: 2", "a.log: 3", "b.log: x"));
    EXPECT_THAT(look(), IsEmpty());
    append("a.log", "4\nfi");
    append("c.log", "new\n");
    EXPECT_THAT(look(), ElementsAre("a.log: 4", "c.log: new"));
    append("a.log", "ve\n");
    EXPECT_THAT(look(), ElementsAre("a.log: five"));
}

TEST_F(LogsTest, GoOnWhenTheyAreRotatedAndEmptied) {
    append("a.log", "1\n");
    look();
    append("a.log", "2\n");
    fs::rename(home.path() / "app-root/logs/a.log", home.path() / "app-root/logs/a.log.1");
    append("a.log", "3\n");
    EXPECT_THAT(look(), ElementsAre("a.log: 2", "a.log: 3"));
    fs::resize_file(home.path() / "app-root/logs/a.log", 0);
    append("a.log", "4");
    EXPECT_THAT(look(), IsEmpty());
    append("a.log", "\n");
    EXPECT_THAT(look(), ElementsAre("a.log: 4"));
}

TEST_F(LogsTest, FromNothingOn) {
    EXPECT_THAT(look(), IsEmpty());
    append("a.log", "1\n");
    EXPECT_THAT(look(0), ElementsAre("a.log: 1"));
}

TEST_F(LogsTest, LeaveOutWhatIsNoLog) {
    append("evil\n==> x <==.log", "1\n");
    append("a b.log", "1\n");
    fs::create_symlink("/etc/passwd", home.path() / "app-root/logs/passwd.log");
    fs::create_symlink("/etc", home.path() / "php");
    ASSERT_EQ(::mkfifo((home.path() / "app-root/logs/fifo.log").c_str(), 0600), 0);
    fs::create_directory(home.path() / "app-root/logs/directory.log");
    EXPECT_THAT(look(), IsEmpty());
    after = "../../etc/passwd:1:0,app-root/logs/passwd.log:1:0,a:x:y,,:::";
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(LogsTest, HaveBounds) {
    append("a.log", std::string(1 << 20, 'x') + "\nend\n");
    append("b.log", std::string(100000, 'y'));
    const auto lines = look(1000);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], "a.log: end");
    for (int i = 0; i < 100; ++i) {
        append(std::to_string(i) + ".log", "0\n" + std::string(70000, 'z'));
    }
    std::size_t size = 0;
    for (const std::string& line : look()) {
        size += line.size();
    }
    EXPECT_LT(size, 700000u);
    EXPECT_LT(after.size(), 6000u);
}

TEST(VisibleLine, CannotForge) {
    EXPECT_EQ(visible_line("a\ttab, Snow \xe2\x98\x83 and \xf0\x9f\x98\x80\r"), "a\ttab, Snow \xe2\x98\x83 and \xf0\x9f\x98\x80");
    EXPECT_EQ(visible_line("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
    EXPECT_EQ(visible_line("over\rwritten\n==> b.log <=="), "over\\x0dwritten\\x0a==> b.log <==");
    EXPECT_EQ(visible_line("\xc2\x9b" "1m \xe2\x80\xae" "evil \x7f"), "\\xc2\\x9b1m \\xe2\\x80\\xae" "evil \\x7f");
    EXPECT_EQ(visible_line("\xff\xc0\x80\xed\xa0\x80\xe2\x98"), "\\xff\\xc0\\x80\\xed\\xa0\\x80\\xe2\\x98");
    EXPECT_EQ(visible_line(std::string("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(visible_line(std::string(5000, 'x')), std::string(4096, 'x') + " (cut)");
}

}  // namespace
}  // namespace gearbox
