// What cartridges hear of their end, with the application and without it (contract 3.3), and what is left of them.
#include "base/file.h"
#include "base/subprocess.h"
#include "node/endpoints.h"
#include "node_fixture.h"
#include "support/paths.h"

#include <gmock/gmock.h>

#include <fcntl.h>

#include <chrono>
#include <filesystem>

namespace gearbox::test {

namespace {

using Seconds = std::chrono::duration<double>;

class RemovalTest : public NodeTest {
protected:
    /// The test double as somebody else's, beside which others have room, changed by a bash program.
    void offer(const std::string& program) {
        const std::string directory = agent->make_cartridge_staging();
        ToolOptions options;
        options.directory = directory;
        run_tool_checked({"bash", "-ec", str("cp -r ", test_data("cartridges/mock/."), R"( .
            sed -i 's/Vendor: redhat/Vendor: acme/; s/^Name: mock/Name: mine/; s/Short-Name: Mock/Short-Name: Mine/; /^Provides/d' metadata/manifest.yml
            sed -i 's/OPENSHIFT_MOCK_/OPENSHIFT_MINE_/g' bin/*; sed -i s/MOCK/MINE/ metadata/managed_files.yml
        )", program)}, options);
        agent->import_cartridge(directory);
    }
    /// The file outlives its name: what a script adds to it can be read when the gear is gone.
    UniqueFd hold_trace(const GearId& gear) const {
        inside(gear, "echo >~/app-root/data/trace");
        const std::string path = str("/var/lib/openshift/", gear.text(), "/app-root/data/trace");
        return UniqueFd(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "opening the trace"));
    }
    Seconds time_of_destruction(const GearId& gear) {
        const auto began = std::chrono::steady_clock::now();
        agent->destroy_gear(gear);
        EXPECT_FALSE(std::filesystem::exists("/var/lib/openshift/" + gear.text()));
        EXPECT_EQ(run_tool({"pgrep", "-u", std::to_string(1090)}).out, "");
        return std::chrono::steady_clock::now() - began;
    }
};

// What was locked after the installation is the script's again.
constexpr const char* telling_teardown = R"(printf '%s\n' '#!/bin/bash' 'echo $PWD >>$OPENSHIFT_DATA_DIR/trace' \
    'echo 2>/dev/null >env/OPENSHIFT_MINE_GREETING && echo unlocked >>$OPENSHIFT_DATA_DIR/trace' >bin/teardown;)";

TEST_F(RemovalTest, OfAnApplicationIsHeardByItsCartridges) {
    offer(telling_teardown);
    for (const bool is_stopped : {false, true}) {
        SCOPED_TRACE(is_stopped);
        const GearId gear = create_application(90, {"acme-mine-1.0"});
        EXPECT_EQ(inside(gear, "echo 2>/dev/null >~/mine/env/OPENSHIFT_MINE_GREETING || echo locked"), "locked\n");
        const UniqueFd trace = hold_trace(gear);
        // As the broker does before it removes a gear.
        agent->stop(gear, !is_stopped);
        EXPECT_LT(time_of_destruction(gear), Seconds(5));
        EXPECT_EQ(read_all(trace.get(), 1000), str("\n/var/lib/openshift/", gear.text(), "/mine\nunlocked\n"));
    }
}

TEST_F(RemovalTest, OfAnApplicationIsHeldUpByNoCartridge) {
    offer(str(telling_teardown, "echo exit 3 >>bin/teardown"));
    const GearId failing = create_application(90, {"acme-mine-1.0"});
    const UniqueFd trace = hold_trace(failing);
    time_of_destruction(failing);
    EXPECT_THAT(read_all(trace.get(), 1000), testing::HasSubstr("unlocked"));
    agent->forget_cartridge("acme-mine");

    offer(str(telling_teardown, "echo 'trap \"\" TERM; setsid sleep 900 & sleep 900; sleep 900' >>bin/teardown"));
    const GearId hanging = create_application(90, {"acme-mine-1.0"});
    const UniqueFd other_trace = hold_trace(hanging);
    settings.node.script_timeout_seconds = 1;
    EXPECT_LT(time_of_destruction(hanging), Seconds(30));
    EXPECT_THAT(read_all(other_trace.get(), 1000), testing::HasSubstr("unlocked"));
}

// Neither its failing stop nor one that leaves its server keeps anything of a cartridge; what stays is served as before.
TEST_F(RemovalTest, OfACartridgeEndsWhatItRuns) {
    for (const char* stop : {"exit 8", "exit 0"}) {
        SCOPED_TRACE(stop);
        offer(str(telling_teardown, "sed -i 's/^- web_framework/- embedded/' metadata/manifest.yml; sed -i '2i [[ $1 != stop ]] || ", stop, "' bin/control"));
        const GearId gear = create_application(90, {"mock", "acme-mine-1.0"});
        const UniqueFd trace = hold_trace(gear);
        ASSERT_EQ(inside(gear, "pgrep -xc perl"), "2\n");
        agent->remove_cartridge(gear, cartridge("acme-mine-1.0"));
        EXPECT_THAT(read_all(trace.get(), 1000), testing::HasSubstr("unlocked"));
        EXPECT_EQ(inside(gear, "pgrep -xc perl; ls -d ~/mine 2>/dev/null"), "1\n");
        const GearRecord record = agent->context().store.gear(gear);
        EXPECT_EQ(http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop"), "first version\n");
        // A stopped application stays so.
        agent->add_cartridge(gear, cartridge("acme-mine-1.0"));
        agent->stop(gear, true);
        agent->remove_cartridge(gear, cartridge("acme-mine-1.0"));
        EXPECT_EQ(agent->use(gear).processes, 0);
        EXPECT_EQ(agent->state(gear), GearState::stopped);
        agent->destroy_gear(gear);
        agent->forget_cartridge("acme-mine");
    }
}

}  // namespace

}  // namespace gearbox::test
