// The verbs of rhc: what each sends to the broker, or which program it runs.
#include "unit/cli/fake_broker.h"

#include <gmock/gmock.h>

namespace gearbox::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class VerbTest : public CliTest {
protected:
    void SetUp() override {
        set_up();
        Json blog = application("blog");
        blog["cartridges"] = Json::array({{{"name", "php-8.4"}}, {{"name", "mysql-5.5"}}});
        broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, blog, {}};
        for (const char* path : {"aliases", "environment-variables", "deployments", "cartridges", "events",
                                 "alias/www.example.org", "cartridge/mysql-5.5", "cartridge/mysql-5.5/events",
                                 "cartridge/mysql-5.5?include=status_messages", ""}) {
            for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
                const std::string whole = path[0] == '\0' ? app : app + "/" + path;
                const bool is_list = std::string(method) == "GET" && whole.back() == 's';
                broker.answers[str(method, " ", whole)] = {200, is_list ? Json::array() : Json::object(), {}};
            }
        }
    }
    const std::string app = "/application/0123456789abcdef01234567";
};

struct Row {
    std::vector<std::string> words;
    std::string request;  ///< method and path
    Json body;
};

TEST_F(VerbTest, send_what_the_broker_expects) {
    broker.answers["GET /cartridges"] = {200, Json::array({{{"name", "cron-1.4"}, {"tags", Json::array()}}}), {}};
    broker.answers["PATCH /domain/demo/members"] = {200, Json::array(), {}};
    broker.answers["DELETE /domain/demo/members/self"] = {200, nullptr, {}};
    const Json team = {{"id", "aaaaaaaaaaaaaaaaaaaaaaaa"}, {"name", "ops"}, {"members", Json::array()}};
    broker.answers["GET /teams?include=members"] = {200, Json::array({team}), {}};
    broker.answers["GET /api"] = {200, {{"LIST_TEAMS", Json::object()}}, {}};
    broker.answers["POST /teams"] = {201, team, {}};
    for (const char* method : {"DELETE", "PATCH"}) {
        for (const char* path : {"", "/members", "/members/self"}) {
            broker.answers[str(method, " /team/aaaaaaaaaaaaaaaaaaaaaaaa", path)] = {200, nullptr, {}};
        }
    }
    broker.answers["PUT /domain/demo"] = {200, {{"allowed_gear_sizes", Json::array()}}, {}};
    broker.answers["DELETE /domain/demo/members"] = {200, nullptr, {}};
    broker.answers["GET /domain/demo/members"] = {
        200, Json::array({{{"login", nullptr}, {"name", "theirs"}, {"id", "t9"}, {"type", "team"}, {"role", "edit"}}}), {}};
    broker.answers["PUT /domain/old"] = {200, {{"name", "new"}}, {}};
    broker.answers["POST /user/authorizations"] = {201, {{"token", "t1"}}, {}};
    broker.answers["DELETE /user/authorizations"] = {200, nullptr, {}};
    broker.answers["DELETE /user/authorization/x1"] = {200, nullptr, {}};
    const std::vector<Row> rows = {
        {{"alias", "add", "blog", "www.example.org"}, "POST " + app + "/aliases", {{"id", "www.example.org"}}},
        {{"alias", "remove", "blog", "www.example.org"}, "DELETE " + app + "/alias/www.example.org", Json::object()},
        {{"alias", "delete-cert", "blog", "www.example.org"}, "PUT " + app + "/alias/www.example.org", Json::object()},
        {{"env", "set", "A=1", "B=x=y", "-a", "blog"},
         "PATCH " + app + "/environment-variables",
         {{"environment_variables", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "x=y"}}}}}},
        {{"env", "unset", "A", "-a", "blog"}, "PATCH " + app + "/environment-variables",
         {{"environment_variables", Json::array({{{"name", "A"}}})}}},
        {{"deployment", "activate", "1a2b3c4d", "-a", "blog"}, "POST " + app + "/events",
         {{"event", "activate"}, {"deployment_id", "1a2b3c4d"}}},
        {{"app", "configure", "blog", "--no-auto-deploy", "--keep-deployments", "5", "--deployment-branch", "main"},
         "PUT " + app, {{"auto_deploy", false}, {"keep_deployments", 5}, {"deployment_branch", "main"}}},
        {{"app", "tidy", "blog"}, "POST " + app + "/events", {{"event", "tidy"}}},
        {{"app", "force-stop", "blog"}, "POST " + app + "/events", {{"event", "force-stop"}}},
        {{"threaddump", "blog"}, "POST " + app + "/events", {{"event", "thread-dump"}}},
        {{"cartridge", "add", "cron", "-a", "blog"}, "POST " + app + "/cartridges", {{"name", "cron-1.4"}}},
        {{"cartridge", "remove", "mysql", "-a", "blog", "--confirm"}, "DELETE " + app + "/cartridge/mysql-5.5",
         Json::object()},
        {{"cartridge", "restart", "mysql-5.5", "-a", "blog"}, "POST " + app + "/cartridge/mysql-5.5/events",
         {{"event", "restart"}}},
        {{"member", "add", "alice", "bob", "-r", "admin"}, "PATCH /domain/demo/members",
         {{"members", {{{"login", "alice"}, {"type", "user"}, {"role", "admin"}},
                       {{"login", "bob"}, {"type", "user"}, {"role", "admin"}}}}}},
        {{"member", "remove", "bob"}, "PATCH /domain/demo/members",
         {{"members", Json::array({{{"login", "bob"}, {"type", "user"}, {"role", "none"}}})}}},
        {{"member", "add", "ops", "--type", "team"}, "PATCH /domain/demo/members",
         {{"members", Json::array({{{"id", "aaaaaaaaaaaaaaaaaaaaaaaa"}, {"type", "team"}, {"role", "edit"}}})}}},
        {{"member", "remove", "theirs", "--type", "team"}, "PATCH /domain/demo/members",
         {{"members", Json::array({{{"id", "t9"}, {"type", "team"}, {"role", "none"}}})}}},
        {{"member", "add", "alice", "-t", "ops"}, "PATCH /team/aaaaaaaaaaaaaaaaaaaaaaaa/members",
         {{"members", Json::array({{{"login", "alice"}, {"type", "user"}, {"role", "view"}}})}}},
        {{"member", "remove", "x1", "--ids"}, "PATCH /domain/demo/members",
         {{"members", Json::array({{{"id", "x1"}, {"type", "user"}, {"role", "none"}}})}}},
        {{"member", "remove", "--all"}, "DELETE /domain/demo/members", Json::object()},
        {{"team", "create", "ops"}, "POST /teams", {{"name", "ops"}}},
        {{"team", "delete", "ops"}, "DELETE /team/aaaaaaaaaaaaaaaaaaaaaaaa", Json::object()},
        {{"team", "leave", "aaaaaaaaaaaaaaaaaaaaaaaa"}, "DELETE /team/aaaaaaaaaaaaaaaaaaaaaaaa/members/self",
         Json::object()},
        {{"domain", "configure", "--allowed-gear-sizes", "small,medium"}, "PUT /domain/demo",
         {{"allowed_gear_sizes", {"small", "medium"}}}},
        {{"domain", "configure", "demo", "--no-allowed-gear-sizes"}, "PUT /domain/demo",
         {{"allowed_gear_sizes", Json::array()}}},
        {{"domain", "leave", "demo"}, "DELETE /domain/demo/members/self", Json::object()},
        {{"domain", "rename", "old", "new"}, "PUT /domain/old", {{"name", "new"}}},
        {{"authorization", "add", "--scopes", "read", "--note", "hi"}, "POST /user/authorizations",
         {{"scope", "read"}, {"note", "hi"}}},
        {{"authorization", "delete", "x1"}, "DELETE /user/authorization/x1", Json::object()},
        {{"authorization", "delete-all"}, "DELETE /user/authorizations", Json::object()},
    };
    for (const Row& row : rows) {
        store().save_token("t0");
        EXPECT_EQ(run(row.words), 0) << row.words[0] << " " << row.words[1] << ": " << err;
        const auto blank = row.request.find(' ');
        const HttpRequest* const sent =
            broker.last(row.request.substr(0, blank), row.request.substr(blank + 1));
        ASSERT_NE(sent, nullptr) << row.request;
        EXPECT_EQ(parse_json(sent->body), row.body) << row.request;
    }
}

