// What a deployment is told by markers, options and settings, and pushes that meet each other or lose their client.
#include "ssh_fixture.h"

#include <gmock/gmock-matchers.h>

#include <atomic>
#include <thread>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::Not;

namespace {

class DeploymentTest : public SshTest {
protected:
    std::string data(const std::string& file) const { return str("/var/lib/openshift/", gear.text(), "/app-root/data/", file); }

    /// A hook that, while data/hold is there, tells that it runs and waits.
    void hold_in(const std::string& hook) {
        EXPECT_THAT(push(".openshift/action_hooks/" + hook,
                         "#!/bin/bash\n[[ -e $OPENSHIFT_DATA_DIR/hold ]] || exit 0\ntouch $OPENSHIFT_DATA_DIR/held\n"
                         "while [[ -e $OPENSHIFT_DATA_DIR/hold ]]; do sleep .05; done\n")
                        .err,
                    HasSubstr("Result: success"));
        write_file_atomically(data("hold"), "");
    }
    void wait_until_held() const {
        EXPECT_EQ(run_tool({"timeout", "30", "bash", "-c", "until [[ -e $0 ]]; do sleep .05; done", data("held")}).status, 0);
    }
    /// The client of a push ends as if its machine did, while a hook of ours runs.
    void kill_a_push_in(const std::string& hook) {
        hold_in(hook);
        write_file_atomically(clone() + "/index.txt", "from a client that dies\n");
        git({"commit", "-q", "-a", "-m", "dies"});
        ToolOptions options;
        options.directory = clone();
        options.environment = {"GIT_SSH_COMMAND=" + ssh_command(), "HOME=" + work.path().native()};
        run_tool({"bash", "-c", "set -m; git push -q origin master & until [[ -e $0 ]]; do sleep .05; done; kill -KILL -- -$!; wait", data("held")}, options);
        std::filesystem::remove(data("hold"));
        inside(gear, "for i in {1..400}; do [[ $(find ~/git -name '*.lock') ]] || break; sleep .1; done");
    }
    /// Nothing is left half-done, and the next push is like any other.
    void expect_sanity() {
        const ToolResult next = push("index.txt", "the next one\n");
        EXPECT_EQ(next.status, 0) << next.err;
        EXPECT_THAT(next.err, HasSubstr("Result: success"));
        EXPECT_EQ(body(), "the next one\n");
        EXPECT_EQ(agent->state(gear), GearState::started);
        EXPECT_EQ(agent->deployments(gear).size(), 1u);
        EXPECT_EQ(inside_pruned("ls -d 20* | wc -l; find ~/git -name 'incoming-*' -o -name '*.lock'"), "1\n");
    }
};

}  // namespace

TEST_F(DeploymentTest, BuildsFromNothingWhenTold) {
    const auto dependencies = [&] { return inside(gear, "cd ~/app-root; ls dependencies build-dependencies"); };
    inside(gear, "cd ~/app-root; touch dependencies/library build-dependencies/tool");
    const std::string full = "build-dependencies:\ntool\n\ndependencies:\nlibrary\n";
    const std::string empty = "build-dependencies:\n\ndependencies:\n";
    EXPECT_THAT(push("index.txt", "second\n").err, Not(HasSubstr("Force clean build")));
    EXPECT_EQ(dependencies(), full);
    const ToolResult clean = push(".openshift/markers/force_clean_build", "");
    EXPECT_THAT(clean.err, HasSubstr("remote: Force clean build enabled - cleaning dependencies"));
    EXPECT_THAT(clean.err, HasSubstr("Result: success"));
    EXPECT_EQ(dependencies(), empty);
    EXPECT_TRUE(agent->deployments(gear).back().force_clean_build);
    std::filesystem::remove(clone() + "/.openshift/markers/force_clean_build");
    EXPECT_THAT(push("index.txt", "third\n").err, Not(HasSubstr("Force clean build")));
    EXPECT_FALSE(agent->deployments(gear).back().force_clean_build);
    // The same for one deployment, by an option.
    inside(gear, "cd ~/app-root; touch dependencies/library build-dependencies/tool");
    const ToolResult asked = ssh("gear deploy --force-clean-build");
    EXPECT_EQ(asked.status, 0) << asked.err;
    EXPECT_THAT(asked.out, HasSubstr("Force clean build enabled"));
    EXPECT_EQ(dependencies(), empty);
    EXPECT_EQ(body(), "third\n");
}

TEST_F(DeploymentTest, IsOfTheBranchThatIsSet) {
    agent->set_deployment_settings(gear, {true, "live/now", 1, "git"});
    EXPECT_THAT(push("index.txt", "for later\n").err, Not(HasSubstr("Result")));
    EXPECT_EQ(body(), "first version\n");
    const ToolResult live = git({"push", "-q", "origin", "master:live/now"});
    EXPECT_THAT(live.err, HasSubstr("remote: Building git ref 'live/now', commit "));
    EXPECT_THAT(live.err, HasSubstr("Result: success"));
    EXPECT_EQ(body(), "for later\n");
    EXPECT_EQ(agent->deployments(gear).back().ref, "live/now");
}

