// Every variable of the cartridge contract (section 5) as a program in a gear sees it.
#include "node_fixture.h"

#include "base/error.h"

#include <gmock/gmock-matchers.h>

#include <map>
#include <sstream>

namespace gearbox::test {

using ::testing::HasSubstr;

namespace {

class EnvironmentTest : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        const GearSpec spec = make_spec(14);
        gear = spec.id;
        mock = cartridge("mock");
        mock.endpoints.front().public_port_name = "PROXY_PORT";
        mock.endpoints.front().websocket_port_name = "WS_PORT";
        mock.endpoints.front().websocket_port = 8000;
        agent->create_gear(spec);
        agent->add_cartridge(gear, mock);
        agent->create_repository(gear, {});
        agent->deploy_initially(gear, {});
    }

    std::map<std::string, std::string> environment() const {
        std::map<std::string, std::string> out;
        std::istringstream lines(inside(gear, "env"));
        for (std::string line; std::getline(lines, line);) {
            out[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
        }
        return out;
    }

    std::map<std::string, std::string> of_contract() const {
        const std::string home = "/var/lib/openshift/" + gear.text();
        const std::string dns = "shop-acme.gearbox.localhost";
        return {
            // 5.2, for all gears
            {"OPENSHIFT_BROKER_HOST", "gearbox.localhost"},
            {"OPENSHIFT_CLOUD_DOMAIN", "gearbox.localhost"},
            {"OPENSHIFT_UMASK", "077"},
            {"OPENSHIFT_CARTRIDGE_SDK_BASH", "/usr/lib/openshift/cartridge_sdk/bash/sdk"},
            {"OPENSHIFT_CARTRIDGE_SDK_RUBY", "/usr/lib/openshift/cartridge_sdk/ruby/sdk.rb"},
            {"PATH", settings.node.libexec_dir + "/bin:/bin:/usr/bin:/usr/sbin"},
            // 5.3, of the gear
            {"HOME", home},
            {"OPENSHIFT_HOMEDIR", home + "/"},
            {"OPENSHIFT_APP_NAME", "shop"},
            {"OPENSHIFT_APP_UUID", gear.text()},
            {"OPENSHIFT_APP_DNS", dns},
            {"OPENSHIFT_GEAR_NAME", "shop"},
            {"OPENSHIFT_GEAR_UUID", gear.text()},
            {"OPENSHIFT_GEAR_DNS", dns},
            {"OPENSHIFT_NAMESPACE", "acme"},
            {"OPENSHIFT_DATA_DIR", home + "/app-root/data/"},
            {"OPENSHIFT_REPO_DIR", home + "/app-root/runtime/repo/"},
            {"OPENSHIFT_DEPENDENCIES_DIR", home + "/app-root/runtime/dependencies/"},
            {"OPENSHIFT_BUILD_DEPENDENCIES_DIR", home + "/app-root/runtime/build-dependencies/"},
            {"OPENSHIFT_DEPLOYMENTS_DIR", home + "/app-deployments/"},
            {"OPENSHIFT_LOG_DIR", home + "/app-root/logs/"},
            {"OPENSHIFT_TMP_DIR", "/tmp/"},
            {"TMP", "/tmp/"},
            {"TMPDIR", "/tmp/"},
            {"TMP_DIR", "/tmp/"},
            {"OPENSHIFT_GEAR_MEMORY_MB", std::to_string(settings.gear.memory_mb)},
            {"OPENSHIFT_APP_SSH_KEY", home + "/.openshift_ssh/id_rsa"},
            {"OPENSHIFT_APP_SSH_PUBLIC_KEY", home + "/.openshift_ssh/id_rsa.pub"},
            {"OPENSHIFT_SECRET_TOKEN", "secret"},
            {"OPENSHIFT_PRIMARY_CARTRIDGE_DIR", home + "/mock/"},
            {"OPENSHIFT_KEEP_DEPLOYMENTS", "1"},
            {"OPENSHIFT_DEPLOYMENT_BRANCH", "master"},
            {"OPENSHIFT_AUTO_DEPLOY", "true"},
            {"OPENSHIFT_DEPLOYMENT_TYPE", "git"},
            {"HISTFILE", home + "/app-root/data/.bash_history"},
            {"GEM_HOME", home + "/.gem"},
            // 5.4, of the cartridge
            {"OPENSHIFT_MOCK_DIR", home + "/mock/"},
            {"OPENSHIFT_MOCK_IDENT", "redhat:mock:1.0:0.0.1"},
            {"OPENSHIFT_MOCK_IP", loopback_address(1014, 1)},
            {"OPENSHIFT_MOCK_PORT", "8080"},
            {"OPENSHIFT_MOCK_WS_PORT", "8000"},
            {"OPENSHIFT_MOCK_PROXY_PORT", std::to_string(first_public_port(1014))},
        };
    }

    GearId gear;
    Cartridge mock;
};

TEST_F(EnvironmentTest, HasEveryVariableOfTheContract) {
    const auto seen = environment();
    for (const auto& [name, value] : of_contract()) {
        ASSERT_TRUE(seen.contains(name)) << name;
        EXPECT_EQ(seen.at(name), value) << name;
    }
}

TEST_F(EnvironmentTest, IsTheUsersInOneVariableOnly) {
    std::vector<EnvironmentVariable> wanted;
    for (const auto& [name, value] : of_contract()) {
        wanted.push_back({name, "mine"});
    }
    agent->set_user_variables(gear, wanted);
    const auto seen = environment();
    for (const auto& [name, value] : of_contract()) {
        EXPECT_EQ(seen.at(name), name == "OPENSHIFT_SECRET_TOKEN" ? "mine" : value) << name;
    }
}

TEST_F(EnvironmentTest, LosesWhatItsCartridgeBrought) {
    agent->remove_cartridge(gear, mock);
    EXPECT_EQ(inside(gear, "env | grep -c OPENSHIFT_MOCK_"), "0\n");
}

// ssh(1) takes the secret key, and others need not ask for the shared one.
TEST_F(EnvironmentTest, NamesAKeyPairThatIsItsOwn) {
    EXPECT_EQ(inside(gear, "cmp <(ssh-keygen -y -f $OPENSHIFT_APP_SSH_KEY) $OPENSHIFT_APP_SSH_PUBLIC_KEY && stat -c '%a %U' $OPENSHIFT_APP_SSH_KEY"),
              str("600 ", gear.text(), "\n"));
    EXPECT_EQ(inside(gear, "cut -d' ' -f1,3 $OPENSHIFT_APP_SSH_PUBLIC_KEY"), "ssh-ed25519 shop-acme.gearbox.localhost\n");
    const std::string before = inside(gear, "cat $OPENSHIFT_APP_SSH_KEY");
    agent->set_resources(gear, {});
    EXPECT_EQ(inside(gear, "cat $OPENSHIFT_APP_SSH_KEY"), before);
    const GearId other = create_application(15, {"mock"});
    EXPECT_NE(inside(other, "cat $OPENSHIFT_APP_SSH_KEY"), before);
}

}  // namespace

}  // namespace gearbox::test
