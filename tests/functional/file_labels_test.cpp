// Labels of a tiny tree by a file of contexts of its own; needs root.
#include "file_labels.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

std::string label_of(const std::string& path) {
    return run_tool({"getfattr", "--only-values", "--absolute-names", "--no-dereference", "-n", "security.selinux", path}).out;
}

TEST(FileLabels, AreThoseOfTheTreesOwnPolicy) {
    const TempDir folder;
    const std::string tree = folder.path().native() + "/tree";
    run_tool_checked({"sh", "-ec", "mkdir -p \"$1/usr/bin\" \"$1/proc\"; cd \"$1\"; touch usr/bin/tool usr/bin/other; ln -s tool usr/bin/link;"
                                   "setfattr -n security.selinux -v wrong_t usr/bin/tool; setfattr -n security.selinux -v of_its_own proc",
                      "sh", tree});
    const std::string contexts = folder.path().native() + "/file_contexts";
    write_file_atomically(contexts, "/.*\tsystem_u:object_r:default_t:s0\n/usr/bin/.*\t--\tsystem_u:object_r:bin_t:s0\n/proc\t<<none>>\n");
    label_files(tree, contexts, {"", "usr/bin/tool", "usr/bin/link", "proc"});
    EXPECT_EQ(label_of(tree), std::string("system_u:object_r:default_t:s0\0", 31));
    EXPECT_EQ(label_of(tree + "/usr/bin/tool"), std::string("system_u:object_r:bin_t:s0\0", 27));
    EXPECT_EQ(label_of(tree + "/usr/bin/link"), std::string("system_u:object_r:default_t:s0\0", 31));
    EXPECT_EQ(label_of(tree + "/proc"), "of_its_own");
    EXPECT_EQ(label_of(tree + "/usr/bin/other"), "");  // nobody asked for it
    EXPECT_THROW(label_files(tree, contexts + ".absent", {""}), SysError);
    EXPECT_THROW(label_files(tree, contexts, {"usr/absent"}), SysError);
}

}  // namespace
}  // namespace gearbox::builder