TEST_F(DeploymentTest, WaitsToBeAskedForWithoutAutoDeploy) {
    agent->set_deployment_settings(gear, {false, "master", 1, "git"});
    const ToolResult taken = push("index.txt", "second\n");
    EXPECT_EQ(taken.status, 0) << taken.err;
    EXPECT_THAT(taken.err, Not(HasSubstr("Result")));
    EXPECT_EQ(body(), "first version\n");
    EXPECT_EQ(ssh("gear deploy").status, 0);
    EXPECT_EQ(body(), "second\n");
}

TEST_F(DeploymentTest, LeavesTheLogOfTheFirstBuild) {
    const GearSpec spec = make_spec(24);
    Cartridge mock = cartridge("mock");
    mock.install_build_required = true;
    agent->create_gear(spec);
    agent->add_cartridge(spec.id, mock);
    agent->create_repository(spec.id, {});
    std::string said;
    agent->deploy_initially(spec.id, [&](std::string_view text) { said += text; });
    EXPECT_THAT(said, HasSubstr("Building git ref 'master'"));
    EXPECT_EQ(inside(spec.id, "cat /tmp/initial-build.log"), said);
    EXPECT_EQ(inside(gear, "ls -A /tmp"), "") << "without a build there is none";
}

TEST_F(DeploymentTest, OfAnEmptyApplicationIsItsFirstPush) {
    const GearSpec spec = make_spec(22);
    agent->create_gear(spec);
    agent->add_cartridge(spec.id, cartridge("mock"));
    agent->create_repository(spec.id, {RepositorySource::Kind::empty, {}});
    const ScriptMessages said = agent->deploy_initially(spec.id, {});
    EXPECT_THAT(said.messages, testing::ElementsAre("The repository is empty: the application starts with the first push."));
    EXPECT_EQ(agent->state(spec.id), GearState::stopped);
    agent->set_authorized_keys(spec.id, {public_key()});
    gear = spec.id;
    ASSERT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
    git({"checkout", "-q", "-B", "master"});
    EXPECT_THAT(push("index.txt", "begun\n").err, HasSubstr("Result: success"));
    EXPECT_EQ(body(), "begun\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(DeploymentTest, ComesAfterTheOneBefore) {
    hold_in("build");
    ToolResult first;
    std::thread pusher([&] { first = push("index.txt", "one\n"); });
    wait_until_held();
    // Taken already, but not deployed: another person's push on top of it.
    const std::string theirs = work.path() / "theirs";
    ToolOptions options;
    options.environment = {"GIT_SSH_COMMAND=" + ssh_command(), "HOME=" + work.path().native()};
    std::atomic<bool> is_over = false;
    ToolResult second;
    std::thread other([&] {
        second = run_tool({"bash", "-c", str("set -e; git clone -q ", clone(), " ", theirs, "; cd ", theirs, "; git remote set-url origin ", url(),
                                             "; echo two >index.txt; git -c user.name=b -c user.email=b commit -qam two; git push -q origin master")}, options);
        is_over = true;
    });
    // Each has its session, and the second waits for the application.
    EXPECT_EQ(run_tool({"timeout", "30", "bash", "-c", "until [[ $(pgrep -u 1020 -c gear-shell) == 2 ]]; do sleep .05; done"}).status, 0);
    EXPECT_FALSE(is_over);
    std::filesystem::remove(data("hold"));
    pusher.join();
    other.join();
    EXPECT_THAT(first.err, HasSubstr("Result: success"));
    EXPECT_EQ(second.status, 0) << second.err;
    EXPECT_THAT(second.err, HasSubstr("Result: success"));
    EXPECT_EQ(body(), "two\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(DeploymentTest, SurvivesTheDeathOfItsClientInTheBuild) {
    kill_a_push_in("build");
    expect_sanity();
}

TEST_F(DeploymentTest, SurvivesTheDeathOfItsClientBeforeThePushIsTaken) {
    kill_a_push_in("pre_stop");
    expect_sanity();
}

// A power cut in the middle of an update leaves them, and git waits for their end for ever.
TEST_F(DeploymentTest, TakesPushesAfterAGitThatWasKilled) {
    inside(gear, "cd ~/git/shop.git; touch -d '-1 minute' HEAD.lock packed-refs.lock refs/heads/master.lock");
    expect_sanity();
    // One that was just made is somebody's who is at it.
    inside(gear, "touch ~/git/shop.git/refs/heads/master.lock");
    EXPECT_THAT(push("index.txt", "too early\n").err, HasSubstr("File exists"));
    EXPECT_EQ(body(), "the next one\n");
}

}  // namespace gearbox::test
