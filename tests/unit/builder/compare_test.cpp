#include "compare.h"

#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

class CompareTest : public testing::Test {
protected:
    CompareTest() {
        for (const fs::path& side : {a, b}) {
            put(side, "etc/same", "same");
        }
    }
    static void put(const fs::path& side, const std::string& name, const std::string& text) {
        fs::create_directories((side / name).parent_path());
        write_file_atomically(side / name, text);
        const timespec times[2] = {{1, 0}, {1, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (side / name).c_str(), times, 0), 0);
        for (fs::path folder = (side / name).parent_path(); folder != side.parent_path();
             folder = folder.parent_path()) {
            ASSERT_EQ(::utimensat(AT_FDCWD, folder.c_str(), times, 0), 0);
        }
    }
    TempDir folder;
    fs::path a = folder.path() / "a";
    fs::path b = folder.path() / "b";
};

TEST_F(CompareTest, SameTreesHaveNoDifferences) {
    EXPECT_THAT(compare_trees(a, b).sentences, IsEmpty());
}

TEST_F(CompareTest, NamesEveryKindOfDifference) {
    put(a, "bin/contents", "one");
    put(b, "bin/contents", "two");
    put(a, "bin/gone", "");
    put(a, "bin/mode", "");
    put(b, "bin/mode", "");
    fs::permissions(b / "bin/mode", fs::perms(04755));
    fs::create_symlink("here", a / "bin/target");
    fs::create_symlink("there", b / "bin/target");
    put(b, "new", "");
    for (const fs::path& side : {a, b}) {
        const timespec times[2] = {{1, 0}, {1, 0}};
        ::utimensat(AT_FDCWD, (side / "bin").c_str(), times, 0);
        ::utimensat(AT_FDCWD, (side / "bin/target").c_str(), times, AT_SYMLINK_NOFOLLOW);
    }
    const TreeDifferences found = compare_trees(a, b);
    EXPECT_THAT(found.sentences,
                ElementsAre("/bin/contents: contents", "/bin/gone: only in the first",
                            "/bin/mode: mode 0644 and 4755", "/bin/target: target here and there",
                            "/new: only in the second"));
    EXPECT_THAT(found.contents, ElementsAre("bin/contents"));
}

TEST_F(CompareTest, FindsThePartitionsThatDiffer) {
    std::string disk(3 << 20, '\0');
    write_file_atomically(folder.path() / "one", disk);
    disk[(1 << 20) + 5] = 'x';
    disk[(2 << 20) + 600] = 'x';
    write_file_atomically(folder.path() / "two", disk);
    const std::vector<ByteRange> ranges{{"partition 1", 1 << 20, 512},
                                        {"partition 2", (1 << 20) + 512, 512}};
    EXPECT_THAT(differing_ranges(folder.path() / "one", folder.path() / "two", ranges),
                ElementsAre("partition 1", "the rest"));
    EXPECT_THAT(differing_ranges(folder.path() / "one", folder.path() / "one", ranges), IsEmpty());
    // A shorter file differs behind its end.
    write_file_atomically(folder.path() / "short", disk.substr(0, 1 << 20));
    EXPECT_THAT(differing_ranges(folder.path() / "short", folder.path() / "two",
                                 {{"start", 0, 1 << 20}, {"end", 1 << 20, 2 << 20}}),
                ElementsAre("end"));
}

TEST_F(CompareTest, FoldersOfABuildDifferInWhatTheyHoldOnly) {
    put(a, "stages.json", "{\"seconds\": 1}");
    put(b, "stages.json", "{\"seconds\": 2}");
    put(a, "MANIFEST.json", "1");
    put(b, "MANIFEST.json", "2");
    put(a, "gearbox.iso", "the same");
    put(b, "gearbox.iso", "the same");
    fs::remove_all(a / "etc");
    fs::remove_all(b / "etc");
    EXPECT_THAT(compare_outputs(a, b), ElementsAre("MANIFEST.json: contents"));
    fs::remove(b / "gearbox.iso");
    EXPECT_THAT(compare_outputs(a, b),
                ElementsAre("MANIFEST.json: contents", "gearbox.iso: only in the first"));
}

}  // namespace
}  // namespace gearbox::builder
