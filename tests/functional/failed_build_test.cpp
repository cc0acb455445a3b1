// --keep-failed: the tree of a stage that failed can be looked at, and stays until the next build. Needs root: the tree
// is an overlay.
#include "executor.h"
#include "layers.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace gearbox::builder {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class FailedBuildTest : public testing::Test {
protected:
    static void SetUpTestSuite() { enter_private_mounts(); }

    /// Two layers; the named one fails after it wrote its file.
    std::vector<Stage> stages() const {
        const auto layer = [this](const char* name, std::vector<std::string> after) {
            return Stage{name,
                         1,
                         StageKind::layer,
                         "",
                         std::move(after),
                         {},
                         [](const Recipe&, const Facts&) { return std::optional(Json::object()); },
                         [this, name](StageContext& context) {
                             write_file_atomically(context.tree / name, "made");
                             if (failing == name) {
                                 fail(ErrorKind::internal, "it broke");
                             }
                         },
                         ""};
        };
        return {layer("lower", {}), layer("upper", {"lower"})};
    }

    bool build() {
        const auto table = stages();
        const BuildPlan plan = make_plan(Recipe{}, Facts{}, table);
        request.cache = folder.path() / "cache";
        request.until = "upper";
        Store store(request.cache);
        BuildLog log(folder.path() / "log");
        HostTools tools(log, 1767225600);
        std::ostringstream out;
        const bool good = Executor(plan, table, request, store, tools, log, *make_text_monitor(out, false)).run();
        shown = out.str();
        EXPECT_THAT(read_file("/proc/self/mountinfo"), Not(HasSubstr(folder.path().string())));
        return good;
    }

    /// The only folder of results that are not complete.
    fs::path kept() const {
        const fs::directory_iterator entries(folder.path() / "cache/pending");
        return entries == fs::directory_iterator() ? fs::path() : entries->path();
    }

    TempDir folder;
    BuildRequest request;
    std::string failing;
    std::string shown;
};

TEST_F(FailedBuildTest, ItsTreeCanBeLookedAtAndStays) {
    failing = "upper";
    request.keep_failed = true;
    int looks = 0;
    request.look_at_failed = [&](const fs::path& tree) {
        ++looks;
        EXPECT_EQ(find_file(tree / "lower"), "made");
        EXPECT_EQ(find_file(tree / "upper"), "made");
        write_file_atomically(tree / "lower", "tried out");
    };
    EXPECT_FALSE(build());
    EXPECT_EQ(looks, 1);
    EXPECT_THAT(shown, HasSubstr(str("what the stage left is in ", kept().string(), " until the next build\n")));
    EXPECT_EQ(find_file(kept() / "layer/upper"), "made");
    EXPECT_EQ(find_file(kept() / "layer/lower"), "tried out");

    failing.clear();
    request.look_at_failed = [](const fs::path&) { FAIL() << "nothing failed"; };
    EXPECT_TRUE(build());
    EXPECT_EQ(kept(), fs::path());
}

TEST_F(FailedBuildTest, TheLowestLayerIsATreeOfItsOwn) {
    failing = "lower";
    request.keep_failed = true;
    std::string seen;
    request.look_at_failed = [&](const fs::path& tree) { seen = read_file(tree / "lower"); };
    EXPECT_FALSE(build());
    EXPECT_EQ(seen, "made");
    EXPECT_TRUE(fs::exists(kept() / "layer/lower"));
}

TEST_F(FailedBuildTest, WithoutATerminalTheTreeStays) {
    failing = "upper";
    request.keep_failed = true;
    EXPECT_FALSE(build());
    EXPECT_TRUE(fs::exists(kept() / "layer/upper"));
}

TEST_F(FailedBuildTest, NothingStaysUnlessAsked) {
    failing = "upper";
    request.look_at_failed = [](const fs::path&) { FAIL() << "nobody asked for it"; };
    EXPECT_FALSE(build());
    EXPECT_EQ(kept(), fs::path());
    EXPECT_THAT(shown, Not(HasSubstr("left")));
}

// This system as a tree: the shell is the first process of its namespace, and what it starts ends with it.
TEST_F(FailedBuildTest, AShellIsInTheTreeAlone) {
    BuildLog log(folder.path() / "log");
    const HostTools tools(log, 1767225600);
    const std::string file = (folder.path() / "said").string();
    const UniqueFd input = memfd_from("commands", str("sh -c 'sleep 1000; true' ", file, " &\n",
                                                      "echo $$ $(grep -c : /proc/net/dev) >", file, "; exit 3\n"));
    const UniqueFd own(check(::dup(STDIN_FILENO), "keeping the standard input"));
    ::dup2(input.get(), STDIN_FILENO);
    tools.shell("/");
    ::dup2(own.get(), STDIN_FILENO);
    EXPECT_EQ(read_file(file), "1 1\n");
    for (const auto& entry : fs::directory_iterator("/proc")) {
        EXPECT_THAT(find_file(entry.path() / "cmdline").value_or(""), Not(HasSubstr(file)));
    }
}

}  // namespace
}  // namespace gearbox::builder
