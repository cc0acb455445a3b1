// Many lives of gears, one after the other: nothing is left of any. GEARBOX_ROUNDS tells how many (make stress:
// 10,000).
#include "functional/node_fixture.h"

#include "base/file.h"
#include "base/json.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>

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

// In sets and maps that are not constant; those of connections go by themselves, some time after the last one.
std::size_t filter_elements() {
    std::size_t count = 0;
    const Json listed = parse_json(run_tool_checked({"nft", "--json", "list", "table", "inet", "gearbox"}));
    for (const Json& object : take<Json>(listed, "nftables")) {
        for (const char* kind : {"set", "map"}) {
            const auto set = find<Json>(object, kind);
            const std::string name = set ? take<std::string>(*set, "name") : "";
            if (set && set->contains("elem") && name != "connections" && name != "downloads") {
                count += (*set)["elem"].size();
            }
        }
    }
    return count;
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
        {"passwords", lines_of(read_file("/etc/shadow"))},
        {"records", entries_of("/var/lib/gearbox/gears")},
        {"elements of the packet filter", filter_elements()},
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
            EXPECT_TRUE(std::filesystem::exists(str("/var/lib/gearbox/gears/", spec.id.text(), ".json")));
            EXPECT_THAT(read_file("/etc/shadow"), ::testing::HasSubstr("\n" + spec.id.text() + ":"));
            with_gear_ = filter_elements();
        }
        agent->stop(spec.id, true);
        agent->start(spec.id);
        agent->destroy_gear(spec.id);
    }
    std::size_t with_gear_ = 0;  ///< elements of the packet filter
};

TEST_F(RoundsTest, LeaveNothing) {
    const char* const wanted = std::getenv("GEARBOX_ROUNDS");
    const int rounds = wanted == nullptr ? 12 : std::atoi(wanted);
    ASSERT_GT(rounds, 0) << "GEARBOX_ROUNDS must be a number above 0";
    round(0);  // what is made once, and kept
    const auto before = traces();
    EXPECT_GT(with_gear_, before.at("elements of the packet filter")) << "looked for in the wrong place";
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
