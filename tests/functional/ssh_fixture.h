// Sessions through a real sshd, gear-shell and git: what the tests of pushes and of remote commands
// share.
#pragma once
#include "node_fixture.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "control/control_server.h"
#include "node/sessions.h"
#include "support/paths.h"

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

namespace gearbox::test {

inline constexpr const char* port = "2222";

/// An application of the mock cartridge and an account's key, behind a real sshd.
class SshTest : public NodeTest {
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
                directory,
                "/sshd.pid\nUsePAM no\nPasswordAuthentication no\n"
                // What a client might send of its environment; no appliance takes any.
                "AcceptEnv *\n"
                "Subsystem sftp /usr/lib/openssh/sftp-server\n",
                rules_for_gears()));
        run_tool_checked(
            {"/usr/sbin/sshd", "-f", directory + "/sshd_config", "-E", directory + "/sshd.log"});
    }

    /// As the appliance has them.
    static std::string rules_for_gears() {
        const std::string text = read_file(source_path("livecd/overlay/etc/ssh/sshd_config.d/10-gearbox.conf"));
        return text.substr(text.find("Match Group gearbox-gears"));
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

    /// What a bash program prints in ~/app-deployments once old deployments are gone: a push's answer does not wait for that.
    std::string inside_pruned(const std::string& program) const {
        return inside(gear, "cd ~/app-deployments; for i in {1..500}; do for d in 20*; do [[ ! -d $d || -e $d/metadata.json ]] || "
                            "{ sleep .02; continue 2; }; done; break; done; " + program);
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

}  // namespace gearbox::test
