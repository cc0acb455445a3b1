#include "new_file.h"

#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// With files that have no name, and as on a file system without them.
class NewFileTest : public testing::TestWithParam<bool> {
protected:
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            found.push_back(entry.path().filename().string());
        }
        return found;
    }
    TempDir folder;
    fs::path name = folder.path() / "image";
};

TEST_P(NewFileTest, IsThereOnceItIsKept) {
    for (const char* text : {"first", "replaced"}) {
        NewFile file(name, GetParam());
        std::ofstream(file.path()) << text;
        EXPECT_EQ(read_file(file.path()), text);
        EXPECT_NE(find_file(name), text);
        file.keep();
        EXPECT_EQ(read_file(name), text);
        EXPECT_THAT(names(), ElementsAre("image"));
    }
}

TEST_P(NewFileTest, LeavesNothingOfWhatWasNotKept) {
    {
        const NewFile file(name, GetParam());
        std::ofstream(file.path()) << "half";
    }
    EXPECT_THAT(names(), IsEmpty());
}

TEST_P(NewFileTest, RemovesWhatAKilledOneLeft) {
    write_file_atomically(name.string() + ".new", "half of something long");
    NewFile file(name, GetParam());
    std::ofstream(file.path()) << "whole";
    file.keep();
    EXPECT_EQ(read_file(name), "whole");
    EXPECT_THAT(names(), ElementsAre("image"));
}

TEST(NewFile, HasNoNameWhileItIsWritten) {
    const TempDir folder;
    const NewFile file(folder.path() / "image");
    std::ofstream(file.path()) << "half";
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

INSTANTIATE_TEST_SUITE_P(Both, NewFileTest, testing::Bool());

}  // namespace
}  // namespace gearbox::builder