TEST_F(VerbTest, understand_the_other_spellings_of_rhc) {
    broker.answers["GET /applications"] = {200, Json::array({application("blog")}), {}};
    EXPECT_EQ(run({"apps"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("blog"));
    EXPECT_EQ(run({"app-list"}), 0) << err;
    EXPECT_EQ(run({"app-lisp"}), exit_status::usage);
    EXPECT_EQ(run({"app", "tidy", "-a", "blog"}), 0) << err;
    EXPECT_EQ(run({"app-tidy", "-a", "blog"}), 0) << err;
    EXPECT_EQ(run({"app", "tidy"}), exit_status::usage);
    EXPECT_THAT(err, HasSubstr("name the application"));
    EXPECT_EQ(run({"app", "tidy", "blog", "-a", "blog"}), exit_status::usage);
    EXPECT_EQ(run({"cartridge", "scale", "mysql", "2", "-a", "blog"}), 0) << err;
    EXPECT_EQ(parse_json(broker.last("PUT", "/cartridge/mysql-5.5")->body),
              Json({{"scales_from", 2}, {"scales_to", 2}}));
    broker.answers["GET /cartridges"] = {200, Json::array({{{"name", "php-8.4"}, {"tags", {"web_framework"}}}}), {}};
    broker.answers["POST /domain/demo/applications?include=cartridges"] = {201, application("copy"), {}};
    ASSERT_EQ(run({"create-app", "copy", "php", "LEVEL=debug", "-r", "here"}), 0) << err;
    EXPECT_EQ(parse_json(broker.last("POST", "/applications")->body)["environment_variables"],
              Json::parse(R"([{"name": "LEVEL", "value": "debug"}])"));
    EXPECT_EQ(executed[1], "clone");
    EXPECT_EQ(executed.back(), "here");
}

TEST_F(VerbTest, cartridge_storage_is_shown_and_set) {
    broker.answers["GET " + app + "/cartridge/mysql-5.5"] = {
        200, {{"name", "mysql-5.5"}, {"additional_gear_storage", 2}}, {}};
    broker.answers["PUT " + app + "/cartridge/mysql-5.5"] = {
        200, {{"name", "mysql-5.5"}, {"additional_gear_storage", 3}}, {}};
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog"}), 0);
    EXPECT_THAT(out, HasSubstr("extra storage: 2 GB"));
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog", "--set", "3"}), 0);
    EXPECT_THAT(out, HasSubstr("extra storage: 3 GB"));
    const auto sent = [&] {
        return parse_json(broker.last("PUT", "/cartridge/mysql-5.5")->body)["additional_gear_storage"];
    };
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog", "--add", "4"}), 0);
    EXPECT_EQ(sent(), 6);
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog", "--remove", "2"}), 0);
    EXPECT_EQ(sent(), 0);
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog", "--remove", "3"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("it has 2 GB"));
}

TEST_F(VerbTest, an_application_is_made_like_another) {
    Json blog = application("blog");
    blog["scalable"] = false;
    blog["gear_profile"] = "small";
    blog["initial_git_url"] = nullptr;
    blog["auto_deploy"] = false;
    blog["cartridges"] = Json::array({{{"name", "php-8.4"}, {"gear_profile", "small"}, {"scales_from", 1}, {"scales_to", 1},
                                       {"additional_gear_storage", 2}}});
    broker.answers["GET /domain/other/application/blog?include=cartridges"] = {200, blog, {}};
    broker.answers["GET " + app + "/environment-variables"] = {200, Json::array({{{"name", "A"}, {"value", "1"}}}), {}};
    broker.answers["GET /cartridges"] = {200, Json::array(), {}};
    broker.answers["POST /domain/demo/applications?include=cartridges"] = {201, application("copy"), {}};
    ASSERT_EQ(run({"app", "create", "copy", "--from-app", "other/blog", "-e", "B=2", "-e", "A=9"}), 0) << err;
    const Json sent = parse_json(broker.last("POST", "/applications")->body);
    EXPECT_EQ(sent, Json({{"name", "copy"}, {"scale", false}, {"gear_profile", "small"},
                          {"cartridges", Json::array({{{"name", "php-8.4"}, {"gear_size", "small"}, {"scales_from", 1},
                                                       {"scales_to", 1}, {"additional_gear_storage", 2}}})},
                          {"environment_variables", {{{"name", "B"}, {"value", "2"}}, {{"name", "A"}, {"value", "9"}}}},
                          {"config", {{"auto_deploy", false}}}}));
}

TEST_F(VerbTest, a_name_that_leads_nowhere_gets_a_line_for_etc_hosts) {
    broker.answers["GET /cartridges"] = {200, Json::array({{{"name", "php-8.4"}, {"tags", {"web_framework"}}}}), {}};
    const auto create = [&](const std::string& host) {
        Json made = application("copy");
        made["app_url"] = "http://" + host + "/";
        broker.answers["POST /domain/demo/applications?include=cartridges"] = {201, made, {}};
        EXPECT_EQ(run({"app", "create", "copy", "php"}), 0) << err;
        return err;
    };
    EXPECT_THAT(create("copy-demo.gearbox.localhost"), Not(HasSubstr("/etc/hosts")));
    Config config;
    config.server = "https://gear.example";
    set_up(config);
    addresses = {{"gear.example", "192.0.2.1"}};
    EXPECT_THAT(create("copy-demo.gear.example"), HasSubstr("192.0.2.1  copy-demo.gear.example"));
    addresses["copy-demo.gear.example"] = "127.0.0.1";
    EXPECT_THAT(create("copy-demo.gear.example"), HasSubstr("192.0.2.1  copy-demo.gear.example"));
    addresses["copy-demo.gear.example"] = "192.0.2.1";
    EXPECT_THAT(create("copy-demo.gear.example"), Not(HasSubstr("/etc/hosts")));
}

TEST_F(VerbTest, what_the_platform_had_to_do_for_an_application_is_shown) {
    const Json gear = {{"id", "0123456789abcdef01234567"}, {"state", "started"}, {"oom_kills", 2}, {"service_restarts", 1}, {"has_given_up", true}};
    broker.answers["GET " + app + "/gear_groups"] = {200, Json::array({{{"gear_profile", "small"}, {"gears", Json::array({gear})}}}), {}};
    EXPECT_EQ(run({"app", "show", "blog"}), 0);
    EXPECT_THAT(out, HasSubstr("! 2 of its processes ran out of memory and were killed\n"));
    EXPECT_THAT(out, HasSubstr("! services ended by themselves and were started again, 1 time\n"));
    EXPECT_THAT(out, HasSubstr("! a service ends again and again and is left alone; see 'gearbox tail'\n"));
}

TEST_F(VerbTest, parts_of_an_application_are_shown_alone) {
    const Json gear = {{"id", "0123456789abcdef01234567"}, {"state", "started"},
                       {"ssh_url", "ssh://0123456789abcdef01234567@blog-demo.gearbox.localhost"}};
    broker.answers["GET " + app + "/gear_groups"] = {
        200, Json::array({{{"gear_profile", "small"}, {"cartridges", Json::array({{{"name", "php-8.4"}}})},
                           {"gears", Json::array({gear})}}}), {}};
    EXPECT_EQ(run({"app", "show", "blog", "--state"}), 0);
    EXPECT_EQ(out, "started\n");
    EXPECT_EQ(run({"app", "show", "blog", "--gears"}), 0);
    EXPECT_THAT(out, HasSubstr("started  php-8.4"));
    EXPECT_EQ(run({"app", "show", "blog", "--gears", "ssh"}), 0);
    EXPECT_EQ(out, "ssh://0123456789abcdef01234567@blog-demo.gearbox.localhost\n");
    EXPECT_EQ(run({"app", "show", "blog", "--gears", "quota"}), 0);
    EXPECT_EQ(executed.back(), "quota");
    EXPECT_EQ(run({"app", "show", "blog", "--configuration"}), 0);
    EXPECT_THAT(out, HasSubstr("auto_deploy: "));
    EXPECT_EQ(run({"ssh", "blog", "--gears", "uptime"}), 0);
    EXPECT_EQ(executed.back(), "uptime");
    EXPECT_THAT(err, HasSubstr("=== 0123456789abcdef01234567"));
    program_status = 3;
    EXPECT_EQ(run({"ssh", "blog", "--gears", "false"}), exit_status::remote_failed);
    EXPECT_EQ(run({"ssh", "blog", "--gears"}), exit_status::error);
    EXPECT_EQ(run({"app", "enable-ha", "blog"}), exit_status::no_ha);
    EXPECT_THAT(err, HasSubstr("does not offer high availability"));
}

TEST_F(VerbTest, members_come_with_the_teams_that_let_them_in) {
    broker.answers["GET /domain/demo/members"] = {
        200,
        Json::array({{{"login", "demo"}, {"role", "admin"}, {"type", "user"}, {"owner", true}},
                     {{"login", nullptr}, {"name", "ops"}, {"id", "t1"}, {"role", "edit"}, {"type", "team"}},
                     {{"login", "bob"}, {"role", "edit"}, {"type", "user"},
                      {"from", Json::array({{{"type", "team"}, {"id", "t1"}}})}}}), {}};
    EXPECT_EQ(run({"member", "list"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("admin (owner)"));
    EXPECT_THAT(out, HasSubstr("edit (by ops)"));
    broker.answers["GET /teams?include=members"] = {200, Json::array(), {}};
    broker.answers["GET /api"] = {200, {{"LIST_TEAMS", Json::object()}}, {}};
    EXPECT_EQ(run({"member", "list", "-t", "ops"}), exit_status::no_team);
    broker.answers["GET /api"] = {200, Json::object(), {}};
    EXPECT_EQ(run({"team", "list"}), exit_status::no_teams);
    EXPECT_EQ(run({"member", "remove"}), exit_status::error);
}

TEST_F(VerbTest, several_servers_are_kept_apart) {
    broker.answers["POST /user/authorizations"] = {201, {{"token", "t-school"}}, {}};
    broker.answers["GET /domains"] = {200, Json::array({{{"name", "class"}}}), {}};
    broker.answers["GET /api"] = {200, Json::object(), {}};
    EXPECT_EQ(run({"server", "use", "school"}), exit_status::no_server);
    ASSERT_EQ(run({"server", "add", "school", "--server", "http://127.0.0.1:9", "--login", "eve", "--no-ssh-key",
                   "--password-stdin"}, "secret\n"), 0) << err;
    EXPECT_EQ(run({"server", "list"}), 0);
    EXPECT_THAT(out, HasSubstr("school (in use)  http://127.0.0.1:9"));
    EXPECT_THAT(out, HasSubstr("default          https://gearbox.localhost:8443"));
    EXPECT_EQ(store().find_token(), "t0") << "the first one's token is its own";
    EXPECT_EQ(run({"server", "add", "school", "--server", "http://x.example"}), exit_status::error);
    EXPECT_EQ(run({"server", "remove", "school"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("in use"));
    EXPECT_EQ(run({"server", "use", "default"}), 0);
    EXPECT_EQ(run({"server", "show", "school"}), 0);
    EXPECT_THAT(out, HasSubstr("eve at http://127.0.0.1:9, domain 'class'"));
    EXPECT_EQ(run({"server", "status", "school"}, "", false), 1) << "it has no environment";
    broker.answers["DELETE /user/authorization/t-school"] = {200, nullptr, {}};
    EXPECT_EQ(run({"--server", "school", "logout"}), 0) << err;
    EXPECT_EQ(ConfigStore(config_directory() + "/servers/school").find_token(), std::nullopt);
    EXPECT_EQ(store().find_token(), "t0");
    EXPECT_EQ(run({"apps", "--server", "none"}), exit_status::no_server);
    EXPECT_EQ(run({"server", "status", "none"}), exit_status::no_server);
    EXPECT_EQ(run({"server", "remove", "school"}), 0);
    EXPECT_FALSE(std::filesystem::exists(config_directory() + "/servers/school"));
    EXPECT_EQ(run({"server", "remove", "default"}), exit_status::error);
    EXPECT_EQ(run({"server", "add", "../up", "--server", "http://x.example"}), exit_status::error);
    broker.answers["POST /user/authorizations"] = {401, nullptr, {{"error", "no", "", 1}}};
    EXPECT_NE(run({"server", "add", "wrong", "--server", "http://127.0.0.1:9", "--login", "eve", "--password-stdin"}, "bad\n"), 0);
    EXPECT_FALSE(std::filesystem::exists(config_directory() + "/servers/wrong"));
}

TEST_F(VerbTest, a_vendor_may_be_left_out_of_a_cartridges_name) {
    Json blog = application("blog");
    blog["cartridges"] = Json::array({{{"name", "acme-redis-7"}}, {{"name", "acme-queue-1"}}, {{"name", "best-queue-2"}}});
    broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, blog, {}};
    broker.answers["POST " + app + "/cartridge/acme-redis-7/events"] = {200, blog, {}};
    EXPECT_EQ(run({"cartridge", "stop", "redis", "-a", "blog"}), 0);
    EXPECT_EQ(run({"cartridge", "stop", "redis-7", "-a", "blog"}), 0);
    EXPECT_EQ(run({"cartridge", "stop", "queue", "-a", "blog"}), exit_status::no_cartridge);
    EXPECT_THAT(err, HasSubstr("'queue' may be acme-queue-1 or best-queue-2: name one of them"));
    EXPECT_EQ(run({"cartridge", "stop", "dis", "-a", "blog"}), exit_status::no_cartridge);
    EXPECT_THAT(err, HasSubstr("no cartridge 'dis', but acme-redis-7, acme-queue-1, best-queue-2"));
}

TEST_F(VerbTest, statuses_are_those_of_rhc) {
    EXPECT_EQ(run({"cartridge", "stop", "ruby", "-a", "blog"}), exit_status::no_cartridge);
    EXPECT_EQ(run({"env", "show", "NONE", "-a", "blog"}), exit_status::no_variable);
    EXPECT_EQ(run({"env", "set", "novalue", "-a", "blog"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("'novalue' is not NAME=VALUE"));
    broker.answers["GET /regions"] = {200, Json::array(), {}};
    EXPECT_EQ(run({"region", "list"}), exit_status::no_regions);
    broker.answers["GET " + app + "/deployments"] = {200, Json::array({{{"id", "1a2b3c4d"}, {"ref", "main"}}}), {}};
    EXPECT_EQ(run({"deployment", "show", "1a2b3c4d", "-a", "blog"}), 0);
    EXPECT_THAT(out, HasSubstr("ref: main"));
    EXPECT_EQ(run({"deployment", "show", "ffffffff", "-a", "blog"}), exit_status::no_deployment);
    EXPECT_EQ(run({"cartridge", "remove", "mysql", "-a", "blog"}, "no\n", true), exit_status::error);
    EXPECT_THAT(err, HasSubstr("nothing removed"));
}

TEST_F(VerbTest, snapshots_are_whole_or_not_there) {
    const std::string file = directory.path() / "blog.tar.gz";
    EXPECT_EQ(run({"snapshot", "save", "blog", "-f", file}), 0);
    EXPECT_EQ(executed.back(), "snapshot");
    EXPECT_EQ(read_file(file), "archive");
    EXPECT_EQ(run({"snapshot", "restore", "blog", "-f", file}), 0);
    EXPECT_EQ(executed.back(), "restore INCLUDE_GIT");
    EXPECT_EQ(redirected.input, file);
    program_status = 255;
    const std::string other = directory.path() / "other.tar.gz";
    EXPECT_EQ(run({"snapshot", "save", "blog", "-f", other}), exit_status::snapshot_failed);
    EXPECT_FALSE(std::filesystem::exists(other));
    EXPECT_FALSE(std::filesystem::exists(other + ".part"));
    EXPECT_EQ(run({"snapshot", "restore", "blog", "-f", file}), exit_status::snapshot_failed);
    EXPECT_EQ(run({"snapshot", "restore", "blog", "-f", "/nowhere"}), exit_status::error);
}

TEST_F(VerbTest, deploys_refs_and_files_over_ssh) {
    EXPECT_EQ(run({"deploy", "release/v1.2", "-a", "blog", "--hot-deploy"}), 0);
    EXPECT_EQ(executed.back(), "gear deploy release/v1.2 --hot-deploy");
    const std::string file = directory.path() / "blog.tar.gz";
    write_file_atomically(file, "archive");
    EXPECT_EQ(run({"deploy", file, "-a", "blog"}), 0);
    EXPECT_EQ(executed.back(), "oo-binary-deploy");
    EXPECT_EQ(redirected.input, file);
    broker.answers["POST " + app + "/deployments"] = {201, {{"id", "1a2b3c4d"}}, {}};
    EXPECT_EQ(run({"deploy", "https://example.org/blog.tar.gz", "-a", "blog", "--hot-deploy"}), 0);
    EXPECT_THAT(out, HasSubstr("deployed as 1a2b3c4d"));
    EXPECT_EQ(run({"deploy", "$(reboot)", "-a", "blog"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("neither a file nor a git ref"));
    program_status = 1;
    EXPECT_EQ(run({"deploy", "main", "-a", "blog"}), exit_status::remote_failed);
}

TEST_F(VerbTest, judges_what_the_probe_found_in_the_gear) {
    // Nothing but the host line: every attempt of the group is without a fact.
    const std::string host = R"({"host":{"seccomp":true,"capabilities":false,"label":""}})";
    program_output = host + "\n";
    EXPECT_EQ(run({"conformance", "--group", "archives", "blog"}), exit_status::error);
    EXPECT_THAT(executed.back(), HasSubstr("gear-probe\" --group archives"));
    EXPECT_THAT(out, HasSubstr("NO FACT: archives/absolute-name"));
    EXPECT_THAT(out, HasSubstr("attempts, 7 not stopped\n"));
    for (const char* name : {"absolute-name", "parent-name", "other-home-name", "through-symlink",
                             "hard-link-outside", "device-node", "owned-by-root"}) {
        program_output += str(R"({"group":"archives","name":")", name, R"(","result":"denied","errno":"",)",
                              R"("detail":"Read-only file system, cross-device, not permitted"})", "\n");
    }
    EXPECT_EQ(run({"conformance", "blog", "--group", "archives"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("blocked"));
    EXPECT_TRUE(out.ends_with("\n7 attempts, all stopped\n")) << out;
    EXPECT_EQ(run({"conformance", "blog", "--group", "archives", "--output", "json"}), 0);
    EXPECT_EQ(parse_json(out)["stopped"], true);
    EXPECT_EQ(run({"conformance", "blog", "--group", "nothing"}), exit_status::usage);
    program_status = 127;
    EXPECT_EQ(run({"conformance", "blog"}), exit_status::remote_failed);
}

TEST_F(VerbTest, copies_files_through_the_forwarded_port) {
    EXPECT_EQ(run({"scp", "blog", "upload", "here", "app-root/data/"}), 0);
    EXPECT_THAT(executed, Contains("8022"));
    EXPECT_EQ(executed.front(), "scp");
    EXPECT_EQ(executed.back(), "0123456789abcdef01234567@localhost:app-root/data/");
    EXPECT_EQ(run({"scp", "blog", "sideways", "a", "b"}), exit_status::usage);
}

}  // namespace
}  // namespace gearbox::cli
