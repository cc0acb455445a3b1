// The application's own hooks around what the platform does (cartridge contract, 6.2): which are run, and in what order.
#include "node_fixture.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <filesystem>

namespace gearbox::test {

namespace {

// Of somebody else: the names of its hooks have no vendor.
class HooksTest : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        const GearSpec spec = make_spec(23);
        gear = spec.id;
        Cartridge mock = cartridge("mock");
        mock.vendor = "acme";
        ASSERT_EQ(mock.full_name(), "acme-mock-1.0");
        agent->create_gear(spec);
        agent->add_cartridge(gear, mock);
        agent->create_repository(gear, {RepositorySource::Kind::empty, {}});
        agent->deploy_initially(gear, {});
        // Each writes its name where the cartridge's control writes its verbs. Hooks around a verb are sourced: they know $0.
        inside(gear, R"(set -e; git init -q -b master /tmp/work; cd /tmp/work; mkdir -p .openshift/action_hooks; cd .openshift/action_hooks
            for verb in start stop restart reload tidy pre_build build prepare deploy post_deploy update_configuration; do
                names="$verb"
                for when in pre post; do names+=" ${when}_$verb ${when}_${verb}_mock ${when}_${verb}_mock-1.0 ${when}_${verb}_acme-mock-1.0"; done
                for name in $names; do
                    printf '#!/bin/bash\necho %s >>$OPENSHIFT_DATA_DIR/verbs\n' $name >$name
                done
            done
            # Where they come from, sh is bash.
            printf '#!/bin/sh\nname=(pre_build)\necho ${name[0]} >>$OPENSHIFT_DATA_DIR/verbs\n' >pre_build
            chmod +x *; chmod -x pre_reload_mock
            cd /tmp/work; echo page >index.txt; git add -A; git -c user.name=a -c user.email=a commit -qm hooks
            git --git-dir ~/git/shop.git fetch -q /tmp/work master:master)");
        EXPECT_TRUE(agent->deploy(gear, {}, {}));
    }

    /// What has run, in one line; the next call tells what came after it.
    std::string told() const {
        const std::string path = str("/var/lib/openshift/", gear.text(), "/app-root/data/verbs");
        std::string text = read_file(path);
        std::filesystem::remove(path);
        std::replace(text.begin(), text.end(), '\n', ' ');
        return text;
    }

    GearId gear;
};

}  // namespace

TEST_F(HooksTest, AreRunInTheOrderOfTheContract) {
    // The names with the version come after those without, as in the original.
    const auto around = [](const std::string& verb, const std::string& hook) {
        return str("pre_", hook, "_mock pre_", hook, "_mock-1.0 ", verb, " post_", hook, "_mock post_", hook, "_mock-1.0 ");
    };
    EXPECT_EQ(told(),
              // There is nothing of the new version yet when this one runs.
              "pre-repo-archive " + around("update-configuration", "update_configuration") + around("pre-build", "pre_build") +
                  "pre_build " + around("build", "build") + "build prepare " +
                  around("update-configuration", "update_configuration") + "pre_start " + around("deploy", "deploy") + "deploy " +
                  around("start", "start") + "post_start " + around("post-deploy", "post_deploy") + "post_deploy ");
    agent->restart(gear);
    EXPECT_EQ(told(), "pre_restart " + around("restart", "restart") + "post_restart ");
    agent->reload(gear);
    EXPECT_EQ(told(), "pre_reload pre_reload_mock-1.0 reload post_reload_mock post_reload_mock-1.0 post_reload ");
    agent->stop(gear, false);
    EXPECT_EQ(told(), "pre_stop " + around("stop", "stop") + "post_stop ");
    agent->start(gear);
    EXPECT_EQ(told(), "pre_start " + around("start", "start") + "post_start ");
    agent->tidy(gear);
    EXPECT_EQ(told(), "pre_tidy pre_stop " + around("stop", "stop") + "post_stop " + around("tidy", "tidy") + "pre_start " +
                          around("start", "start") + "post_start post_tidy ");
    agent->control(gear, "mock", "tidy");
    EXPECT_EQ(told(), around("tidy", "tidy"));
}

}  // namespace gearbox::test
