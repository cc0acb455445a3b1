// Pushes and sessions through a real sshd, gear-shell and git.
#include "ssh_fixture.h"

#include <gmock/gmock-matchers.h>

#include <chrono>
#include <future>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::Not;

namespace {

using PushTest = SshTest;

TEST_F(PushTest, DeploysAPush) {
    const ToolResult result = push("index.txt", "second version\n");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("remote: building in /var/lib/openshift/"));
    EXPECT_THAT(result.err, HasSubstr("remote: Git Post-Receive Result: success"));
    EXPECT_EQ(body(), "second version\n");
    const auto deployments = agent->deployments(gear);
    ASSERT_EQ(deployments.size(), 1u);
    EXPECT_EQ(deployments[0].activations.size(), 1u);
    EXPECT_EQ(deployments[0].sha1.size(), 40u);
    EXPECT_EQ(inside(gear, "cat ~/app-deployments/current/repo/index.txt"), "second version\n");
    EXPECT_EQ(inside(gear, "ls ~/app-deployments/by-id"), deployments[0].id + "\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(PushTest, TellsWhyABuildFailedAndStaysDownAsTheContractSays) {
    const ToolResult result = push("broken", "");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, HasSubstr("action hook 'build' ended with status 1"));
    EXPECT_THAT(result.err, HasSubstr("Git Post-Receive Result: failure"));
    EXPECT_EQ(body(), "");
    EXPECT_EQ(agent->state(gear), GearState::stopped);
    std::filesystem::remove(clone() + "/broken");
    EXPECT_THAT(push("index.txt", "repaired\n").err, HasSubstr("success"));
    EXPECT_EQ(body(), "repaired\n");
}

TEST_F(PushTest, BuildsInTheGearsOwnCgroup) {
    const ToolResult result = push(".openshift/action_hooks/build", "#!/bin/bash\ncat /proc/self/cgroup >$OPENSHIFT_DATA_DIR/group\n");
    EXPECT_THAT(result.err, HasSubstr("Git Post-Receive Result: success"));
    // As both see it, from the same cgroup namespace: PID 1 is in the gear's group, which the host knows.
    const std::string group = inside(gear, "cat ~/app-root/data/group");
    EXPECT_THAT(group, HasSubstr(":/\n"));
    EXPECT_EQ(group, inside(gear, "cat /proc/1/cgroup"));
    const std::string seen = read_file(str("/proc/", agent->context().store.gear(gear).init_pid, "/cgroup"));
    EXPECT_THAT(seen, HasSubstr(str("/gear-", gear.text(), "\n")));
}

