// The daemon as a program, with real gears: REST from outside, SIGKILL at every step.
#include "daemon_fixture.h"

#include "base/base64.h"
#include "control/control_client.h"

#include <iostream>
#include <sstream>
#include <thread>

namespace gearbox::test {

namespace {

TEST(Profiles, AreCheckedWithoutStarting) {
    const TempDir dir;
    const std::string config = dir.path() / "gearboxd.toml";
    write_file_atomically(config, dump_settings(private_host_settings()));
    const auto check = [&] {
        return run_tool({built_program("runtime/gearboxd"), "--config", config, "--check-profiles", dir.path() / "profiles"});
    };
    fs::create_directory(dir.path() / "profiles");
    write_file_atomically(dir.path() / "profiles/quiet.toml", "[network]\negress = 'none'\n");
    const ToolResult good = check();
    EXPECT_EQ(good.status, 0) << good.err;
    EXPECT_EQ(good.out, str((dir.path() / "profiles").native(), ": 1 profile, nothing is wrong\n"));
    write_file_atomically(dir.path() / "profiles/bad.toml", "[network]\negres = 'none'\n");
    const ToolResult bad = check();
    EXPECT_EQ(bad.status, 1);
    EXPECT_THAT(bad.err, HasSubstr("/profiles/bad.toml:2:9: unknown key 'network.egres'; did you mean 'network.egress'?"));
    // What the package installs to begin with.
    const ToolResult shipped = run_tool(
        {built_program("runtime/gearboxd"), "--config", config, "--check-profiles", source_path("runtime/profiles")});
    EXPECT_EQ(shipped.status, 0) << shipped.err;
}

TEST_F(DaemonTest, CreatesServesAndDeletes) {
    const Daemon daemon;
    const HttpReply made = create_shop();
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string id = made.json()["data"]["id"].get<std::string>();
    EXPECT_EQ(
        ask("GET", str("application/", id, "/gear_groups")).json()["data"][0]["gears"][0]["state"],
        "started");
    const Json listed = call("/run/gearbox/control.sock", "gear.list");
    ASSERT_EQ(listed.size(), 1u);
    const Json& use = listed[0];
    EXPECT_EQ(use["application"], "shop-acme");
    EXPECT_EQ(use["state"], "started");
    EXPECT_EQ(use["processes"], 2) << use;
    EXPECT_GT(use["memory_bytes"], 256 * 1024);
    EXPECT_LT(use["memory_bytes"], 512 << 20);
    EXPECT_EQ(ask("POST", str("application/", id, "/events"), R"({"event":"restart"})").status,
              200);
    EXPECT_EQ(ask("POST", str("application/", id, "/events"), R"({"event":"stop"})").status, 200);
    EXPECT_EQ(ask("POST", str("application/", id, "/events"), R"({"event":"start"})").status, 200);
    EXPECT_EQ(ask("GET", str("application/", id, "/deployments")).json()["data"].size(), 1u);
    EXPECT_THAT(remains(), HasSubstr(id));
    EXPECT_EQ(ask("DELETE", str("application/", id), "{}").status, 200);
    EXPECT_EQ(remains(), "");
}

TEST_F(DaemonTest, TenantsOfAnImageHaveAccountsAfterItsFirstBoot) {
    { const Daemon makes_demo; }
    const TempDir boot;
    const fs::path state = boot.path() / "state";
    write_file_atomically(boot.path() / "tenants", "student01\nann@example.org\n");
    const auto first_boot = [&] {
        run_tool_checked({"env", str("GEARBOX_STATE=", state.native()), str("GEARBOX_RUNTIME=", (boot.path() / "run").native()),
                          "GEARBOX_SETTINGS=/nonexistent", "GEARBOX_FIRSTBOOT_STEPS=/nonexistent",
                          str("GEARBOX_TENANTS=", (boot.path() / "tenants").native()), source_path("runtime/systemd/firstboot")});
        return read_file(state / "tenants");
    };
    const std::string listed = first_boot();
    EXPECT_THAT(listed, MatchesRegex("student01 [-a-z2-9]{14}\nann@example.org [-a-z2-9]{14}\n"));
    EXPECT_EQ(first_boot(), listed);
    EXPECT_EQ(fs::status(state / "tenants").permissions(), fs::perms::owner_read | fs::perms::owner_write);
    fs::copy_file(state / "initial-users.json", "/var/lib/gearbox/initial-users.json", fs::copy_options::overwrite_existing);
    const Daemon daemon;
    EXPECT_FALSE(fs::exists("/var/lib/gearbox/initial-users.json"));
    std::istringstream lines(listed);
    for (std::string login, password; lines >> login >> password;) {
        HttpClient tenant(port);
        tenant.authorization = "Basic " + encode_base64(login + ":" + password);
        const HttpReply user = tenant.request("GET", "/broker/rest/user", "");
        ASSERT_EQ(user.status, 200) << user.body;
        EXPECT_EQ(user.json()["data"]["login"], login);
        call("/run/gearbox/control.sock", "user.delete", {{"login", login}});
    }
}

TEST_F(DaemonTest, AdministratorsUseTheControlSocket) {
    const Daemon daemon;
    const std::string socket = "/run/gearbox/control.sock";
    EXPECT_EQ(call(socket, "status")["users"], 1);
    const Json made = call(socket, "user.create", {{"login", "anna"}});
    EXPECT_EQ(made["password"].get<std::string>().size(), 16u);
    EXPECT_EQ(call(socket, "user.list").size(), 2u);
    EXPECT_THROW(call(socket, "user.create", {{"login", "anna"}}), Error);
    EXPECT_THROW(call(socket, "user.create", {{"login", "no spaces"}}), Error);
    call(socket, "user.delete", {{"login", "anna"}});
}

TEST_F(DaemonTest, GearsSurviveIt) {
    std::string id;
    {
        Daemon daemon;
        id = create_shop().json()["data"]["id"].get<std::string>();
        EXPECT_EQ(daemon.end(SIGKILL), SIGKILL);
    }
    const auto init = [&] { return first_process(id); };
    const std::string before = init();
    EXPECT_NE(before, "");
    const Daemon daemon;
    EXPECT_EQ(count_applications(), 1u);
    EXPECT_EQ(ask("POST", str("application/", id, "/events"), R"({"event":"reload"})").status, 200);
    EXPECT_EQ(init(), before);
}

TEST_F(DaemonTest, AGearInheritsNoDescriptor) {
    const Daemon daemon;
    const std::string id = create_shop().json()["data"]["id"].get<std::string>();
    const std::string open =
        run_tool_checked({"ls", "-l", str("/proc/", first_process(id), "/fd")});
    EXPECT_THAT(open, Not(HasSubstr("socket:"))) << open;
    EXPECT_THAT(open, Not(HasSubstr("state.db"))) << open;
}

TEST_F(DaemonTest, KilledAtAnyStepOfCreateItLeavesAllOrNothing) {
    for (const char* step : {"reserve", "create-gear", "add-cartridge-mock",
                             "create-repository", "deploy", "publish-routes", "complete"}) {
        for (const char* when : {"before", "after"}) {
            const std::string place = str("create-application/", step, "/", when);
            SCOPED_TRACE(place);
            {
                Daemon daemon(place);
                EXPECT_NE(create_shop().status, 201);
                EXPECT_EQ(daemon.wait(), SIGKILL);
            }
            const Daemon daemon;
            const bool is_whole = place == "create-application/complete/after";
            EXPECT_EQ(count_applications(), is_whole ? 1u : 0u);
            EXPECT_EQ(call("/run/gearbox/control.sock", "status")["unfinished_operations"], 0);
            if (!is_whole) {
                EXPECT_EQ(remains(), "");
            }
        }
    }
    const Daemon daemon;
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
}

// A web server of this host, which gears may connect to, with a cartridge of a user's.
class OwnCartridge : public DaemonTest {
protected:
    void SetUp() override {
        DaemonTest::SetUp();
        shell("ip link add uplink type veth peer name far; ip addr add 198.51.100.2/24 dev uplink; ip link set uplink up; ip link set far up");
        shell(str("cp -r ", test_data("cartridges/mock"), " ", served_.path().native(), "/mine; cd ", served_.path().native(),
                  "/mine; sed -i 's/Vendor: redhat/Vendor: acme/; s/^Name: mock/Name: mine/; s/Short-Name: Mock/Short-Name: Mine/;"
                  "s/^- web_framework/- embedded/' metadata/manifest.yml; sed -i s/OPENSHIFT_MOCK_/OPENSHIFT_MINE_/g bin/*;"
                  "printf '#!/bin/bash\\necho CLIENT_RESULT: ready $*\\necho CART_DATA: verbs=$(tail -n 1 $OPENSHIFT_DATA_DIR/verbs 2>/dev/null)\\n' >bin/post_install"));
        server_ = shell(str("cd ", served_.path().native(), "; python3 -m http.server ", file_port,
                            " --bind 198.51.100.2 >/dev/null 2>&1 & printf %s $!"));
        shell(str("for i in $(seq 50); do curl -s http://198.51.100.2:", file_port, "/ && exit 0; sleep 0.1; done; exit 1"));
    }
    void TearDown() override {
        DaemonTest::TearDown();
        shell(str("kill ", server_, "; ip link delete uplink"));
    }
    static std::string shell(const std::string& program) { return run_tool_checked({"bash", "-c", program}); }
    static HttpReply create() {
        return ask("POST", "domain/acme/applications",
                   str(R"({"name":"shop","cartridges":["mock",{"url":")", url(), R"("}]})"));
    }
    std::string served() const { return served_.path(); }
    static std::string url() { return str("http://198.51.100.2:", file_port, "/mine/"); }
    static std::vector<std::string> cartridges() {
        std::vector<std::string> out;
        const Json reply = ask("GET", "domain/acme/application/shop/cartridges").json();
        for (const Json& cartridge : reply["data"]) {
            out.push_back(cartridge["name"].get<std::string>());
        }
        return out;
    }

private:
    const TempDir served_;
    std::string server_;
};

TEST_F(OwnCartridge, IsPartOfOneApplicationByItsAddress) {
    {
        const Daemon daemon;
        const HttpReply made = create();
        ASSERT_EQ(made.status, 201) << made.body;
        EXPECT_EQ(ask("GET", "cartridges").body.find("acme-mine"), std::string::npos);
    }
    // The daemon starts again; the server is not asked any more.
    const Daemon daemon;
    EXPECT_EQ(cartridges(), (std::vector<std::string>{"mock-1.0", "acme-mine-1.0"}));
    const HttpReply one = ask("GET", "domain/acme/application/shop/cartridge/acme-mine-1.0");
    EXPECT_EQ(one.json()["data"]["url"], url());
    EXPECT_EQ(one.json()["data"]["display_name"], "Test double");
    EXPECT_EQ(ask("POST", "domain/acme/application/shop/cartridge/acme-mine-1.0/events", R"({"event":"restart"})").status, 200);
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop/cartridge/acme-mine-1.0", "{}").status, 200);
    EXPECT_EQ(ask("POST", "domain/acme/application/shop/cartridges", str(R"({"url":")", url(), R"("})")).status, 201);
    EXPECT_EQ(cartridges().size(), 2u);
    const HttpReply refused = ask("POST", "domain/acme/application/shop/cartridges", R"({"url":"file:///etc/passwd"})");
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(refused.json()["messages"][0]["text"],
              "The address 'file:///etc/passwd' must begin with http://, https:// or git://");
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
    EXPECT_EQ(remains(), "");
}

TEST_F(OwnCartridge, HasAServerThatAnArchiveIsDeployedFrom) {
    const Daemon daemon;
    const std::string id = create_shop().json()["data"]["id"].get<std::string>();
    const auto deploy = [&](const std::string& file) {
        return ask("POST", str("application/", id, "/deployments"),
                   str(R"({"artifact_url":"http://198.51.100.2:)", file_port, "/", file, "\"}"));
    };
    const auto text = [&] { return read_file(str("/var/lib/openshift/", id, "/app-root/runtime/repo/index.txt")); };
    shell(str("cd ", served(), "; mkdir repo; echo fetched >repo/index.txt; tar -czf good.tar.gz repo; echo none >bad.tar.gz;"
              "truncate -s 3G large.tar.gz"));
    EXPECT_THAT(deploy("good.tar.gz").body, HasSubstr("deployed by git"));
    ASSERT_EQ(ask("PUT", str("application/", id), R"({"deployment_type":"binary"})").status, 200);
    EXPECT_THAT(deploy("bad.tar.gz").body, HasSubstr("the archive cannot be unpacked; nothing was changed"));
    EXPECT_THAT(deploy("large.tar.gz").body, HasSubstr("is larger than the 1024 MB of this gear; nothing was changed"));
    const HttpReply absent = deploy("absent.tar.gz");
    EXPECT_EQ(absent.status, 422);
    EXPECT_THAT(absent.body, HasSubstr("cannot be fetched: (22) The requested URL returned error: 404; nothing was changed"));
    EXPECT_EQ(text(), "first version\n");
    const HttpReply made = deploy("good.tar.gz");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(text(), "fetched\n");
    EXPECT_EQ(shell(str("ls -A /var/lib/openshift/", id, "/app-root/data | grep -c archive || true")), "0\n");
}

// --from-code ADDRESS#REF, from a server like any other.
TEST_F(OwnCartridge, StandsBesideCodeOfABranchATagOrACommit) {
    const std::string commit = shell(str("exec 2>&1; set -e; cd ", served(), R"(
        git init -q -b main code; cd code; git config user.name a; git config user.email a@b
        version() { echo $1 >index.txt; git add -A; git commit -qm $1; }
        version first; version second; git tag -a -m released v1.0
        version third; git checkout -qb dev/next; version fourth; git checkout -q main
        git update-server-info; git rev-parse --short HEAD~2)"));
    const Daemon daemon;
    const auto create_of = [](const std::string& ref) {
        return ask("POST", "domain/acme/applications", str(R"({"name":"shop","cartridges":["mock"],"initial_git_url":"http://198.51.100.2:)",
                                                           file_port, "/code/.git", ref, R"("})"));
    };
    const std::vector<std::pair<std::string, std::string>> codes = {{"", "third\n"},
                                                                    {"#dev/next", "fourth\n"},
                                                                    {"#v1.0", "second\n"},
                                                                    {"#" + commit.substr(0, commit.find('\n')), "first\n"}};
    for (const auto& [ref, text] : codes) {
        SCOPED_TRACE(ref);
        const HttpReply made = create_of(ref);
        ASSERT_EQ(made.status, 201) << made.body;
        const std::string home = "/var/lib/openshift/" + made.json()["data"]["id"].get<std::string>();
        EXPECT_EQ(read_file(home + "/app-root/runtime/repo/index.txt"), text);
        // It is the branch that pushes deploy, wherever it comes from.
        EXPECT_EQ(read_file(home + "/git/shop.git/HEAD"), "ref: refs/heads/master\n");
        EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
    }
    const HttpReply missing = create_of("#v2.0");
    EXPECT_EQ(missing.status, 422) << missing.body;
    EXPECT_THAT(missing.body, HasSubstr(str("the source 'http://198.51.100.2:", file_port, "/code/.git' has no branch, tag or commit 'v2.0'")));
    const HttpReply odd = create_of("#--upload-pack=x");
    EXPECT_EQ(odd.status, 422) << odd.body;
    EXPECT_THAT(odd.body, HasSubstr("Invalid initial git URL"));
    EXPECT_EQ(count_applications(), 0u);
    EXPECT_EQ(remains(), "");
}

// Its last script, when everything else is done, and what that says.
TEST_F(OwnCartridge, HasTheLastWordWhereverItIsAdded) {
    const Daemon daemon;
    const auto said = [](const HttpReply& reply) {
        std::string out;
        const Json envelope = reply.json();
        for (const Json& message : envelope["messages"]) {
            out += message["severity"] == "result" ? message["text"].get<std::string>() : "";
        }
        return out;
    };
    const auto last_verb = [] {
        const Json one = ask("GET", "domain/acme/application/shop/cartridge/acme-mine-1.0").json();
        for (const Json& property : one["data"]["properties"]) {
            if (property["name"] == "verbs") {
                return property["value"].get<std::string>();
            }
        }
        return std::string("none");
    };
    const std::string cartridges = "domain/acme/application/shop/cartridges";
    const HttpReply made = create();
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(said(made), "mock installed\nmock installed\nready --version 1.0");
    EXPECT_EQ(last_verb(), "start");
    ASSERT_EQ(ask("DELETE", cartridges.substr(0, cartridges.size() - 1) + "/acme-mine-1.0", "{}").status, 200);
    const HttpReply added = ask("POST", cartridges, str(R"({"url":")", url(), R"("})"));
    ASSERT_EQ(added.status, 201) << added.body;
    EXPECT_EQ(said(added), "mock installed\nready --version 1.0");
    EXPECT_EQ(last_verb(), "start");
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
    // Nothing is started of an empty one.
    const HttpReply empty = ask("POST", "domain/acme/applications",
                                str(R"({"name":"shop","initial_git_url":"empty","cartridges":["mock",{"url":")", url(), R"("}]})"));
    ASSERT_EQ(empty.status, 201) << empty.body;
    EXPECT_THAT(said(empty), HasSubstr("ready --version 1.0"));
    EXPECT_EQ(last_verb(), "");
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
}

TEST_F(OwnCartridge, KilledAtAnyStepItLeavesAllOrNothing) {
    for (const char* step : {"fetch-cartridges", "add-cartridges"}) {
        SCOPED_TRACE(step);
        {
            Daemon daemon(str("create-application/", step, "/after"));
            EXPECT_NE(create().status, 201);
            EXPECT_EQ(daemon.wait(), SIGKILL);
        }
        const Daemon daemon;
        EXPECT_EQ(count_applications(), 0u);
        EXPECT_EQ(remains(), "");
    }
    {
        const Daemon daemon;
        ASSERT_EQ(create_shop().status, 201);
    }
    for (const char* place : {"fetch-cartridge/fetch/after", "add-cartridge/install/after", "add-cartridge/start/after"}) {
        SCOPED_TRACE(place);
        {
            Daemon daemon(place);
            EXPECT_NE(ask("POST", "domain/acme/application/shop/cartridges", str(R"({"url":")", url(), R"("})")).status, 201);
            EXPECT_EQ(daemon.wait(), SIGKILL);
        }
        const Daemon daemon;
        EXPECT_EQ(cartridges(), std::vector<std::string>{"mock-1.0"});
        EXPECT_EQ(call("/run/gearbox/control.sock", "status")["unfinished_operations"], 0);
        EXPECT_EQ(shell("ls -A /var/lib/openshift/*/ | grep -E 'downloaded|mine' || true"), "");
    }
    const Daemon daemon;
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
}

TEST_F(DaemonTest, KilledDuringAnUpgradeItFinishesThat) {
    const std::string socket = "/run/gearbox/control.sock";
    const auto import = [&](const std::string& version, const std::string& program) {
        const auto directory = call(socket, "cartridge.staging")["directory"].get<std::string>();
        run_tool_checked({"bash", "-ec", str("cd ", directory, "; cp -r ", test_data("cartridges/mock/."), " .; sed -i 's/Vendor: redhat/Vendor: acme/;"
                                             "s/^Cartridge-Version: .*/Cartridge-Version: ", version, "/' metadata/manifest.yml; ", program)});
        call(socket, "cartridge.import", {{"directory", directory}});
    };
    std::string home = "/var/lib/openshift/";
    {
        Daemon daemon;
        import("0.0.1", "");
        const HttpReply made = ask("POST", "domain/acme/applications", R"({"name":"shop","cartridges":["acme-mock-1.0"]})");
        ASSERT_EQ(made.status, 201) << made.body;
        home += made.json()["data"]["id"].get<std::string>();
        // The first time it does not come to its end.
        import("0.0.2", "printf '#!/bin/bash\ncd $OPENSHIFT_DATA_DIR; echo \"$*\" >>upgrades; [ $(wc -l <upgrades) -gt 1 ] || sleep 60\n' >bin/upgrade");
        std::thread upgrade([&] { EXPECT_THROW(call(socket, "cartridge.upgrade", {{"name", "acme-mock"}}), Error); });
        EXPECT_EQ(run_tool({"timeout", "20", "bash", "-c", "until [ -s " + home + "/app-root/data/upgrades ]; do sleep .05; done"}).status, 0);
        EXPECT_EQ(daemon.end(SIGKILL), SIGKILL);
        upgrade.join();
    }
    const Daemon daemon;
    EXPECT_EQ(call(socket, "status")["unfinished_operations"], 0);
    EXPECT_EQ(read_file(home + "/app-root/data/upgrades"), "1.0 0.0.1 0.0.2\n1.0 0.0.1 0.0.2\n");
    EXPECT_THAT(read_file(home + "/mock/env/OPENSHIFT_MOCK_IDENT"), HasSubstr("acme:mock:1.0:0.0.2"));
    EXPECT_EQ(call(socket, "cartridge.upgrade", {{"name", "acme-mock"}})[0]["result"], "current");
    EXPECT_EQ(ask("GET", "domain/acme/application/shop/gear_groups").json()["data"][0]["gears"][0]["state"], "started");
    EXPECT_EQ(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
    EXPECT_EQ(remains(), "");
    call(socket, "cartridge.remove", {{"name", "acme-mock"}});
}

TEST_F(DaemonTest, KilledAtAnyStepOfDeleteItIsGone) {
    for (const char* step : {"mark", "withdraw-routes", "stop", "destroy-gear", "forget"}) {
        for (const char* when : {"before", "after"}) {
            const std::string place = str("delete-application/", step, "/", when);
            SCOPED_TRACE(place);
            {
                Daemon daemon(place);
                EXPECT_EQ(create_shop().status, 201);
                EXPECT_NE(ask("DELETE", "domain/acme/application/shop", "{}").status, 200);
                EXPECT_EQ(daemon.wait(), SIGKILL);
            }
            const Daemon daemon;
            EXPECT_EQ(count_applications(), 0u);
            EXPECT_EQ(remains(), "");
        }
    }
}

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    const std::string missing = gearbox::test::missing_for_gears();
    if (!missing.empty()) {
        std::cout << "skipped: " << missing << "\n";
        return 77;
    }
    gearbox::test::enter_private_host(gearbox::test::cgroup_parent);
    return RUN_ALL_TESTS();
}
