// A build killed with SIGKILL at random moments: no mount, no process and no half of an image is
// left, and the next build makes the same image. Needs root: the tree is an overlay.
#include "executor.h"
#include "layers.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace gearbox::builder {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::Not;
namespace fs = std::filesystem;

void run_script(StageContext& context, const std::string& script, const fs::path& place) {
    ToolCall call;
    // The path is an argument, so that the process can be recognised.
    call.argv = {"sh", "-ec", script, "sh", place.string()};
    context.tools.run(call);
}

std::optional<Json> no_options(const Recipe&, const Facts&) {
    return Json::object();
}

Stage stage(const char* name, StageKind kind, std::vector<std::string> after,
            std::function<void(StageContext&)> run) {
    return {name, 1, kind, "", std::move(after), {}, no_options, std::move(run), ""};
}

// Two layers, in which tools start processes and mount; an image of them, written in small parts.
std::vector<Stage> stages() {
    return {stage("lower", StageKind::layer, {},
                  [](StageContext& context) {
                      run_script(context, "for i in 1 2 3; do echo $i >>$1/file; sleep 0.02; done",
                                 context.tree);
                  }),
            stage("upper", StageKind::layer, {},
                  [](StageContext& context) {
                      run_script(context,
                                 "mkdir $1/mnt; mount -t tmpfs none $1/mnt; (sleep 0.05; echo x) & "
                                 "sleep 0.04; echo more >>$1/file; umount $1/mnt; wait",
                                 context.tree);
                  }),
            stage("iso", StageKind::artifact, {"upper"}, [](StageContext& context) {
                const std::string text = read_file(context.tree / "file");
                for (int part = 0; part < 200; ++part) {
                    std::ofstream(context.out / "image.iso", std::ios::app)
                        << text << std::string(20000, 'x');
                }
            })};
}

class KilledBuildTest : public testing::Test {
protected:
    static void SetUpTestSuite() { enter_private_mounts(); }

    bool build() {
        const auto table = stages();
        const BuildPlan plan = make_plan(Recipe{}, Facts{}, table);
        BuildRequest request;
        request.cache = folder.path() / "cache";
        request.outputs["iso"] = output;
        Store store(request.cache);
        BuildLog log(folder.path() / "log");
        HostTools tools(log, 1767225600);
        std::ostringstream shown;
        const auto monitor = make_json_monitor(shown);
        return Executor(plan, table, request, store, tools, log, *monitor).run();
    }

    /// As a process of its own, as gearbox-build is.
    pid_t start_build() {
        const pid_t child = ::fork();  // allowed: of a program with one thread
        if (child == 0) {
            enter_private_mounts();
            ::_exit(build() ? 0 : 1);
        }
        return child;
    }

    bool anybody_works_here() const {
        for (const auto& entry : fs::directory_iterator("/proc")) {
            const auto command = find_file(entry.path() / "cmdline").value_or("");
            if (command.find(folder.path().string()) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    static std::vector<std::string> names_in(const fs::path& place) {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(place)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    bool is_quiet_soon() const {
        for (int i = 0; i < 100; ++i) {
            if (!anybody_works_here()) {
                return true;
            }
            // allowed: nothing tells when a process of another namespace is gone
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return false;
    }

    TempDir folder;
    fs::path output = folder.path() / "out.iso";
};

TEST_F(KilledBuildTest, LeavesNothingAndTheNextOneSucceeds) {
    ASSERT_TRUE(build());
    const std::string image = read_file(output);
    EXPECT_THAT(image, HasSubstr("1\n2\n3\nmore\n"));
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 20; ++round) {
        fs::remove_all(folder.path() / "cache");
        fs::remove(output);
        const pid_t child = start_build();
        const std::chrono::milliseconds moment(random() % 300);
        std::this_thread::sleep_for(moment);  // allowed: it is what is tested
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(is_quiet_soon());
        EXPECT_THAT(read_file("/proc/self/mountinfo"), Not(HasSubstr(folder.path().string())));
        EXPECT_TRUE(!fs::exists(output) || read_file(output) == image);
        EXPECT_THAT(names_in(folder.path()), IsSubsetOf({"cache", "log", "out.iso"}));
        ASSERT_TRUE(build());
        EXPECT_EQ(read_file(output), image);
        EXPECT_TRUE(fs::is_empty(folder.path() / "cache/pending"));
    }
}

// The image has 4 MB.
TEST_F(KilledBuildTest, AFullDiskLeavesNothing) {
    const fs::path full = folder.path() / "full";
    fs::create_directory(full);
    run_tool_checked({"mount", "-t", "tmpfs", "-o", "size=1m", "none", full.string()});
    const Defer unmount([&] { run_tool({"umount", full.string()}); });
    output = full / "out.iso";
    EXPECT_THROW(build(), SysError);
    EXPECT_THAT(names_in(full), IsEmpty());
}

}  // namespace
}  // namespace gearbox::builder
