// The life cycle of gears: orderly ends, limits that change, a machine that comes back.
#include "functional/node_fixture.h"

#include "base/error.h"
#include "base/file.h"
#include "node/endpoints.h"
#include "sys/capabilities.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <sstream>
#include <thread>

namespace gearbox::test {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Seconds = std::chrono::duration<double>;

class LifeTest : public NodeTest {
protected:
    /// Runs on after the one who has started it; has written the file 'ready' when this returns.
    void in_background(const GearId& gear, const std::string& program) const {
        inside(gear, str("cd ~/app-root/data; rm -f ready; setsid bash -c '", program,
                         "' </dev/null >/dev/null 2>&1 & until [[ -e ready ]]; do sleep 0.02; done"));
    }
    std::string data(const GearId& gear, const std::string& file) const {
        const NodeContext& node = agent->context();
        return node.files(node.store.gear(gear)).find("app-root/data/" + file).value_or("");
    }
    /// Bytes of memory, processes, and microseconds of a processor in each tenth of a second, as the gear's cgroups have them.
    std::string group_limits(const GearId& gear) const {
        const std::string group = str("/", settings.node.cgroup_parent, "/", cgroup_name(gear), "/");
        const std::string root = "/sys/fs/cgroup";
        return std::filesystem::exists(root + "/cgroup.controllers")
                   ? read_file(str(root, group, "memory.max")) + read_file(str(root, group, "pids.max")) + read_file(str(root, group, "cpu.max"))
                   : read_file(str(root, "/memory", group, "memory.limit_in_bytes")) + read_file(str(root, "/pids", group, "pids.max")) +
                         read_file(str(root, "/cpu", group, "cpu.cfs_quota_us"));
    }
    static std::string limits_in_words(const GearSettings& gear) {
        const bool is_unified = std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
        return str(gear.memory_mb << 20, "\n", gear.pids, "\n", gear.cpu_percent * 1000, is_unified ? " 100000\n" : "\n");
    }
    template <typename Act>
    static std::string message_of(const Act& act) {
        try {
            act();
        } catch (const Error& error) {
            return error.text();
        }
        return "done";
    }
    Seconds time_of_stop(const GearId& gear, bool force) {
        const auto began = std::chrono::steady_clock::now();
        agent->stop(gear, force);
        EXPECT_EQ(agent->use(gear).processes, 0);
        return std::chrono::steady_clock::now() - began;
    }
};

TEST_F(LifeTest, AsksWhatIsLeftToEndBeforeItKills) {
    const GearId gear = create_application(70, {"mock"});
    const Seconds grace(5);
    const char* const orderly = "trap \"sleep 0.2; echo $0 >>ended; exit\" TERM; : >ready; while :; do sleep 0.05; done";
    in_background(gear, orderly);
    // One that stands still must hear of it, too.
    in_background(gear, str("trap \"echo stopped >>ended; exit\" TERM; : >ready; kill -STOP $$; sleep 60"));
    EXPECT_LT(time_of_stop(gear, false), grace) << "nobody is left to wait for";
    EXPECT_THAT(data(gear, "ended"), AllOf(HasSubstr("bash\n"), HasSubstr("stopped\n")));

    agent->start(gear);
    inside(gear, "rm ~/app-root/data/ended");
    in_background(gear, orderly);
    in_background(gear, "trap \"\" TERM; : >ready; while :; do sleep 0.05; done");
    EXPECT_GE(time_of_stop(gear, false), grace) << "it may take its time";
    EXPECT_EQ(data(gear, "ended"), "bash\n");

    agent->start(gear);
    inside(gear, "rm ~/app-root/data/ended");
    in_background(gear, orderly);
    EXPECT_LT(time_of_stop(gear, true), grace);
    EXPECT_EQ(data(gear, "ended"), "") << "killed at once";

    agent->start(gear);
    EXPECT_LT(time_of_stop(gear, false), grace) << "but for its service nothing runs";
}

TEST_F(LifeTest, GivesNewLimitsToWhatRuns) {
    settings.gear.pids = 200;
    settings.gear.open_files = 1000;
    settings.more_sizes["large"] = settings.gear;
    settings.more_sizes["large"].pids = 300;
    settings.more_sizes["large"].open_files = 2000;
    settings.more_sizes["large"].memory_mb = settings.gear.memory_mb + 64;
    settings.more_sizes["large"].cpu_percent = 150;
    restart_agent();
    const GearId gear = create_application(71, {"mock"});
    const auto limits_of = [&](const std::string& pid_file) {
        return inside(gear, str("awk '/^Max (processes|open files|pending signals)/ { print $(NF-2), $(NF-1) }' /proc/$(cat ", pid_file, ")/limits"));
    };
    const std::string service = "~/mock/run/pid";
    const std::string modest = "~/app-root/data/ready";
    in_background(gear, "ulimit -n 64; ulimit -Su 100; echo $$ >new; mv new ready; exec sleep 600");
    EXPECT_EQ(limits_of(service), "200 200\n1000 1000\n3200 3200\n");
    EXPECT_EQ(limits_of(modest), "100 200\n64 64\n3200 3200\n");
    EXPECT_EQ(group_limits(gear), limits_in_words(settings.gear));
    agent->set_resources(gear, {"large", 0});
    EXPECT_EQ(group_limits(gear), limits_in_words(settings.more_sizes["large"]));
    EXPECT_EQ(inside(gear, "ulimit -Hu; ulimit -n"), "300\n2000\n");
    // In a container without it, what runs keeps its limits; the rest is tried in the booted image, too (30_gears).
    const bool is_able = sys::is_in_bounding_set(*sys::find_capability("sys_resource"));
    EXPECT_EQ(limits_of(service), is_able ? "300 300\n2000 2000\n4800 4800\n" : "200 200\n1000 1000\n3200 3200\n");
    EXPECT_EQ(limits_of(modest), is_able ? "100 300\n64 64\n4800 4800\n" : "100 200\n64 64\n3200 3200\n")
        << "what it has lowered for itself stays";
    agent->set_resources(gear, {"small", 0});
    EXPECT_EQ(group_limits(gear), limits_in_words(settings.gear));
    EXPECT_EQ(limits_of(service), "200 200\n1000 1000\n3200 3200\n");
    EXPECT_EQ(limits_of(modest), "100 200\n64 64\n3200 3200\n");
    // By the settings themselves, with which the daemon comes back.
    settings.gear.open_files = 1500;
    restart_agent();
    KeyedMutex locks;
    agent->start_missing(locks);
    EXPECT_EQ(limits_of(service), is_able ? "200 200\n1500 1500\n3200 3200\n" : "200 200\n1000 1000\n3200 3200\n");
}

TEST_F(LifeTest, NamesTheStepThatFails) {
    const GearId gear = create_application(72, {"mock"});
    const GearRecord record = agent->context().store.gear(gear);
    GearCommand nowhere;
    nowhere.argv = {"/bin/true"};
    nowhere.directory = "/not/there";
    EXPECT_THAT(message_of([&] { agent->context().launcher.run(record, nowhere); }),
                AllOf(HasSubstr("step 'directory'"), HasSubstr("/not/there")));
    agent->stop(gear, false);
    const std::string home = agent->context().home(record);
    std::filesystem::rename(home, home + ".away");
    const std::string message = message_of([&] { agent->start(gear); });
    std::filesystem::rename(home + ".away", home);
    EXPECT_THAT(message, AllOf(HasSubstr(str("starting gear '", gear.text(), "': step 'mounts': ")), HasSubstr(home)));
    EXPECT_FALSE(agent->context().launcher.is_running(record));
    agent->start(gear);
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(LifeTest, TidiesTheRepository) {
    const GearId gear = create_application(74, {"mock"});
    const std::string garbage = inside(gear, "git --git-dir ~/git/shop.git hash-object -w --stdin <<<garbage");
    agent->tidy(gear);
    EXPECT_EQ(inside(gear, str("cd ~/git/shop.git; find objects -path 'objects/??/*'; git cat-file -e ", garbage.substr(0, garbage.size() - 1),
                               " 2>/dev/null || echo gone; git show master:index.txt")),
              "gone\nfirst version\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(LifeTest, TellsWhatAGearUses) {
    const GearId gear = create_application(73, {"mock"});
    const GearUse before = agent->use(gear);
    EXPECT_EQ(before.processes, 2) << "PID 1 and its service";
    EXPECT_GT(before.memory_bytes, 256 * 1024);
    EXPECT_LT(before.memory_bytes, settings.gear.memory_mb << 20);
    in_background(gear, "perl -e \"\\$x = q(x) x 50_000_000; open F, q(>), q(ready); sleep 600\" & wait");
    const GearUse after = agent->use(gear);
    EXPECT_EQ(after.processes, 4);
    EXPECT_GT(after.memory_bytes, before.memory_bytes + 50'000'000);
    // v1 has it in a hierarchy of its own, which gears have no groups in.
    if (std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers")) {
        inside(gear, "perl -e '1 while (times)[0] < 0.5'");
        EXPECT_GT(agent->use(gear).cpu_us, before.cpu_us + 500'000);
    }
    agent->stop(gear, true);
    EXPECT_EQ(agent->use(gear).processes, 0);
}

TEST_F(LifeTest, HoldsNobodyUpWhileItStandsStill) {
    const GearId gear = create_application(76, {"mock"});
    if (!std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers")) {
        EXPECT_THAT(message_of([&] { agent->freeze(gear, true); }), HasSubstr("freezing needs cgroup v2"));
        agent->freeze(gear, false);
        EXPECT_EQ(inside(gear, "echo goes on"), "goes on\n");
        return;  // the rest is tried in the booted image, too (30_gears)
    }
    const std::vector<std::function<void()>> thawing = {[&] { agent->freeze(gear, false); }, [&] { agent->reload(gear); },
                                                        [&] { agent->tidy(gear); }, [&] { agent->restart(gear); }};
    for (const auto& act : thawing) {
        agent->freeze(gear, true);
        agent->freeze(gear, true);
        EXPECT_TRUE(agent->use(gear).is_frozen);
        EXPECT_THAT(message_of([&] { inside(gear, "true"); }), HasSubstr("the gear is frozen"));
        act();
        EXPECT_FALSE(agent->use(gear).is_frozen);
        EXPECT_EQ(inside(gear, "echo goes on"), "goes on\n");
    }
    agent->freeze(gear, true);
    agent->stop(gear, false);
    EXPECT_EQ(agent->use(gear).processes, 0);
    agent->start(gear);
    agent->freeze(gear, true);  // and is removed
}

TEST_F(LifeTest, ReapsWhatHasLostItsParent) {
    const GearId gear = create_application(77, {"mock"});
    EXPECT_EQ(inside(gear, "(sleep .3 & echo $! >~/app-root/data/orphan); orphan=$(<~/app-root/data/orphan); cut -d' ' -f4 /proc/$orphan/stat;"
                           "for i in {1..200}; do [[ -e /proc/$orphan ]] || break; sleep .05; done;"
                           "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '"),
              "1\n0\n");
}

TEST_F(LifeTest, StartsFirstWhatAnOperatorPutsFirst) {
    std::vector<GearId> gears;
    const auto add = [&](const std::string& priority) {
        gears.push_back(make_spec(78 + static_cast<int>(gears.size())).id);
        agent->create_gear(make_spec(77 + static_cast<int>(gears.size())));
        const GearFiles files = agent->context().files(agent->context().store.gear(gears.back()));
        files.write(".start_priority", priority, files.locked(), 0640);
    };
    for (const char* priority : {"", "-1", "1 2", "99999999999", "20\n", "3", "three"}) {
        add(priority);
    }
    EXPECT_EQ(agent->starting_order(),
              (std::vector<GearId>{gears[5], gears[4], gears[0], gears[1], gears[2], gears[3], gears[6]}));
}

/// Of a gear's start after the reboot, seconds since 1970.
struct Start {
    double begin = 0;
    double end = 0;
};

TEST_F(LifeTest, ComesBackInOrderAndAFewAtATime) {
    const int at_a_time = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    std::vector<GearId> gears;
    for (int i = 0; i < 2 * at_a_time; ++i) {
        // The youngest first: it is the ids that order them.
        gears.insert(gears.begin(), create_application(74 + 2 * at_a_time - i, {"mock"}));
    }
    const GearId stopped = create_application(74, {"mock"});
    agent->stop(stopped, false);
    for (const GearId& gear : gears) {
        inside(gear, R"(hook=~/app-root/runtime/repo/.openshift/action_hooks/pre_start
                        echo '#!/bin/bash
                              begin=$EPOCHREALTIME; sleep 0.7; echo $begin $EPOCHREALTIME >>$OPENSHIFT_DATA_DIR/starts' >$hook
                        chmod +x $hook)");
    }
    // As after a reboot: the records are there, and nothing runs.
    for (const GearId& gear : gears) {
        GearRecord record = agent->context().store.gear(gear);
        agent->context().launcher.kill(record);
    }
    restart_agent();
    KeyedMutex locks;
    agent->start_missing(locks);
    std::vector<Start> starts;
    std::vector<std::pair<double, int>> changes;  ///< of how many are being started
    for (const GearId& gear : gears) {
        EXPECT_EQ(agent->use(gear).processes, 2);
        std::istringstream text(data(gear, "starts"));
        Start start;
        ASSERT_TRUE(text >> start.begin >> start.end) << gear.text() << " was not started";
        double more = 0;
        EXPECT_FALSE(text >> more) << "started twice";
        starts.push_back(start);
        changes.emplace_back(start.begin, 1);
        changes.emplace_back(start.end, -1);
    }
    std::sort(changes.begin(), changes.end());
    int now = 0;
    int most = 0;
    for (const auto& [time, change] : changes) {
        now += change;
        most = std::max(most, now);
    }
    EXPECT_LE(most, at_a_time);
    EXPECT_GE(most, std::min(2, at_a_time));
    for (std::size_t i = 0; i + static_cast<std::size_t>(at_a_time) < starts.size(); ++i) {
        EXPECT_LT(starts[i].begin, starts[i + static_cast<std::size_t>(at_a_time)].begin) << i;
    }
    EXPECT_EQ(agent->state(stopped), GearState::stopped);
    EXPECT_EQ(agent->use(stopped).processes, 0);
}

}  // namespace

}  // namespace gearbox::test
