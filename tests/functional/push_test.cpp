// Pushes and sessions through a real sshd, gear-shell and git.
#include "node_fixture.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "control/control_server.h"
#include "node/sessions.h"

#include <gmock/gmock-matchers.h>

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::Not;

namespace {

constexpr const char* port = "2222";

class PushTest : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        if (!std::filesystem::exists("/usr/sbin/sshd")) {
            GTEST_SKIP() << "needs openssh-server";
        }
        sessions = std::make_unique<Sessions>(*agent, locks);
        control = std::make_unique<ControlServer>("/run/gearbox/control.sock");
        control->add_conversation(
            "session", [this](const Json& args, const Peer& peer, ControlConnection& c) {
                sessions->serve(args, peer.uid,
                                {c.fd(), [&c](const Json& m, const auto& d) { c.send(m, d); }});
            });
        control->start();
        start_sshd();
        gear = create_application(20, {"mock"});
        agent->set_authorized_keys(gear, {public_key()});
    }
    void TearDown() override {
        if (control) {
            sessions->stop();
            control->stop();
        }
        run_tool({"sh", "-c", str("kill $(cat ", work.path().native(), "/sshd.pid)")});
        NodeTest::TearDown();
    }

    void start_sshd() {
        const std::string directory = work.path();
        std::filesystem::create_directories("/run/sshd");
        run_tool_checked(
            {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory + "/host"});
        run_tool_checked(
            {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", directory + "/user"});
        write_file_atomically(
            directory + "/sshd_config",
            str("Port ", port, "\nListenAddress 127.0.0.1\nHostKey ", directory, "/host\nPidFile ",
                directory, "/sshd.pid\nUsePAM no\nPasswordAuthentication no\n"));
        run_tool_checked(
            {"/usr/sbin/sshd", "-f", directory + "/sshd_config", "-E", directory + "/sshd.log"});
    }

    PublicKey public_key() const {
        const std::string text = read_file(work.path() / "user.pub");
        const auto space = text.find(' ');
        const std::string content =
            text.substr(space + 1, text.find_first_of(" \n", space + 1) - space - 1);
        return {text.substr(0, space), content, "laptop", "demo@example.com"};
    }

    std::string ssh_command() const {
        return str(
            "ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
            "-p ",
            port, " -i ", work.path().native(), "/user");
    }

    ToolResult ssh(const std::string& command, const std::string& input = {}) const {
        std::vector<std::string> argv = {"ssh",
                                         "-q",
                                         "-o",
                                         "BatchMode=yes",
                                         "-o",
                                         "StrictHostKeyChecking=no",
                                         "-o",
                                         "UserKnownHostsFile=/dev/null",
                                         "-p",
                                         port,
                                         "-i",
                                         work.path() / "user",
                                         gear.text() + "@127.0.0.1"};
        if (!command.empty()) {
            argv.push_back(command);
        }
        ToolOptions options;
        options.input = input;
        return run_tool(argv, options);
    }

    ToolResult git(std::vector<std::string> arguments) const {
        ToolOptions options;
        options.environment = {"GIT_SSH_COMMAND=" + ssh_command(),
                               "GIT_AUTHOR_NAME=a",
                               "GIT_AUTHOR_EMAIL=a@b",
                               "GIT_COMMITTER_NAME=a",
                               "GIT_COMMITTER_EMAIL=a@b",
                               "HOME=" + work.path().native()};
        options.directory = std::filesystem::exists(clone()) ? clone() : work.path().native();
        arguments.insert(arguments.begin(), "git");
        return run_tool(arguments, options);
    }

    std::string clone() const { return work.path() / "shop"; }
    std::string url() const { return str("ssh://", gear.text(), "@127.0.0.1/~/git/shop.git/"); }

    ToolResult push(const std::string& file, const std::string& content) {
        if (!std::filesystem::exists(clone())) {
            EXPECT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
        }
        std::filesystem::create_directories(
            std::filesystem::path(clone() + "/" + file).parent_path());
        write_file_atomically(clone() + "/" + file, content, 0755);
        git({"add", "-A"});
        git({"commit", "-q", "-m", "change"});
        return git({"push", "-q", "origin", "master"});
    }

    std::string body() const {
        const GearRecord record = agent->context().store.gear(gear);
        return http_get(link_addresses(record.spec.uid).gear,
                        record.find_web_endpoint()->proxy_port, "shop");
    }

    TempDir work{"gearbox-push"};
    KeyedMutex locks;
    std::unique_ptr<Sessions> sessions;
    std::unique_ptr<ControlServer> control;
    GearId gear;
};

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
    EXPECT_EQ(push("index.txt", "hot\n").status, 0);
    EXPECT_EQ(body(), "hot\n");
    EXPECT_EQ(inside(gear, "cat ~/mock/run/pid"), before);
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
    EXPECT_EQ(inside(gear, "cat ~/app-deployments/20*/repo/index.txt"), "three\nfour\n");
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
    options.input = "tty; stty size; echo $TERM\nexit 7\n";
    options.environment = {"TERM=vt100"};
    const ToolResult result =
        run_tool({"ssh", "-q", "-tt", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                  "UserKnownHostsFile=/dev/null", "-p", port, "-i", work.path() / "user",
                  gear.text() + "@127.0.0.1"},
                 options);
    EXPECT_THAT(result.out, HasSubstr("[shop-acme "));
    EXPECT_THAT(result.out, HasSubstr("/dev/pts/0"));
    EXPECT_THAT(result.out, HasSubstr("vt100"));
    EXPECT_EQ(result.status, 7);
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
