// What later layers have made of a tree, found and copied with all that files have; needs root.
#include "tree_changes.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using ::testing::ElementsAre;

/// Two trees as two mounts with the same layers are: what is the same in both is one inode.
class TreeChangesTest : public ::testing::Test {
protected:
    TreeChangesTest() {
        run("mkdir -p below/etc/old below/usr/bin below/usr/share; cd below;"
            "echo a >etc/kept; echo a >etc/written; echo a >etc/old/file; echo a >usr/bin/program; ln -s program usr/bin/link");
        run("cp -al below tree");
    }

    void run(const std::string& program) const {
        run_tool_checked({"sh", "-ec", "cd \"$1\"; " + program, "sh", folder.path().native()});
    }
    TreeChanges changes() const { return find_changes(folder.path().native() + "/below", folder.path().native() + "/tree"); }

    TempDir folder;
};

TEST_F(TreeChangesTest, AreWhatIsNewOrAnotherWithItsFolders) {
    run("cd tree; rm etc/written; echo b >etc/written; mkdir usr/share/new; echo b >usr/share/new/file");
    const TreeChanges found = changes();
    EXPECT_THAT(found.present, ElementsAre("", "etc", "etc/old", "etc/written", "usr", "usr/bin", "usr/share", "usr/share/new",
                                           "usr/share/new/file"));
    EXPECT_THAT(found.gone, ElementsAre("etc/written"));
}

TEST_F(TreeChangesTest, OfKindsAndWholeFolders) {
    run("cd tree; rm -r etc/old usr/bin/program; echo b >etc/old; mkdir usr/bin/program");
    EXPECT_THAT(changes().gone, ElementsAre("etc/old", "usr/bin/program"));
}

TEST_F(TreeChangesTest, AreCopiedWithAllThatAFileHas) {
    run("cd tree; echo b >etc/new; chown 5:6 etc/new; chmod 4750 etc/new; touch -d @1 etc/new; setfattr -n user.label -v x etc/new;"
        "ln etc/new etc/second; mknod etc/device c 1 3; touch \"etc/a\nb *\"");
    const std::string to = folder.path().native() + "/to";
    copy_changes(folder.path().native() + "/tree", changes(), to);
    EXPECT_EQ(run_tool_checked({"stat", "-c", "%u:%g %a %Y %h", to + "/etc/new"}), "5:6 4750 1 2\n");
    EXPECT_EQ(run_tool_checked({"stat", "-c", "%t:%T %F", to + "/etc/device"}), "1:3 character special file\n");
    EXPECT_EQ(run_tool_checked({"getfattr", "--only-values", "--absolute-names", "-n", "user.label", to + "/etc/new"}), "x");
    EXPECT_TRUE(find_file(to + "/etc/a\nb *"));
    EXPECT_FALSE(find_file(to + "/etc/kept"));
}

}  // namespace
}  // namespace gearbox::builder
