// Many lives of gears, one after the other: nothing is left of any. GEARBOX_ROUNDS tells how many (make stress:
// 10,000).
#include "functional/node_fixture.h"

#include "base/file.h"
#include "base/subprocess.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace gearbox::test {

namespace {

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::size_t entries_of(const std::string& directory) {
    const std::filesystem::directory_iterator entries(directory);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// Of gears, in the unified hierarchy or in each of v1. What else the machine has comes and goes meanwhile.
std::size_t cgroups() {
    const std::string gears = str("*/", private_host_settings().node.cgroup_parent, "/gear-*");
    return lines_of(run_tool({"find", "/sys/fs/cgroup", "-type", "d", "-path", gears}).out);
}

// Everything of the machine that a gear could leave behind.
std::map<std::string, std::size_t> traces() {
    return {
        {"processes of gears",
         lines_of(run_tool_checked({"sh", "-c", "ps -eo uid= | awk '$1 >= 1500 && $1 < 1900'"}))},
        // Zombies too; ps itself is one.
        {"children", lines_of(run_tool_checked({"ps", "-o", "pid=", "--ppid", std::to_string(::getpid())}))},
        {"mounts", lines_of(read_file("/proc/self/mountinfo"))},
        {"links", lines_of(run_tool_checked({"ip", "-o", "link"}))},
        {"cgroups", cgroups()},
        {"accounts", lines_of(read_file("/etc/passwd")) + lines_of(read_file("/etc/group"))},
        {"homes", entries_of("/var/lib/openshift")},
        {"descriptors", entries_of("/proc/self/fd")},
        {"threads", entries_of("/proc/self/task")},
    };
}

class RoundsTest : public NodeTest {
protected:
    void round(int number) {
        const GearSpec spec = make_spec(500 + number % 400);
        agent->create_gear(spec);
        GearRecord record = agent->context().store.gear(spec.id);
        agent->context().launcher.ensure_running(record);
        ASSERT_EQ(inside(spec.id, "sleep 1000 & setsid sleep 1000 & echo started"), "started\n");
        if (number == 0) {
            EXPECT_GT(cgroups(), 0u) << "looked for in the wrong place";
        }
        agent->stop(spec.id, true);
        agent->start(spec.id);
        agent->destroy_gear(spec.id);
    }
};

TEST_F(RoundsTest, LeaveNothing) {
    const char* const wanted = std::getenv("GEARBOX_ROUNDS");
    const int rounds = wanted == nullptr ? 12 : std::atoi(wanted);
    ASSERT_GT(rounds, 0) << "GEARBOX_ROUNDS must be a number above 0";
    round(0);  // what is made once, and kept
    const auto before = traces();
    for (int i = 1; i <= rounds && !HasFatalFailure(); ++i) {
        round(i);
        if (i % 500 == 0) {
            std::cout << i << " rounds\n" << std::flush;
        }
    }
    agent->reap();
    EXPECT_EQ(traces(), before);
}

}  // namespace

}  // namespace gearbox::test
