// Broken cartridges and repositories: the message that each gives, and that nothing of it stays.
#include "ssh_fixture.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>
#include <toml++/toml.h>

#include <string_view>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::Not;

namespace {

/// A row of tests/data/broken/, which says what the columns are; tests/e2e/scenarios/44_broken.py reads them, too.
struct Row {
    std::string what;
    std::string step;
    std::string program;  ///< the table's prelude included
    std::string says;
    bool is_deployed = false;
};

std::vector<Row> table_of(const char* file, const char* name) {
    const toml::table table = toml::parse_file(test_data(str("broken/", file)));
    std::vector<Row> rows;
    table[name].as_array()->for_each([&](const toml::table& row) {
        const auto text = [&](const char* key) { return row[key].value_or(std::string()); };
        rows.push_back({text("what"), text("step"), table["prelude"].value_or(std::string()) + text("program"), text("says"), row["deployed"].value_or(false)});
    });
    return rows;
}

/// Little time only for scripts without end: on a busy machine the others need more.
int seconds_for(std::string_view expected, int few) {
    return expected.find(str("did not end within ", few, " s")) == expected.npos ? 60 : few;
}

class Broken : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        agent->create_gear(make_spec(70));
    }
    GearId id() const { return make_spec(70).id; }

    /// The step that failed, "" if none has, and what was said.
    std::pair<std::string, std::string> attempt(const Row& row) {
        settings.node.script_timeout_seconds = seconds_for(row.says, 2);
        const std::string staging = agent->make_cartridge_staging();
        ToolOptions options;
        options.directory = staging;
        run_tool_checked({"bash", "-ec", str("cp -r ", test_data("cartridges/mock/."), " .; sed -i 's/Vendor: redhat/Vendor: acme/' metadata/manifest.yml\n", row.program)}, options);
        std::string step = "import";
        std::string said;
        const auto hear = [&](const std::vector<std::string>& lines) {
            for (const std::string& line : lines) {
                said += line + "\n";
            }
        };
        try {
            const CartridgeImport done = agent->import_cartridge(staging);
            hear(done.remarks);
            step = "add";
            hear(agent->add_cartridge(id(), cartridge(done.offers.front())).messages);
            step = "start";
            agent->create_repository(id(), {});
            hear(agent->deploy_initially(id(), [&](std::string_view text) { said += text; }).messages);
            hear(agent->post_install(id(), done.offers.front()).messages);
            step = "";
        } catch (const Error& error) {
            said += error.text();
        }
        return {step, said};
    }
    std::string home() const {
        return inside(id(), "cd ~; ls -A . app-root app-root/runtime/{repo,dependencies,build-dependencies} app-deployments /tmp | tr '\\n' ' '; grep -r . .env | sort | sha1sum; ps -eo comm= | grep sleep | tr '\\n' ' '");
    }
};

TEST_F(Broken, CartridgesSayWhatIsWrongAndLeaveNothing) {
    GearRecord record = agent->context().store.gear(id());
    agent->context().launcher.ensure_running(record);
    const std::string before = home();
    for (const Row& row : table_of("cartridges.toml", "cartridge")) {
        SCOPED_TRACE(row.what);
        const auto [step, said] = attempt(row);
        EXPECT_EQ(step, row.step) << said;
        EXPECT_THAT(said, ContainsRegex(row.says));
        // What no shell and no terminal should get to see.
        EXPECT_THAT(said, Not(ContainsRegex("[\1\33]")));
        record = agent->context().store.gear(id());
        agent->context().launcher.ensure_running(record);
        if (step == "start" || step.empty()) {
            // As the broker undoes the creation of an application.
            agent->destroy_gear(id());
            EXPECT_FALSE(fs::exists("/var/lib/openshift/" + id().text()));
            agent->create_gear(make_spec(70));
            record = agent->context().store.gear(id());
            agent->context().launcher.ensure_running(record);
        }
        if (!step.empty() || !row.step.empty()) {
            EXPECT_EQ(home(), before) << said;
        }
        for (const ImportedCartridge& cartridge : agent->imported_cartridges()) {
            agent->forget_cartridge(cartridge.name);
        }
        EXPECT_TRUE(fs::is_empty(settings.node.import_dir));
    }
}

}  // namespace

namespace {

class BrokenRepository : public SshTest {
protected:
    void SetUp() override {
        SshTest::SetUp();
        agent->set_deployment_settings(gear, {true, "master", 2, "git"});
        ASSERT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
    }
    std::string in_gear() const {
        return inside_pruned("cd ~; ls -A app-deployments app-deployments/by-id app-root/runtime/*/; cat app-root/runtime/.state; readlink app-deployments/current; ps -eo comm= | grep -c sleep") + body();
    }
};

}  // namespace

// With two deployments kept, the version from before runs again. What is broken in one language or another is in
// tests/cartridges, `broken`; these are the platform's own.
TEST_F(BrokenRepository, SaysWhatIsWrongAndTheVersionFromBeforeRuns) {
    std::string before = in_gear();
    for (const Row& row : table_of("repositories.toml", "repository")) {
        SCOPED_TRACE(row.what);
        settings.node.script_timeout_seconds = seconds_for(row.says, 4);
        ToolOptions options;
        options.directory = clone();
        options.environment = {"GIT_SSH_COMMAND=" + ssh_command(), "HOME=" + work.path().native()};
        const ToolResult result = run_tool(
            {"bash", "-c", str("set -e\ngit rm -rq .openshift || true; rm -rf .openshift .gitmodules\n", row.program,
                               "\ngit add -A; git -c user.name=a -c user.email=a commit --allow-empty -qm x; git push -q origin master")}, options);
        EXPECT_EQ(result.status, 0);
        EXPECT_THAT(result.err, ContainsRegex(row.says));
        EXPECT_THAT(result.err, ContainsRegex(row.is_deployed ? "Result: success" : "Result: failure"));
        const std::string now = in_gear();
        if (row.is_deployed) {
            EXPECT_THAT(now, ::testing::HasSubstr("started")) << result.err;
            before = now;
        }
        EXPECT_EQ(now, before) << result.err;
    }
}

// The one hook that has a say before anything is taken.
TEST_F(BrokenRepository, RefusesThePushWhenTheStopFails) {
    EXPECT_EQ(push(".openshift/action_hooks/pre_stop", "#!/bin/bash\necho busy >&2\nexit 5\n").status, 0);
    const ToolResult result = push("index.txt", "second\n");
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.err, ContainsRegex("remote: ERROR: action hook 'pre_stop' ended with status 5: busy"));
    EXPECT_EQ(body(), "first version\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

}  // namespace gearbox::test
