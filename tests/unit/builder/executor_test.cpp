#include "executor.h"

#include "base/file.h"
#include "interrupt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

class NoTools final : public Tools {
public:
    void run(const ToolCall&) override { FAIL() << "no tool expected"; }
};

// One word a call.
class RecordingMonitor final : public Monitor {
public:
    void plan(const std::vector<std::string>&) override {}
    void cached(const StageStep& step) override { events.push_back("cached " + step.stage); }
    void begin(const StageStep& step) override { events.push_back("begin " + step.stage); }
    void progress(double, const std::string&) override {}
    void done(const StageStep& step, double, std::uintmax_t) override {
        events.push_back("done " + step.stage);
    }
    void failed(const StageFailure& failure) override {
        events.push_back("failed " + failure.stage + ": " + failure.error);
        last = failure;
    }
    void finished(const BuildResult& result) override {
        events.push_back("finished " +
                         std::to_string(result.images.empty() ? 0 : result.images[0].bytes));
    }
    std::vector<std::string> events;
    StageFailure last;
};

// Three artifacts in a row, with a check before: everything the executor does but the mounts.
class ExecutorTest : public testing::Test {
protected:
    std::vector<Stage> stages() {
        const auto artifact = [this](const char* name, std::vector<std::string> after) {
            return Stage{
                name,
                1,
                StageKind::artifact,
                "",
                std::move(after),
                {"role"},
                [](const Recipe&, const Facts&) { return std::optional<Json>(Json::object()); },
                [this, name](StageContext& context) { make(name, context); },
                "try again"};
        };
        Stage check{"check",
                    1,
                    StageKind::check,
                    "",
                    {},
                    {},
                    [](const Recipe&, const Facts&) { return std::optional<Json>(Json::object()); },
                    [](StageContext&) {},
                    ""};
        return {check, artifact("one", {}), artifact("two", {"one"}), artifact("iso", {"two"})};
    }

    void make(const std::string& name, StageContext& context) {
        write_file_atomically(context.out / "half", "half");
        if (name == failing) {
            throw Error(ErrorKind::internal, "it broke");
        }
        if (name == interrupted) {
            throw Interrupted();
        }
        std::string text = name;
        for (const auto& [parent, made] : context.artifacts) {
            text += "<" + read_file(made / "image.iso");
        }
        write_file_atomically(context.out / "image.iso", text);
    }

    bool build(const std::string& role_hash = "h") {
        const auto table = stages();
        Facts facts;
        facts.inputs["role"] = role_hash;
        const BuildPlan plan = make_plan(Recipe{}, facts, table);
        request.cache = folder.path() / "cache";
        request.outputs["iso"] = output();
        request.report = folder.path() / "stages.json";
        Store store(request.cache);
        BuildLog log(folder.path() / "log");
        NoTools tools;
        monitor.events.clear();
        return Executor(plan, table, request, store, tools, log, monitor).run();
    }

    fs::path output() const { return folder.path() / "out.iso"; }

    std::vector<std::string> pending() {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder.path() / "cache/pending")) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    TempDir folder;
    BuildRequest request;
    RecordingMonitor monitor;
    std::string failing;
    std::string interrupted;
};

TEST_F(ExecutorTest, RunsInOrderAndDelivers) {
    ASSERT_TRUE(build());
    EXPECT_THAT(monitor.events,
                ElementsAre("begin check", "done check", "begin one", "done one", "begin two",
                            "done two", "begin iso", "done iso", "finished 11"));
    EXPECT_EQ(read_file(output()), "iso<two<one");
    const Json report = parse_json(read_file(request.report));
    EXPECT_EQ(report.at("stages").size(), 4u);
    EXPECT_GE(report.at("stages").at(3).at("seconds").get<double>(), 0);
}

TEST_F(ExecutorTest, ReusesWhatIsThere) {
    ASSERT_TRUE(build());
    ASSERT_TRUE(build());
    EXPECT_THAT(monitor.events, ElementsAre("begin check", "done check", "cached one", "cached two",
                                            "cached iso", "finished 11"));
}

TEST_F(ExecutorTest, ResumesAfterAFailure) {
    failing = "two";
    EXPECT_FALSE(build());
    EXPECT_THAT(monitor.events, ElementsAre("begin check", "done check", "begin one", "done one",
                                            "begin two", "failed two: it broke"));
    EXPECT_EQ(monitor.last.hint, "try again");
    EXPECT_EQ(monitor.last.id.size(), 64u);
    EXPECT_THAT(pending(), IsEmpty());
    EXPECT_FALSE(fs::exists(output()));
    failing.clear();
    ASSERT_TRUE(build());
    EXPECT_THAT(monitor.events, ElementsAre("begin check", "done check", "cached one", "begin two",
                                            "done two", "begin iso", "done iso", "finished 11"));
}