TEST_F(PushTest, StartsTheOldVersionWhenSeveralAreKept) {
    agent->set_deployment_settings(gear, {true, "master", 3, "git"});
    EXPECT_EQ(push("index.txt", "good\n").status, 0);
    EXPECT_THAT(push("broken", "").err, HasSubstr("failure"));
    EXPECT_EQ(body(), "good\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(inside(gear, "ls ~/app-root/repo/broken 2>&1 | grep -c cannot"), "1\n");
}

TEST_F(PushTest, KeepsRunningWithHotDeploy) {
    const std::string before = inside(gear, "cat ~/mock/run/pid");
    EXPECT_EQ(push(".openshift/markers/hot_deploy", "").status, 0);
    const ToolResult hot = push("index.txt", "hot\n");
    EXPECT_EQ(hot.status, 0);
    EXPECT_THAT(hot.err, HasSubstr("Not stopping cartridge mock because hot deploy is enabled"));
    EXPECT_EQ(body(), "hot\n");
    EXPECT_EQ(inside(gear, "cat ~/mock/run/pid"), before);
}

// What it has built comes back while the push still waits.
TEST_F(PushTest, LeavesEverythingToABuilder) {
    const std::string staging = agent->make_cartridge_staging();
    std::filesystem::create_directories(staging + "/metadata");
    std::filesystem::create_directories(staging + "/bin");
    write_file_atomically(staging + "/metadata/manifest.yml", "Name: ci\nCartridge-Short-Name: CI\nVersion: '1'\nCartridge-Version: 0.0.1\n"
                                                              "Cartridge-Vendor: acme\nCategories: [ci_builder]\n");
    write_file_atomically(staging + "/bin/control", R"sh(#!/bin/bash
case $1 in
pre-receive) echo "may come"; [[ ! -e $OPENSHIFT_DATA_DIR/refuse ]] || { echo "CLIENT_ERROR: no builder is free"; exit 1; } ;;
post-receive) echo "building $(git --git-dir ~/git/shop.git show master:index.txt)"; [[ ! -e $OPENSHIFT_DATA_DIR/back ]] || exit 5
    touch $OPENSHIFT_DATA_DIR/asked; until [[ -e $OPENSHIFT_DATA_DIR/back ]]; do sleep .05; done ;;
esac
)sh", 0755);
    agent->import_cartridge(staging);
    agent->add_cartridge(gear, cartridge("acme-ci"));
    ASSERT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
    inside(gear, "rm ~/app-root/data/verbs");
    auto pushed = std::async(std::launch::async, [&] { return push("index.txt", "built\n"); });
    inside(gear, "for i in {1..400}; do [[ ! -e ~/app-root/data/asked ]] || break; sleep .05; done");
    EXPECT_TRUE(locks.lock_within(gear.text(), std::chrono::seconds(1)));
    EXPECT_EQ(body(), "first version\n");
    inside(gear, "touch ~/app-root/data/back");
    const ToolResult result = pushed.get();
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, testing::ContainsRegex("remote: may come *\nremote: building built *\n"));
    EXPECT_THAT(result.err, Not(HasSubstr("Deployment")));
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/verbs 2>&1 | grep -o 'No such file'"), "No such file\n") << "the framework was asked";
    EXPECT_EQ(agent->state(gear), GearState::started);

    EXPECT_THAT(push("index.txt", "fails\n").err, HasSubstr("ERROR: 'control post-receive' of acme-ci-1 ended with status 5"));
    inside(gear, "touch ~/app-root/data/refuse");
    const ToolResult refused = push("index.txt", "refused\n");
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("no builder is free"));
    EXPECT_THAT(inside(gear, "git --git-dir ~/git/shop.git show master:index.txt"), "fails\n");
    // Without it pushes are deployed again.
    agent->remove_cartridge(gear, cartridge("acme-ci"));
    EXPECT_THAT(push("index.txt", "deployed\n").err, HasSubstr("Git Post-Receive Result: success"));
    EXPECT_EQ(body(), "deployed\n");
    agent->forget_cartridge("acme-ci");
}

TEST_F(PushTest, TakesOtherBranchesWithoutDeploying) {
    EXPECT_EQ(push("index.txt", "second\n").status, 0);
    const ToolResult result = git({"push", "origin", "master:refs/heads/dev/x"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("Result")));
}

TEST_F(PushTest, StartsWhatAnInterruptedPushHadStopped) {
    // As if the daemon had been killed between the hooks, with half a check-out done.
    GearRecord record = agent->context().store.gear(gear);
    const std::string commit = inside(gear, "git --git-dir ~/git/shop.git rev-parse master");
    agent->deployer().prereceive(
        record, {{std::string(40, '0'), commit.substr(0, 40), "refs/heads/master"}}, {}, {});
    inside(gear, "echo half >~/app-root/repo/index.txt");
    EXPECT_EQ(body(), "");
    restart_agent();
    agent->start_missing(locks);
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(body(), "first version\n");
}

TEST_F(PushTest, KeepsAsManyDeploymentsAsAsked) {
    agent->set_deployment_settings(gear, {true, "master", 2, "git"});
    for (const char* text : {"one\n", "two\n", "three\n"}) {
        EXPECT_EQ(push("index.txt", text).status, 0);
    }
    EXPECT_THAT(push("broken", "").err, HasSubstr("failure"));
    EXPECT_EQ(agent->deployments(gear).size(), 2u);
    std::filesystem::remove(clone() + "/broken");
    EXPECT_THAT(push("index.txt", "four\n").err, HasSubstr("success"));
    EXPECT_EQ(inside_pruned("cat 20*/repo/index.txt"), "three\nfour\n");
}

TEST_F(PushTest, RemovesDeploymentsThatAnEndedDaemonLeft) {
    EXPECT_EQ(push("index.txt", "one\n").status, 0);
    inside(gear, "cd ~/app-deployments; mkdir -p 2020-01-01_00-00-00.000/repo; ln -s ../2020-01-01_00-00-00.000 by-id/00000000");
    EXPECT_EQ(agent->deployments(gear).size(), 1u);
    EXPECT_EQ(push("index.txt", "two\n").status, 0);
    EXPECT_EQ(inside_pruned("ls -d 20* by-id/* | wc -l; cat 20*/repo/index.txt"), "2\ntwo\n");
}

