// Broken cartridges and repositories: the message that each gives, and that nothing of it stays.
#include "ssh_fixture.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <string_view>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::Not;

namespace {

// A row: what is done, by bash, to a copy of the test double that acme has made; and what its author then reads. "import": by
// the check before anything runs, in `gearbox cartridge check`, on import and when it is fetched by its address. "add": by
// the one who adds it to an application. "start": at its first start. "": it does no harm, and runs.
struct BrokenCartridge {
    const char* what;
    const char* step;
    const char* program;
    const char* says;  ///< a regular expression; every line that is shown
};

#define SETUP(text) "cat >bin/setup <<'END'\n#!/bin/bash\n" text "\nEND\n"
#define CONTROL(verb, text) "sed -i '2a[[ $1 != " verb " ]] || { " text "; }' bin/control\n"
#define MANIFEST(expression) "sed -i -E '" expression "' metadata/manifest.yml\n"

const BrokenCartridge cartridges[] = {
    {"no manifest", "import", "rm metadata/manifest.yml", "metadata/manifest.yml: is missing; every cartridge has one"},
    {"no YAML", "import", "echo 'Name: [' >metadata/manifest.yml", "metadata/manifest.yml: manifest line [12]: "},
    {"a tab in YAML", "import", "printf 'Name: a\\n\\tVersion: 1\\n' >metadata/manifest.yml", "metadata/manifest.yml: manifest line 2: "},
    {"a list", "import", "echo '- Name' >metadata/manifest.yml", "manifest.yml: the manifest is not a YAML mapping"},
    {"a manifest without end", "import", "seq -f '# %.0f' 4000 >>metadata/manifest.yml", "the manifest is larger than 20480 bytes"},
    {"a list in itself", "import", MANIFEST("s/^Provides:.*/Provides: \\&a [x, *a]/"), "metadata/manifest.yml: the manifest has more than 10000 values, or more than 20 levels"},
    {"a list of billions", "import",
     "sed -i '/^Provides/d' metadata/manifest.yml; p=x; for i in {0..9}; do echo \"x$i: &b$i [$p,$p,$p,$p,$p,$p,$p,$p,$p,$p]\"; p=*b$i; done >>metadata/manifest.yml; echo 'Provides: *b9' >>metadata/manifest.yml",
     "metadata/manifest.yml: the manifest has more than 10000 values, or more than 20 levels"},
    {"lists in lists", "import", "printf 'X: %s' $(printf '[%.0s' {1..9000}) >>metadata/manifest.yml", "metadata/manifest.yml: manifest line [0-9]+: bad file"},
    {"no name", "import", MANIFEST("/^Name/d"), "manifest.yml: Name '' must match"},
    {"a name that leads out", "import", MANIFEST("s,^Name:.*,Name: ../mysql,"), "Name '../mysql' must match"},
    {"a name of the home", "import", MANIFEST("s/^Name:.*/Name: app-root/"), "Name 'app-root' must match .* not 'app-root' or 'git'"},
    {"no short name", "import", MANIFEST("/Short-Name/d"), "Cartridge-Short-Name '' must be letters, digits and '_'"},
    {"no category", "import", MANIFEST("/^- (service|web_framework)/d; s/^Categories:/Categories: []/"), "Categories must hold one of web_framework"},
    {"the platform's vendor", "import", MANIFEST("s/acme/gearbox/"), "Cartridge-Vendor must name who has made it, and not 'gearbox'"},
    {"no vendor", "import", MANIFEST("/Vendor/d"), "Cartridge-Vendor must name who has made it"},
    {"a version that leads out", "import", MANIFEST("s,^Cartridge-Version:.*,Cartridge-Version: 1/../../x,"),
     "Cartridge-Version '1/../../x' must be a version such as 1.0.2"},
    {"a port that is none", "import", MANIFEST("s/8080/eighty/"), "Endpoints\\[0\\]: Private-Port must be 1 to 65535, not 'eighty'"},
    {"an endpoint without a name", "import", MANIFEST("s/Private-Port-Name: PORT/Private-Port-Name: A-B/"),
     "Endpoints\\[0\\]: Private-Port-Name 'A-B' is not a variable name"},
    {"two endpoints, one variable", "import",
     "printf -- '- Private-IP-Name: IP2\\n  Private-Port-Name: PORT\\n  Private-Port: 9090\\n' >>metadata/manifest.yml",
     "Endpoints\\[1\\]: Private-Port-Name 'PORT' is the variable of Endpoints\\[0\\] already: give it another name"},
    {"groups that are none", "import", "echo 'Group-Overrides: {components: [mock, cron]}' >>metadata/manifest.yml", "metadata/manifest.yml: Group-Overrides must be a list, not a map"},
    {"an option that is none", "import", MANIFEST("s/primary: true/ssl_to_gear: always/"), "Endpoints\\[0\\]: Options.ssl_to_gear must be true or false, not 'always'"},
    {"no version", "import", MANIFEST("/^Version:/d"), "metadata/manifest.yml: Version is missing"},
    {"a digest that is none", "import", "echo 'Source-Sha256: abc' >>metadata/manifest.yml", "Source-Sha256 must be 64 hex digits, not 'abc'"},
    {"Windows' line ends", "import", "sed -i 's/$/\\r/' bin/setup", "bin/setup: ends its lines as Windows does; sed -i 's/\\\\r\\$//' makes it a script"},
    {"a syntax error", "import", SETUP("if true; then"), "bin/setup:3: syntax error"},
    {"another processor", "import", "printf '\\177ELF\\2\\1\\1%013d\\267' 0 >bin/setup", "bin/setup: is a program for another processor than x86-64"},
    {"no program", "import", "head -c 99 /dev/zero >bin/setup", "bin/setup: is neither a script nor a program of this system"},
    {"an empty script", "import", ": >bin/install", "bin/install: is empty"},
    {"a pipe", "import", "mkfifo bin/x", "bin/x: is a device, pipe or socket"},
    {"a manifest of the host", "import", "ln -sf /etc/passwd metadata/manifest.yml", "metadata/manifest.yml: is missing"},

    {"setup says why it fails", "add", SETUP("echo 'CLIENT_ERROR: no licence'; exit 9"), "^'setup' of acme-mock-1.0 ended with status 9: no licence$"},
    {"setup fails with noise", "add", SETUP("set -e; cat /nowhere"), "^'setup' of acme-mock-1.0 ended with status 1: cat: /nowhere: No such file or directory$"},
    {"setup fails in silence", "add", SETUP("exit 3"), "^'setup' of acme-mock-1.0 ended with status 3$"},
    {"setup without end", "add", SETUP("exec sleep 1234"), "^'setup' of acme-mock-1.0 did not end within 2 s"},
    {"setup leaves programs", "add", SETUP("setsid sleep 1235 & exit 1"), "ended with status 1$"},
    {"setup is killed", "add", SETUP("kill -KILL $$"), "^'setup' of acme-mock-1.0 ended with status 137$"},
    {"a program of RHEL", "add", SETUP("set -e; scl enable ruby193 'true'"), "ended with status 127: .*scl: command not found$"},
    {"an interpreter that is not there", "add", "sed -i '1s,.*,#!/opt/rh/python27/bin/python,' bin/setup",
     "bin/setup:1: wants '/opt/rh/python27/bin/python', which is not on this machine\n'setup' of acme-mock-1.0: executing .*No such file or directory .the program itself, or the interpreter in its first line"},
    {"a program without its loader", "add", "cp /bin/true bin/setup; sed -i 's,/lib64/ld-linux-x86-64.so.2,/lib64/ld-linux-x86-99.so.2,' bin/setup",
     "bin/setup: is a compiled program: it runs only if the libraries it was linked with are on the node\n'setup' of acme-mock-1.0 ended with status 126: .*cannot execute"},
    {"as many processes as there may be", "add", SETUP("for i in {1..500}; do sleep 60 & done 2>/dev/null; echo 'too many' >&2; exit 5"), "(too many|Resource temporarily unavailable|'setup' of acme-mock-1.0 did not end within 2 s)"},
    {"it fills the disk", "add", SETUP("set -e; head -c 300M /dev/zero >/tmp/x"), "ended with status 1: head: .*No space left on device$"},
    {"it writes where it may not", "add", SETUP("set -e; echo x >/etc/passwd"), "ended with status 1: .*/etc/passwd: Read-only file system$"},
    {"a file in the home", "add", SETUP("set -e; echo x >~/visible; echo x >~/.hidden"), "has made '~/visible': a home has room for names that begin with a dot only$"},
    {"a file in the home that it claims", "add", "printf 'locked_files: [~/visible]\\ndependency_dirs: [~/more]\\n' >metadata/managed_files.yml; " SETUP("set -e; cd; ls -A; echo x >visible"),
     "has made '~/visible'"},
    {"a file in the home that is the platform's", "add", SETUP("set -e; chmod -R u+w ~/.ssh 2>/dev/null || true; mv ~/.ssh ~/.other"), "ended with status 1: .*Operation not permitted$"},
    {"it makes itself another", "add", SETUP("set -e; echo x >$OPENSHIFT_MOCK_DIR/metadata/manifest.yml"), "metadata/manifest.yml: Permission denied$"},
    {"output without end", "add", SETUP("head -c 50M /dev/zero | tr '\\0' x; echo last >&2; exit 1"), "^'setup' of acme-mock-1.0 ended with status 1: last$"},
    {"output that is no text", "add", SETUP("printf 'CLIENT_ERROR: \\377\\33[2J\\1 bad\\n'; exit 1"), "ended with status 1: .* bad$"},
    {"install fails", "add", "printf '#!/bin/bash\\necho CLIENT_ERROR: no install\\nexit 4\\n' >bin/install", "^'install' of acme-mock-1.0 ended with status 4: no install$"},
    {"a template without end", "add", "mkdir -p env; echo '<% sleep %>' >env/X.erb; " SETUP("exit 1"), "(did not end within 2 s|ended with status 1)"},

    {"the start fails", "start", CONTROL("start", "echo CLIENT_ERROR: no luck; exit 6"), "\n'control start' of acme-mock-1.0 ended with status 6: no luck$"},
    {"a start without end", "start", CONTROL("start", "exec sleep 1236"), "\n'control start' of acme-mock-1.0 did not end within 2 s and was ended$"},
    {"control for nobody", "start", "sed -i '1s,.*,#!/usr/local/bin/no-such-shell,' bin/control", "'control [a-z-]+' of acme-mock-1.0: executing .*No such file or directory .the program itself, or the interpreter in its first line"},
    {"it starts, and nothing listens", "", CONTROL("start", "exit 0"),
     "NOTE: nothing listens on 127[.0-9]+:8080 \\(\\$OPENSHIFT_MOCK_IP, \\$OPENSHIFT_MOCK_PORT\\) yet"},
    {"a template that is wrong", "", "mkdir -p env; echo '<%= nothing_of_this_name %>' >env/OPENSHIFT_MOCK_X.erb",
     "NOTE: the template 'mock/env/OPENSHIFT_MOCK_X.erb' could not be filled in: "},
    {"variables that change programs", "", SETUP("mkdir -p $OPENSHIFT_MOCK_DIR/run; for n in LD_PRELOAD PATH 1x; do echo ENV_VAR_ADD: $n=/x; done"),
     "NOTE: the variable LD_PRELOAD is not passed on to other applications.*\nNOTE: the variable PATH is not passed on"},
    {"files that are not its own", "", "sed -i /mockrc/d bin/setup; printf 'locked_files: [../x, ~/.ssh/authorized_keys, /etc/passwd, ~/git]\\n' >metadata/managed_files.yml", ""},
    {"managed files that are no YAML", "", "sed -i /mockrc/d bin/setup; echo 'locked_files: [' >metadata/managed_files.yml", ""},
    {"no executable bit", "", "chmod -x bin/*", ""},
    {"the stop fails", "", CONTROL("stop", "exit 8"), ""},
    {"post_install fails", "start", "printf '#!/bin/bash\\necho CLIENT_ERROR: no key; exit 7\\n' >bin/post_install",
     "'post_install' of acme-mock-1.0 ended with status 7: no key"},
    {"teardown fails", "", "printf '#!/bin/bash\\nexit 7\\n' >bin/teardown", ""},
    {"keys that are nearly known", "", "echo 'Endpoint: x' >>metadata/manifest.yml", "the key 'Endpoint' is not known and means nothing; 'Endpoints' was meant\\?"},
};

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
    std::pair<std::string, std::string> attempt(const BrokenCartridge& row) {
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
    for (const BrokenCartridge& row : cartridges) {
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
        if (!step.empty() || *row.step != 0) {
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
    const struct {
        const char* what;
        const char* program;
        const char* says;
        bool is_deployed = false;
    } table[] = {
        {"pre_build", "hook pre_build 'echo no tools >&2; exit 3'", "remote: ERROR: action hook 'pre_build' ended with status 3: no tools"},
        {"build", "hook build 'exit 4'", "remote: ERROR: action hook 'build' ended with status 4 *\n"},
        {"prepare", "hook prepare 'exit 5'", "ERROR: action hook 'prepare' ended with status 5"},
        {"pre_start", "hook pre_start 'exit 6'", "ERROR: action hook 'pre_start' ended with status 6"},
        {"deploy", "hook deploy 'ls /nowhere; exit 7'", "ERROR: action hook 'deploy' ended with status 7: .*/nowhere"},
        {"post_start", "hook post_start 'exit 8'", "ERROR: action hook 'post_start' ended with status 8"},
        {"around the start", "hook pre_start_mock 'exit 9'", "ERROR: 'control start' of mock-1.0 ended with status 9"},
        {"without end", "hook build 'exec sleep 1237'", "ERROR: action hook 'build' did not end within 4 s"},
        {"interpreter", "mkdir -p $hooks; printf '#!/opt/rh/bin/ruby\\n' >$hooks/build; chmod +x $hooks/build", "ERROR: action hook 'build' ended with status 127: the hook build wants '/opt/rh/bin/ruby', which is not there"},
        {"Windows' line ends", "hook build \"$(printf 'true\\r')\"; sed -i 's/$/\\r/' $hooks/build", "ERROR: action hook 'build' ended with status 126: the hook build ends its lines as Windows does; sed -i 's/"},
        {"no text", "hook build 'printf \"\\377\\376\\n\" >&2; exit 1'", "ERROR: action hook 'build' ended with status 1"},
        {"a directory in place of a hook", "mkdir -p $hooks/build; touch $hooks/build/x", "ERROR: action hook 'build' ended with status 126: .*directory"},
        {"a link in place of a hook", "mkdir -p $hooks; ln -s /bin/false $hooks/build", "ERROR: action hook 'build' ended with status 1"},
        {"not executable", "mkdir -p $hooks; echo exit 1 >$hooks/build", "NOTE: the hook build is not executable and is skipped", true},
        {"odd markers", "mkdir -p .openshift/markers; touch .openshift/markers/{HOT_DEPLOY,none,$'hot_deploy\\nx'}", "remote: Git Post-Receive Result: success", true},
        {"jobs of cron", "mkdir -p .openshift/cron/minutely; echo nonsense >.openshift/cron/minutely/x; echo '* * *' >.openshift/cron/daily", "success", true},
        {"submodules", "printf '[submodule \"x\"]\\npath = x\\nurl = http://a/\\n' >.gitmodules", "remote: Git Post-Receive Result: success", true},
        {"a submodule that is not there", "printf '[submodule \"x\"]\\npath = x\\nurl = http://127.0.0.1/a\\n' >.gitmodules; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),x; mkdir x",
         "remote: Failed to clone 'x' a second time, aborting.*\nremote: .*ERROR: commit [0-9a-f]* could not be checked out"},
    };
    std::string before = in_gear();
    for (const auto& row : table) {
        SCOPED_TRACE(row.what);
        settings.node.script_timeout_seconds = seconds_for(row.says, 4);
        ToolOptions options;
        options.directory = clone();
        options.environment = {"GIT_SSH_COMMAND=" + ssh_command(), "HOME=" + work.path().native()};
        const ToolResult result = run_tool(
            {"bash", "-c", str("set -e; hooks=.openshift/action_hooks; hook() { mkdir -p $hooks; printf '#!/bin/bash\\n%s\\n' \"$2\" >$hooks/$1; chmod +x $hooks/$1; }\n"
                               "git rm -rq .openshift || true; rm -rf .openshift .gitmodules\n", row.program,
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
