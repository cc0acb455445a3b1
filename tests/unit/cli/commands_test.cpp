// What a person sees: exit statuses, texts, JSON, what is sent to the broker.
#include "unit/cli/fake_broker.h"

#include <gmock/gmock.h>

namespace gearbox::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(CliTest, suggests_the_command_that_was_meant) {
    EXPECT_EQ(run({"app", "craete", "blog"}), exit_status::usage);
    EXPECT_THAT(err, HasSubstr("there is no command 'craete'; did you mean 'create'?"));
    EXPECT_EQ(run({"domian", "list"}), exit_status::usage);
    EXPECT_THAT(err, HasSubstr("did you mean 'domain'?"));
}

TEST_F(CliTest, suggests_the_option_that_was_meant) {
    EXPECT_EQ(run({"app", "create", "blog", "php", "--from-cod", "x"}), exit_status::usage);
    EXPECT_THAT(err, HasSubstr("did you mean '--from-code'?"));
}

TEST_F(CliTest, tells_to_run_setup_first) {
    EXPECT_EQ(run({"app", "list"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("run 'gearbox setup'"));
}

TEST_F(CliTest, every_command_has_help) {
    for (const Command& command : command_table()) {
        std::istringstream words(command.path);
        std::vector<std::string> args{std::istream_iterator<std::string>(words), {}};
        args.push_back("--help");
        EXPECT_EQ(run(args), 0) << command.path;
        EXPECT_THAT(out, HasSubstr(command.summary)) << command.path;
    }
}

TEST_F(CliTest, lists_applications_with_the_forwarded_port) {
    set_up();
    broker.answers["GET /applications"] = {200, Json::array({application("blog")}), {}};
    EXPECT_EQ(run({"app", "list"}), 0);
    EXPECT_THAT(out, HasSubstr("http://blog-demo.gearbox.localhost:8080/"));
    EXPECT_EQ(run({"app", "list", "--output", "json"}), 0);
    EXPECT_EQ(parse_json(out).at(0).at("clone_url"),
              "ssh://0123456789abcdef01234567@localhost:8022/~/git/blog.git/");
}

TEST_F(CliTest, no_applications_is_status_1_as_in_rhc) {
    set_up();
    broker.answers["GET /applications"] = {200, Json::array(), {}};
    EXPECT_EQ(run({"app", "list"}), exit_status::error);
}

TEST_F(CliTest, passes_on_the_statuses_of_what_is_not_there) {
    set_up();
    broker.answers["GET /domain/demo/application/nope?include=cartridges"] = {
        404, nullptr, {{"error", "Application 'nope' not found", "", 101}}};
    EXPECT_EQ(run({"app", "show", "nope"}), 101);
    EXPECT_THAT(err, HasSubstr("error: Application 'nope' not found"));
    EXPECT_EQ(run({"app", "show", "nope", "--output", "json"}), 101);
    EXPECT_EQ(parse_json(out).at("exit_status"), 101);
}

TEST_F(CliTest, creates_from_a_quickstart_with_its_cartridges) {
    set_up();
    broker.answers["GET /quickstarts"] = {
        200,
        Json::array({{{"quickstart",
                       {{"id", "wordpress"},
                        {"initial_git_url", "file:///usr/share/gearbox/quickstarts/wordpress/wordpress.git"},
                        {"cartridges", {"php", "mysql"}}}}}}),
        {}};
    broker.answers["GET /cartridges"] = {
        200, Json::array({{{"name", "mysql-11.8"}}, {{"name", "php-8.4"}}, {{"name", "php-8.2"}}}), {}};
    broker.answers["POST /domain/demo/applications?include=cartridges"] = {
        201, application("blog"), {{"result", "Root Password: xyz", "", 0}}};
    EXPECT_EQ(run({"app", "create", "blog", "--from-code", "wordpress"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("Root Password: xyz"));
    EXPECT_THAT(out, HasSubstr("gearbox git-clone blog"));
    const HttpRequest* const sent = broker.last("POST", "/applications");
    ASSERT_NE(sent, nullptr);
    EXPECT_EQ(parse_json(sent->body),
              Json({{"name", "blog"},
                    {"cartridges", {"php-8.4", "mysql-11.8"}},
                    {"initial_git_url",
                     "file:///usr/share/gearbox/quickstarts/wordpress/wordpress.git"}}));
    const auto id = std::find_if(sent->headers.begin(), sent->headers.end(),
                                 [](const auto& header) { return header.first == "X-Request-Id"; });
    ASSERT_NE(id, sent->headers.end());
    EXPECT_EQ(id->second.size(), 32u);
    EXPECT_NE(broker.last("GET", "/operations/" + id->second), nullptr);
}

TEST_F(CliTest, shows_the_last_lines_of_logs_without_ssh) {
    set_up();
    broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, application("blog"), {}};
    broker.answers["GET /application/0123456789abcdef01234567/logs?lines=3"] = {
        200, {{"after", "x"}, {"lines", {{{"file", "app-root/logs/php.log"}, {"text", "a \\x1b[2J line"}}}}}, {}};
    EXPECT_EQ(run({"tail", "blog", "--lines", "3"}), 0) << err;
    EXPECT_EQ(out, "app-root/logs/php.log: a \\x1b[2J line\n");
}

TEST_F(CliTest, tells_why_a_quickstart_cannot_be_deployed) {
    set_up();
    broker.answers["GET /quickstarts"] = {
        200,
        Json::array({{{"quickstart",
                       {{"id", "poll"},
                        {"initial_git_url", "file:///poll.git"},
                        {"cartridges", {"java"}},
                        {"summary", "A poll"},
                        {"unavailable", "the cartridge java is not on this node"}}}}}),
        {}};
    EXPECT_EQ(run({"quickstart", "list"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("not available: the cartridge java is not on this node"));
    EXPECT_NE(run({"app", "create", "poll", "--from-code", "poll"}), 0);
    EXPECT_THAT(err, HasSubstr("the quickstart 'poll' cannot be deployed: the cartridge java is not on this node"));
}

TEST_F(CliTest, unknown_cartridge_is_154_with_a_suggestion) {
    set_up();
    broker.answers["GET /cartridges"] = {200, Json::array({{{"name", "php-8.4"}}}), {}};
    EXPECT_EQ(run({"app", "create", "blog", "phpp"}), exit_status::no_cartridge);
    EXPECT_THAT(err, HasSubstr("there is no cartridge 'phpp'; did you mean 'php'?"));
}

TEST_F(CliTest, deleting_needs_a_yes) {
    set_up();
    broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, application("blog"), {}};
    broker.answers["DELETE /application/0123456789abcdef01234567"] = {200, nullptr, {}};
    EXPECT_EQ(run({"app", "delete", "blog"}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("--confirm"));
    EXPECT_EQ(run({"app", "delete", "blog"}, "no\n", true), exit_status::error);
    EXPECT_EQ(broker.last("DELETE", "/application/"), nullptr);
    EXPECT_EQ(run({"app", "delete", "blog"}, "yes\n", true), 0) << err;
    EXPECT_NE(broker.last("DELETE", "/application/"), nullptr);
}

TEST_F(CliTest, clones_with_an_ssh_command_that_later_pushes_use) {
    Config config;
    config.ssh_key = "/keys/it's";
    set_up(config);
    broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, application("blog"), {}};
    EXPECT_EQ(run({"git-clone", "blog", "here"}), 0) << err;
    ASSERT_EQ(executed.size(), 6u);
    EXPECT_THAT(executed[3], HasSubstr("core.sshCommand=ssh '-p' '8022' '-i' '/keys/it'\\''s'"));
    EXPECT_EQ(executed[4], "ssh://0123456789abcdef01234567@localhost:8022/~/git/blog.git/");
    EXPECT_EQ(executed[5], "here");
}

TEST_F(CliTest, tails_through_ssh_without_a_shell) {
    set_up();
    broker.answers["GET /domain/demo/application/blog?include=cartridges"] = {200, application("blog"), {}};
    EXPECT_EQ(run({"tail", "blog"}), 0) << err;
    EXPECT_EQ(executed.front(), "ssh");
    EXPECT_EQ(executed.back(), "tail */log*/*");
    EXPECT_EQ(executed[executed.size() - 2], "0123456789abcdef01234567@localhost");
}

TEST_F(CliTest, logs_in_again_when_the_session_has_ended) {
    set_up();
    password = "secret";
    broker.answers["GET /user"] = {401, nullptr, {}};
    broker.answers["POST /user/authorizations"] = {201, {{"token", "t1"}}, {}};
    EXPECT_EQ(run({"account"}), exit_status::error);  // still refused, once
    EXPECT_EQ(store().find_token(), "t1");
}

TEST_F(CliTest, completion_knows_every_command) {
    for (const char* const shell : {"bash", "zsh", "fish"}) {
        EXPECT_EQ(run({"completion", shell}), 0);
        EXPECT_THAT(out, HasSubstr("quickstart"));
        EXPECT_THAT(out, HasSubstr("--from-code"));
    }
    EXPECT_EQ(run({"completion", "tcsh"}), exit_status::error);
}

}  // namespace
}  // namespace gearbox::cli