TEST_F(PushTest, RunsCommandsInTheGear) {
    EXPECT_EQ(ssh("echo $OPENSHIFT_APP_NAME $OPENSHIFT_LOGIN; id -u").out,
              "shop demo@example.com\n1020\n");
    EXPECT_EQ(ssh("exit 42").status, 42);
    EXPECT_EQ(ssh("echo problem >&2; false").err, "problem\n");
    EXPECT_EQ(ssh("", "echo from stdin\nexit 3\n").out, "from stdin\n");
    const std::string data(300'000, 'x');
    EXPECT_EQ(ssh("wc -c", data).out, "300000\n");
    EXPECT_EQ(ssh("head -c 3000000 /dev/zero").out.size(), 3'000'000u);
    EXPECT_THAT(ssh("cat /etc/shadow").err, HasSubstr("No such file"));
    EXPECT_THAT(ssh("git-receive-pack '/etc'").err, HasSubstr("there is no repository"));
    EXPECT_THAT(ssh("git-receive-pack $(id)").err, HasSubstr("one quoted path"));
}

TEST_F(PushTest, GivesAShellOnATerminal) {
    ToolOptions options;
    options.input = "tty; stty size; echo $TERM\nhelp\nmysql\necho limit=$TMOUT\n"
                    "rm -rf ~/git/shop.git; ls ~/git/shop.git/HEAD; touch /tmp/own; rm /tmp/own; ls /tmp/own\nexit 7\n";
    options.environment = {"TERM=vt100"};
    std::vector<std::string> argv = {"ssh", "-q", "-tt", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                                     "UserKnownHostsFile=/dev/null", "-p", port, "-i", work.path() / "user",
                                     gear.text() + "@127.0.0.1"};
    const ToolResult result = run_tool(argv, options);
    EXPECT_THAT(result.out, HasSubstr("[shop-acme.gearbox.localhost ~]\\> "));
    EXPECT_THAT(result.out, HasSubstr("/dev/pts/0"));
    EXPECT_THAT(result.out, HasSubstr("vt100"));
    EXPECT_THAT(result.out, HasSubstr("You are in the gear of shop-acme."));
    EXPECT_THAT(result.out, HasSubstr("ctl_all VERB"));
    EXPECT_THAT(result.out, HasSubstr("this application has no MySQL cartridge"));
    EXPECT_THAT(result.out, HasSubstr("limit=300"));
    EXPECT_THAT(result.out, HasSubstr("git/shop.git' is the application's own; nothing is removed\r\n/var/lib/openshift/5f0000000000000000000120/git/shop.git/HEAD\r\n"
                                      "ls: cannot access '/tmp/own'"));
    EXPECT_EQ(result.status, 7);
    argv.push_back("rhcsh");
    options.input = "tty\nexit 4\n";
    const ToolResult named = run_tool(argv, options);
    EXPECT_THAT(named.out, HasSubstr("/dev/pts/0"));
    EXPECT_EQ(named.status, 4);
}

// This machine's file system keeps no quota: what is nearly full is made up here.
TEST_F(PushTest, SaysInTheWelcomeThatLittleIsLeft) {
    const GearRecord record = agent->context().store.gear(gear);
    const SessionCommand shell = make_terminal_session({}, record.spec, "WARNING: 9 of $10; it's 'full'");
    std::vector<std::string> argv = {"/usr/bin/env"};
    for (const EnvironmentVariable& variable : shell.variables) {
        argv.push_back(str(variable.name, "=", variable.value));
    }
    argv.insert(argv.end(), shell.argv.begin(), shell.argv.end());
    const GearResult result = agent->runner().run(record, Purpose::session, argv, {}, "echo left=${GEARBOX_NOTE-nothing}\nexit 3\n");
    EXPECT_THAT(result.out, testing::ContainsRegex("WARNING: 9 of \\$10; it's 'full'\r\n\r\n    \\*"));
    EXPECT_THAT(result.out, HasSubstr("\r\nleft=nothing\r\n"));
    EXPECT_EQ(result.status, 3);
}

TEST_F(PushTest, EndsTheProgramWhenTheClientGoes) {
    const auto result =
        run_tool({"timeout", "2", "ssh", "-q", "-o", "BatchMode=yes", "-o",
                  "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-p", port,
                  "-i", work.path() / "user", gear.text() + "@127.0.0.1", "sleep 4321"});
    EXPECT_NE(result.status, 0);
    std::string left = "x";
    for (int i = 0; i < 50 && !left.empty(); ++i) {
        left = inside(gear, "pgrep -x sleep; sleep 0.05");
    }
    EXPECT_EQ(left, "");
}

}  // namespace

}  // namespace gearbox::test