TEST_F(ExecutorTest, AnInterruptionLeavesNothingHalfMade) {
    interrupted = "iso";
    EXPECT_THROW(build(), Interrupted);
    EXPECT_THAT(pending(), IsEmpty());
    EXPECT_FALSE(fs::exists(output()));
    interrupted.clear();
    ASSERT_TRUE(build());
    EXPECT_EQ(read_file(output()), "iso<two<one");
}

TEST_F(ExecutorTest, ClearsWhatAKilledBuildLeft) {
    ASSERT_TRUE(build());
    fs::create_directories(folder.path() / "cache/pending/deadbeef/files");
    ASSERT_TRUE(build());
    EXPECT_THAT(pending(), IsEmpty());
}

TEST_F(ExecutorTest, StopsWhereAsked) {
    request.until = "two";
    ASSERT_TRUE(build());
    EXPECT_THAT(monitor.events, ElementsAre("begin check", "done check", "begin one", "done one",
                                            "begin two", "done two", "finished 0"));
}

TEST_F(ExecutorTest, DoesAgainWhatIsAskedFor) {
    ASSERT_TRUE(build());
    request.fresh = "two";
    ASSERT_TRUE(build());
    EXPECT_THAT(monitor.events, ElementsAre("begin check", "done check", "cached one", "begin two",
                                            "done two", "begin iso", "done iso", "finished 11"));
}

TEST_F(ExecutorTest, ForgetsOldBuilds) {
    request.keep = 2;
    for (const char* version : {"a", "b", "c"}) {
        ASSERT_TRUE(build(version));
    }
    ASSERT_TRUE(build("b"));
    EXPECT_THAT(monitor.events, testing::Contains("cached iso"));
    ASSERT_TRUE(build("a"));
    EXPECT_THAT(monitor.events, testing::Contains("begin one"));
}

TEST_F(ExecutorTest, OneBuildACache) {
    const Store store(folder.path() / "cache");
    try {
        build();
        FAIL() << "two builds share a cache";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::conflict);
        EXPECT_THAT(error.text(), testing::HasSubstr("another build is using the cache"));
    }
}

// What is needed of a real build's plan, without running it.
class Actions : public testing::Test {
protected:
    Actions() {
        const auto step = [this](const char* name, StageKind kind, std::vector<std::string> after) {
            plan.steps.push_back({name, kind, "", Json(), {}, std::move(after), name});
        };
        step("tree", StageKind::layer, {});
        step("deb", StageKind::layer, {"tree"});
        step("image", StageKind::artifact, {"deb"});
        step("initramfs", StageKind::artifact, {"tree"});
        step("iso", StageKind::artifact, {"tree", "image", "initramfs"});
    }

    // The steps in order as s(kip), u (reuse) or r(un).
    std::string with(const std::set<std::string>& stored,
                     const std::vector<std::string>& targets = {"iso"}) {
        const auto actions = plan_actions(
            plan, targets, [&stored](const std::string& id) { return stored.contains(id); });
        std::string text;
        for (const StageStep& step : plan.steps) {
            text += "sur"[static_cast<int>(actions.at(step.stage))];
        }
        return text;
    }

    BuildPlan plan;
};

TEST_F(Actions, AreTheLeastThatIsNeeded) {
    EXPECT_EQ(with({}), "rrrrr");
    EXPECT_EQ(with({"tree", "deb", "image", "initramfs", "iso"}), "uuuuu");
    EXPECT_EQ(with({"tree", "deb", "image", "initramfs"}), "uuuur");
    EXPECT_EQ(with({"tree", "initramfs"}), "urrur");
    EXPECT_EQ(with({}, {"deb"}), "rrsss");
}

TEST_F(Actions, ServeSeveralTargets) {
    EXPECT_EQ(with({}, {"image", "initramfs"}), "rrrrs");
    EXPECT_EQ(with({"tree", "deb", "image"}, {"image", "initramfs"}), "uuurs");
}

TEST_F(Actions, AnArtifactNeedsNoLayersOnceMade) {
    EXPECT_EQ(with({"iso"}), "ssssu");
    EXPECT_EQ(with({"tree", "image", "initramfs"}), "usuur");
}

TEST_F(Actions, ALayerOnANewTreeIsMadeAnew) {
    EXPECT_EQ(with({"deb", "initramfs"}), "rrrur");
}

}  // namespace
}  // namespace gearbox::builder
