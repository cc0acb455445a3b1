// What becomes of services that end, and of gears that want too much memory.
#include "functional/node_fixture.h"

#include "node/endpoints.h"

#include <gmock/gmock.h>

#include <thread>

namespace gearbox::test {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatcherTest : public NodeTest {
protected:
    void SetUp() override {
        settings.node.watch_seconds = 1;
        NodeTest::SetUp();
        gear = create_application(31, {"mock"});
        watching = std::thread([this] { agent->watcher().run(locks); });
    }
    void TearDown() override {
        agent->watcher().stop();
        watching.join();
        NodeTest::TearDown();
    }
    std::string body() const {
        const GearRecord record = agent->context().store.gear(gear);
        return http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop");
    }
    /// Waits for it, but at most half a minute.
    template <typename Condition>
    static bool comes_true(Condition&& condition) {
        for (int i = 0; i < 300; ++i) {
            if (condition()) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));  // allowed: a look of another thread
        }
        return false;
    }
    std::string log() const { return inside(gear, "cat ~/app-root/logs/gearbox.log"); }

    KeyedMutex locks;
    GearId gear{"5f0000000000000000000131"};
    std::thread watching;
};

TEST_F(WatcherTest, StartsAgainWhatHasEnded) {
    // It must have been seen before it can be missed.
    ASSERT_TRUE(comes_true([&] { return body() == "first version\n"; }));
    std::this_thread::sleep_for(std::chrono::seconds(2));  // allowed: two looks of another thread
    inside(gear, "kill -9 $(cat ~/mock/run/pid)");
    EXPECT_TRUE(comes_true([&] { return body() == "first version\n"; }));
    EXPECT_TRUE(comes_true([&] { return log().find("mock had ended and was started again") != std::string::npos; }));
    EXPECT_EQ(agent->health(gear).restarts, 1);
    const auto sandbox = agent->context().store.gear(gear).init_pid;
    ::kill(sandbox, SIGKILL);
    EXPECT_TRUE(comes_true([&] { return agent->context().store.gear(gear).init_pid != sandbox; }));
    EXPECT_TRUE(comes_true([&] { return body() == "first version\n"; }));
    // What is stopped on purpose stays so: one cartridge, and the whole gear.
    std::this_thread::sleep_for(std::chrono::seconds(2));  // allowed: two looks of another thread
    {
        const auto lock = locks.lock(gear.text());
        agent->control(gear, "mock", "stop");
    }
    std::this_thread::sleep_for(std::chrono::seconds(4));  // allowed: looks that must find nothing to do
    EXPECT_EQ(body(), "");
    {
        const auto lock = locks.lock(gear.text());
        agent->stop(gear, false);
    }
    std::this_thread::sleep_for(std::chrono::seconds(4));  // allowed: looks that must find nothing to do
    EXPECT_EQ(body(), "");
    EXPECT_EQ(agent->state(gear), GearState::stopped);
}

TEST_F(WatcherTest, MissesWhatEndsRightAfterItsStart) {
    const auto is_back = [&] { return body() == "first version\n"; };
    ASSERT_TRUE(comes_true(is_back));
    agent->restart(gear);
    inside(gear, "kill -9 $(cat ~/mock/run/pid)");
    EXPECT_TRUE(comes_true(is_back));
    agent->stop(gear, false);
    agent->start(gear);
    inside(gear, "kill -9 $(cat ~/mock/run/pid)");
    EXPECT_TRUE(comes_true(is_back));
}

TEST_F(WatcherTest, TellsOfKillsByTheMemoryLimit) {
    const auto before = agent->health(gear).oom_kills;
    std::this_thread::sleep_for(std::chrono::seconds(5));  // allowed: a first look, on a busy machine
    ::testing::internal::CaptureStderr();
    inside(gear, "perl -e '$x = \"x\" x 700_000_000'");
    EXPECT_GT(agent->health(gear).oom_kills, before);
    EXPECT_TRUE(comes_true([&] { return log().find("out of memory: 1 process was killed") != std::string::npos; }));
    EXPECT_THAT(log(), HasSubstr("may use 512 MB"));
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(str(" event='out-of-memory' gear='", gear.text(), "'")));
    EXPECT_EQ(body(), "first version\n") << "the others of the gear live on";
    {
        const auto lock = locks.lock(gear.text());
        agent->set_resources(gear, {"small", 1});
    }
    EXPECT_EQ(inside(gear, "cat ~/.env/GEARBOX_DISK_MB"), "2048");
    EXPECT_THAT(inside(gear, "quota"), HasSubstr("2097152"));
}

}  // namespace

}  // namespace gearbox::test
