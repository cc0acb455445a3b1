// Publish and subscribe between the cartridges of a gear (cartridge contract, 8), with scripts that are run.
#include "base/file.h"
#include "node/catalogue.h"
#include "node_fixture.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

namespace gearbox::test {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ConnectorsTest : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        gear = create_application(1, {"mock"});
    }

    /// A service with these lines in its manifest and these scripts in hooks/.
    Cartridge service(const std::string& name, const std::string& connectors, const std::map<std::string, std::string>& hooks) const {
        const fs::path place = directory_.path() / name;
        fs::create_directories(place / "metadata");
        fs::create_directories(place / "hooks");
        write_file_atomically(place / "metadata/manifest.yml",
                              str("Name: ", name, "\nCartridge-Short-Name: ", name, "\nVersion: '1.0'\nCartridge-Version: 0.0.1\n",
                                  "Cartridge-Vendor: acme\nCategories: [service]\n", connectors));
        for (const auto& [hook, program] : hooks) {
            write_file_atomically(place / "hooks" / hook, "#!/bin/bash\n" + program);
            fs::permissions(place / "hooks" / hook, fs::perms(0755));
        }
        return load_catalogue({place.string()}, false).at(0);
    }

    GearId gear;

private:
    TempDir directory_;
};

TEST_F(ConnectorsTest, GivesVariablesToWhoWantsThem) {
    const Cartridge queue = service("queue", "Publishes:\n  publish-queue: {Type: 'ENV:NET_TCP:queue:info'}\n",
                                    {{"publish-queue", "echo CLIENT_MESSAGE: to the user\n"
                                                       "echo QUEUE_URL=queue://a=b\necho \"OPENSHIFT_APP_NAME=not $1 $2\"\necho QUEUE_OF=$3\n"}});
    const Cartridge worker = service("worker", "Subscribes:\n  set-env: {Type: 'ENV:*', Required: false}\n", {});
    EXPECT_TRUE(agent->add_cartridge(gear, queue).messages.empty()) << "nobody asked it";
    EXPECT_EQ(inside(gear, "echo ${QUEUE_URL:-none}"), "none\n") << "nobody subscribes";
    EXPECT_EQ(agent->add_cartridge(gear, worker).messages, std::vector<std::string>{"to the user"});
    EXPECT_EQ(inside(gear, "echo $QUEUE_URL $QUEUE_OF; stat -c '%U %a' ~/.env/acme-queue/QUEUE_URL"),
              str("queue://a=b ", gear.text(), "\nroot 640\n"));
    EXPECT_EQ(inside(gear, "echo $OPENSHIFT_APP_NAME"), "shop\n") << "what the gear has already stays";
    agent->remove_cartridge(gear, queue);
    EXPECT_EQ(inside(gear, "echo ${QUEUE_URL:-none}; ls ~/.env/acme-queue 2>&1 | grep -c ."), "none\n1\n");
}

TEST_F(ConnectorsTest, AsksOnceForAllAndKeepsTheVariablesOfEach) {
    const std::string wants = "Subscribes:\n  set-env: {Type: 'ENV:*'}\n";
    agent->add_cartridge(gear, service("first", wants, {}));
    agent->add_cartridge(gear, service("second", wants, {}));
    agent->add_cartridge(gear, service("queue", "Publishes:\n  publish-name: {Type: 'ENV:name'}\n  publish-place: {Type: 'ENV:place'}\n",
                                       {{"publish-name", "echo asked >>~/app-root/data/asked\necho QUEUE_NAME=q\n"},
                                        {"publish-place", "echo QUEUE_PLACE=here\n"}}));
    EXPECT_EQ(inside(gear, "echo $QUEUE_NAME $QUEUE_PLACE; cat ~/app-root/data/asked"), "q here\nasked\n");
}

TEST_F(ConnectorsTest, GivesOneScriptWhatAnotherHasWritten) {
    agent->add_cartridge(gear, service("jobs", "Publishes:\n  publish-jobs: {Type: 'STRING:jobs'}\n",
                                       {{"publish-jobs", "echo \"it's one\"\necho two\n"}}));
    agent->add_cartridge(gear, service("runner", "Subscribes:\n  take-jobs: {Type: 'STRING:jobs', Required: true}\n",
                                       {{"take-jobs", "printf '%s|' \"$@\" >~/app-root/data/taken\n"}}));
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/taken"),
              str("shop|acme|", gear.text(), "|'", gear.text(), "'='it'\\''s one\ntwo\n'|"));
}

TEST_F(ConnectorsTest, TakesNoCartridgeWithVariablesOfTheGear) {
    const auto with = [&](const char* name, const char* variable) {
        Cartridge cartridge = service(name, "", {});
        fs::remove_all(fs::path(cartridge.source) / "env");
        fs::create_directories(fs::path(cartridge.source) / "env");
        write_file_atomically(fs::path(cartridge.source) / "env" / variable, "x");
        return cartridge;
    };
    for (const char* variable : {"OPENSHIFT_APP_NAME", "OPENSHIFT_DATA_DIR", "HOME"}) {
        try {
            agent->add_cartridge(gear, with("taker", variable));
            ADD_FAILURE() << variable;
        } catch (const ScriptError& error) {
            EXPECT_EQ(error.status(), script_failure);
            EXPECT_EQ(error.text(), str("acme-taker-1.0 has variables in env/ that are the gear's: ", variable));
        }
        EXPECT_EQ(inside(gear, "cd; ls -d taker 2>/dev/null"), "");
    }
    agent->add_cartridge(gear, with("giver", "PATH"));
    EXPECT_EQ(inside(gear, "cat ~/giver/env/PATH"), "x");
}

TEST_F(ConnectorsTest, UndoesACartridgeThatCannotBeWithout) {
    agent->add_cartridge(gear, service("jobs", "Publishes:\n  publish-jobs: {Type: 'STRING:jobs'}\n",
                                       {{"publish-jobs", "echo CLIENT_ERROR: no jobs today >&1\nexit 3\n"}}));
    const std::string wants = "Subscribes:\n  take-jobs: {Type: 'STRING:jobs', Required: ";
    agent->add_cartridge(gear, service("easy", wants + "false}\n", {}));
    try {
        agent->add_cartridge(gear, service("strict", wants + "true}\n", {{"take-jobs", "true\n"}}));
        FAIL() << "it was added";
    } catch (const ScriptError& error) {
        EXPECT_THAT(error.text(), HasSubstr("the hook 'publish-jobs' of acme-jobs-1.0 ended with status 3: no jobs today"));
    }
    EXPECT_EQ(inside(gear, "cd; ls -d jobs easy strict 2>/dev/null"), "easy\njobs\n");
}

}  // namespace gearbox::test
