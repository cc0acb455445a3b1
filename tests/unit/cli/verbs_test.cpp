// The verbs of rhc: what each sends to the broker, or which program it runs.
#include "unit/cli/fake_broker.h"

#include <gmock/gmock.h>

namespace gearbox::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

TEST_F(VerbTest, cartridge_storage_is_shown_and_set) {
    broker.answers["GET " + app + "/cartridge/mysql-5.5"] = {
        200, {{"name", "mysql-5.5"}, {"additional_gear_storage", 2}}, {}};
    broker.answers["PUT " + app + "/cartridge/mysql-5.5"] = {
        200, {{"name", "mysql-5.5"}, {"additional_gear_storage", 3}}, {}};
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog"}), 0);
    EXPECT_THAT(out, HasSubstr("extra storage: 2 GB"));
    EXPECT_EQ(run({"cartridge", "storage", "mysql", "-a", "blog", "--set", "3"}), 0);
    EXPECT_THAT(out, HasSubstr("extra storage: 3 GB"));
}

TEST_F(VerbTest, statuses_are_those_of_rhc) {
    EXPECT_EQ(run({"cartridge", "stop", "ruby", "-a", "blog"}), exit_status::no_cartridge);
    EXPECT_EQ(run({"env", "show", "NONE", "-a", "blog"}), exit_status::no_variable);
    EXPECT_EQ(run({"env", "set", "novalue", "-a", "blog"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("'novalue' is not NAME=VALUE"));
    broker.answers["GET /regions"] = {200, Json::array(), {}};
    EXPECT_EQ(run({"region", "list"}), exit_status::no_regions);
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
    EXPECT_EQ(run({"deploy", "$(reboot)", "-a", "blog"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("neither a file nor a git ref"));
    program_status = 1;
    EXPECT_EQ(run({"deploy", "main", "-a", "blog"}), exit_status::remote_failed);
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
