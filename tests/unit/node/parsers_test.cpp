// What comes from cartridges, clients and HAProxy, as values.
#include "base/error.h"
#include "node/catalogue.h"
#include "node/connectors.h"
#include "node/deployer.h"
#include "node/local_agent.h"
#include "node/managed_files.h"
#include "node/router.h"
#include "node/script_output.h"
#include "node/session_command.h"

#include <gmock/gmock.h>
#include "node/service_watch.h"
#include "sys/listeners.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gearbox::test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

TEST(ScriptOutput, SortsTheProtocolsLines) {
    ScriptMessages messages;
    parse_script_output(
        "noise\nCLIENT_RESULT: it works\r\nCLIENT_MESSAGE:no space\nCLIENT_ERROR: bad\n"
        "CART_DATA: url=mysql://a=b\nCART_DATA: =x\nATTR: status=ALIVE\n CLIENT_RESULT: indented\n"
        "ENV_VAR_ADD: CI=on\nENV_VAR_ADD_UNIQUE: URL=http://a=b\nENV_VAR_ADD: 9=no\nENV_VAR_ADD: X\n"
        "CLIENT_RESULT: last line without end",
        messages);
    EXPECT_THAT(messages.results, ElementsAre("it works", "last line without end"));
    EXPECT_THAT(messages.messages, ElementsAre("no space"));
    EXPECT_THAT(messages.errors, ElementsAre("bad"));
    ASSERT_EQ(messages.cart_data.size(), 1u);
    EXPECT_EQ(messages.cart_data[0].name, "url");
    EXPECT_EQ(messages.cart_data[0].value, "mysql://a=b");
    ASSERT_EQ(messages.domain_variables.size(), 2u);
    EXPECT_EQ(messages.domain_variables[0].name.text(), "CI");
    EXPECT_FALSE(messages.domain_variables[0].is_unique);
    EXPECT_EQ(messages.domain_variables[1].value, "http://a=b");
    EXPECT_TRUE(messages.domain_variables[1].is_unique);
    EXPECT_EQ(failure_text(messages, "out", "err"), "bad");
    EXPECT_TRUE(messages.blames_user);
    ScriptMessages internal;
    parse_script_output("CLIENT_INTERNAL_ERROR: ours\n", internal);
    EXPECT_EQ(failure_text(internal, "out", "err"), "ours");
    EXPECT_FALSE(internal.blames_user);
    EXPECT_EQ(failure_text({}, "out\n", ""), "out");
    EXPECT_EQ(failure_text({}, "out\n", "err\n"), "err");
}

TEST(ScriptOutput, IsPlainForAPusher) {
    EXPECT_EQ(
        plain_output("a\nCLIENT_MESSAGE: b\nCLIENT_DEBUG: c\nCART_DATA: x=y\nENV_VAR_ADD: A=b\nd"),
        "a\nb\nd\n");
}

TEST(Connectors, FitByTheirTypes) {
    const auto cartridge = [](const std::string& name, std::vector<Connector> publishes, std::vector<Connector> subscribes) {
        RecordedCartridge out;
        out.name = name;
        out.full_name = name + "-1.0";
        out.publishes = std::move(publishes);
        out.subscribes = std::move(subscribes);
        return out;
    };
    GearRecord record;
    record.cartridges = {cartridge("web", {{"a", "STRING:a", false}}, {{"set-env", "ENV:*", false}, {"b", "STRING:b", false}}),
                         cartridge("db", {{"info", "ENV:db", false}, {"b", "STRING:b", false}}, {}),
                         cartridge("job", {}, {{"take", "STRING:a", true}, {"db", "ENV:db", false}})};
    const auto shown = [&](const std::string& name) {
        std::string out;
        for (const Connection& c : connections_of(record, name)) {
            out += str(c.publisher->name, ".", c.from->hook, c.is_required() ? "=>" : "->", c.subscriber->name, ".", c.to->hook, " ");
        }
        return out;
    };
    EXPECT_EQ(shown("web"), "web.a=>job.take db.info->web.set-env db.b->web.b ");
    EXPECT_EQ(shown("db"), "db.info->web.set-env db.b->web.b db.info->job.db ");
    EXPECT_EQ(shown("none"), "");
    record.cartridges[1].full_name = "acme-db-5.5";
    EXPECT_EQ(published_directory(record.cartridges[1]), ".env/acme-db");
}

TEST(Connectors, VariablesAreLinesWithAName) {
    using Pairs = std::map<std::string, std::string>;
    EXPECT_EQ(published_variables("A=1\nnothing\nB=x=y\n=z\nbad name=1\n../C=1\nA=2"), (Pairs{{"A", "2"}, {"B", "x=y"}}));
    EXPECT_EQ(published_variables(""), Pairs{});
}

TEST(ManagedFiles, StayInTheirPlace) {
    const ManagedFiles files = parse_managed_files(
        "locked_files:\n- env/OPENSHIFT_X_VERSION\n- env/OPENSHIFT_X_DIR\n- ../other\n- "
        "/etc/passwd\n- ~/.pearrc\n"
        "- ~/.ssh/authorized_keys\n- ~/.env/A\n- ~/git/x\n- ~/app-root/data/y\n- conf/*\n- run/\n- "
        "a/../../b\n"
        "- ~/../up\n- metadata/manifest.yml\n- {a: b}\nprocessed_templates: ~\n",
        "php");
    EXPECT_THAT(files.locked, ElementsAre("php/env/OPENSHIFT_X_VERSION", ".pearrc",
                                          "app-root/data/y", "php/conf/*", "php/run/"));
    EXPECT_THAT(files.templates, IsEmpty());
    EXPECT_THAT(parse_managed_files("- [", "php").locked, IsEmpty());
    EXPECT_THAT(parse_managed_files("", "php").locked, IsEmpty());
    EXPECT_THAT(parse_managed_files("restore_transforms: ['s,a,b,', 's|a/b|c|g;s|d|e|', 'flags=S;s,a,b,', s, saab, 's,a,b', \"s,a,b\\n,\", {a: b}]", "php").restore_transforms,
                ElementsAre("s,a,b,", "s|a/b|c|g;s|d|e|"));
    EXPECT_THAT(parse_managed_files(":locked_files:\n- a\n", "php").locked, ElementsAre("php/a"));
    EXPECT_TRUE(matches("php/conf/*", "php/conf/x"));
    EXPECT_FALSE(matches("php/conf/*", "php/conf/x/y"));
}

TEST(ManagedFiles, NameDirectoriesOfTheBuildsResults) {
    const ManagedFiles files = parse_managed_files(
        "dependency_dirs: [lib, {mods: modules/all}, ~/.cache, ../x, {y: ../../z}, ~/.ssh, 'a*', [b]]\n:build_dependency_dirs: [{~/.m2: m2}]\n", "php");
    const std::string place = "app-root/runtime/dependencies/php/";
    const std::vector<DependencyDirectory> expected = {{"php/lib", place + "lib"},
                                                       {"php/mods", place + "modules/all"},
                                                       {".cache", place + ".cache"},
                                                       {".m2", "app-root/runtime/build-dependencies/php/m2"}};
    EXPECT_EQ(files.dependencies, expected);
    EXPECT_THAT(parse_managed_files("dependency_dirs: ~\nbuild_dependency_dirs: lib\n", "php").dependencies, IsEmpty());
}

TEST(ManagedFiles, WildcardsMayBeAnywhere) {
    const auto list = [](const std::string& directory) -> std::vector<std::string> {
        const std::map<std::string, std::vector<std::string>> tree = {
            {".", {".arc", ".brc", ".env", ".ssh", "git", "php"}}, {"php", {"conf.d", "conf.x", "env"}},
            {"php/env", {"OPENSHIFT_PHP_DIR", "OPENSHIFT_PHP_IDENT", "OPENSHIFT_PHP_LEVEL"}}, {"php/conf.d", {".hidden", "a.ini"}}, {"php/conf.x", {"b.ini"}}};
        return tree.contains(directory) ? tree.at(directory) : std::vector<std::string>();
    };
    const auto means = [&](const std::string& pattern) { return expand(pattern, "php", list); };
    EXPECT_THAT(means("php/conf.?/*"), ElementsAre("php/conf.d/.hidden", "php/conf.d/a.ini", "php/conf.x/b.ini"));
    EXPECT_THAT(means("php/*/a.ini"), ElementsAre("php/conf.d/a.ini", "php/conf.x/a.ini", "php/env/a.ini"));
    EXPECT_THAT(means("php/conf.*/"), ElementsAre("php/conf.d/", "php/conf.x/"));
    EXPECT_THAT(means("php/run/"), ElementsAre("php/run/"));
    EXPECT_THAT(means("php/none/*"), IsEmpty());
    // Of what a wildcard would reach, not what may never be unlocked.
    EXPECT_THAT(means(".*"), ElementsAre(".arc", ".brc"));
    EXPECT_THAT(means(".s?h/authorized_keys"), IsEmpty());
    EXPECT_THAT(means("php/*/OPENSHIFT_*"), ElementsAre("php/env/OPENSHIFT_PHP_LEVEL"));
}

TEST(Catalogue, KnowsWhatIsInstalled) {
    const std::string status =
        "Package: one\nStatus: install ok installed\n\nPackage: two\n"
        "Status: deinstall ok config-files\nVersion: 1\n\nPackage: twofold\n"
        "Status: install ok installed\n";
    EXPECT_THAT(missing_packages({"one", "two", "twofold", "three"}, status),
                ElementsAre("two", "three"));
}

TEST(Router, PlansTheFewestChanges) {
    const Routes is = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    const Routes wanted = {{"a", "1"}, {"b", "9"}, {"d", "4"}};
    EXPECT_THAT(plan_route_changes(is, wanted, "/m"),
                ElementsAre("set map /m b 9", "add map /m d 4", "del map /m c"));
    EXPECT_THAT(plan_route_changes(wanted, wanted, "/m"), IsEmpty());
    EXPECT_THAT(describe_differences(wanted, wanted), IsEmpty());
    EXPECT_EQ(describe_differences({{"a", "1"}, {"x", "2"}}, {{"a", "3"}, {"b", "4"}}),
              (std::vector<std::string>{"the router sends 'a' to 1 instead of 3",
                                        "the router does not know 'b'",
                                        "the router knows 'x', which leads to no application"}));
    EXPECT_EQ(parse_shown_map("0x55d a 1\n0x55e b 2\n\nnonsense\n"),
              (Routes{{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(
        routes_text({{"x.localhost/", "100.64.0.1:38031"}}),
        "# Written by gearboxd: host name and path, what is behind them.\nx.localhost/ 100.64.0.1:38031\n");
}

TEST(AuthorizedKey, GivesNothingButTheSession) {
    EXPECT_EQ(authorized_key_line(GearId("5f0000000000000000000101"), 1001,
                                  {"ssh-ed25519", "AAAA", "laptop", "demo"}),
              "restrict,pty,port-forwarding,permitlisten=\"127.0.0.1:1\","
              "permitopen=\"100.64.7.211:38036\",permitopen=\"100.64.7.211:38037\","
              "permitopen=\"100.64.7.211:38038\",permitopen=\"100.64.7.211:38039\","
              "permitopen=\"100.64.7.211:38040\",command=\"login ZGVtbw==\" ssh-ed25519 AAAA "
              "OPENSHIFT-5f0000000000000000000101-laptop\n");
}

TEST(RefUpdates, AreTakenOnlyWhenWhole) {
    const std::string a(40, 'a');
    const std::string b(40, 'b');
    const auto updates = parse_ref_updates(a + " " + b + " refs/heads/dev/x\n" + a +
                                           " x refs/heads/y\n" + a + " " + b + " HEAD\nshort\n");
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].ref, "refs/heads/dev/x");
    EXPECT_EQ(updates[0].new_id, b);
}

class SessionCommandTest : public ::testing::Test {
protected:
    SessionCommandTest() {
        spec.application_name = *ApplicationName::parse("shop");
        spec.id = GearId("5f0000000000000000000101");
    }
    SessionCommand parse(const std::string& text) const {
        return parse_session_command(text, spec, home);
    }
    GearSpec spec;
    const std::string home = "/var/lib/openshift/5f0000000000000000000101";
};

TEST_F(SessionCommandTest, FindsTheRepositoryUnderEveryName) {
    for (const char* path : {"git/shop.git", "~/git/shop.git/", "/~/git/shop.git",
                             "/var/lib/openshift/5f0000000000000000000101/git/shop.git/"}) {
        const SessionCommand push = parse(str("git-receive-pack '", path, "'"));
        EXPECT_EQ(push.kind, SessionCommand::Kind::receive_pack);
        EXPECT_THAT(push.argv, ElementsAre("/usr/bin/git-receive-pack", home + "/git/shop.git"));
        EXPECT_EQ(parse(str("git upload-pack '", path, "'")).kind,
                  SessionCommand::Kind::upload_pack);
    }
}

TEST_F(SessionCommandTest, RefusesOtherRepositoriesAndOtherWords) {
    for (const char* text :
         {"git-receive-pack '/etc'", "git-receive-pack 'git/other.git'",
          "git-receive-pack '../x/git/shop.git'", "git-upload-pack 'git/shop.git/../x'",
          "git-receive-pack git/shop.git", "git-receive-pack 'git/shop.git' x",
          "git-receive-pack 'git/shop.git'; id #'", "git-receive-pack", "git-receive-pack ''",
          "git-receive-pack '$(id)'", "git-receive-pack-x 'git/shop.git'", "tail /etc/passwd",
          "tail ../x", "tail $(id)", "tail -n 4"}) {
        EXPECT_THROW(parse(text), Error) << text;
    }
}

TEST_F(SessionCommandTest, TailsRelativeNames) {
    const SessionCommand tail = parse("tail --opts LW4gNQ== app-root/logs/* */log*/*");
    EXPECT_EQ(tail.argv[4], "-n 5");
    EXPECT_EQ(tail.argv[5], "app-root/logs/*");
    EXPECT_EQ(parse("tail").argv.size(), 7u);
}

TEST_F(SessionCommandTest, LeavesTheRestToTheShellInTheGear) {
    EXPECT_THAT(parse("echo 'a b' | wc").argv, ElementsAre("/bin/bash", "-c", "echo 'a b' | wc"));
    EXPECT_THAT(parse("rhcsh echo 'a b' | wc").argv, ElementsAre("/bin/bash", "-c", "echo 'a b' | wc"));
    EXPECT_THAT(parse("binary-deploy --hot-deploy").argv, ElementsAre("/bin/bash", "-c", "oo-binary-deploy --hot-deploy"));
    EXPECT_EQ(parse("").kind, SessionCommand::Kind::shell);
    EXPECT_EQ(parse("rhcsh").kind, SessionCommand::Kind::shell);
    EXPECT_EQ(parse_session_command(std::nullopt, spec, home).kind, SessionCommand::Kind::shell);
}

TEST(Listeners, AreThoseOfTheKernelsTable) {
    const std::string text =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 81F4017F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n"
        "   1: 81F4017F:1F90 81F4017F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 2 1\n"
        "   2: 00000000000000000000000000000000:0CEA 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 3\n"
        "garbage\n";
    EXPECT_EQ(sys::parse_listeners(text),
              (std::set<std::pair<std::string, int>>{{"127.1.244.129", 8080}, {"0.0.0.0", 3306}}));
    EXPECT_TRUE(sys::parse_listeners("").empty());
}

TEST(Listeners, AreFoundAmongOthers) {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 5);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const std::pair<std::string, int> wanted("127.0.0.6", ntohs(address.sin_port));
    EXPECT_FALSE(sys::is_listened_on(::getpid(), {wanted}));
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    EXPECT_TRUE(sys::is_listened_on(::getpid(), {{"0.0.0.0", 1}, wanted}));
    EXPECT_FALSE(sys::is_listened_on(::getpid(), {{"127.0.0.7", wanted.second}}));
}

TEST(ServiceWatch, RestartsWhatWasThereEverMoreSlowly) {
    using Verdict = ServiceWatch::Verdict;
    ServiceWatch watch;
    std::int64_t now = 0;
    const auto look = [&](bool is_listening) { return watch.look(now += 5000, is_listening); };
    for (int i = 0; i < 9; ++i) {
        EXPECT_EQ(look(false), Verdict::fine) << "it never listened";
    }
    look(true);
    EXPECT_EQ(look(false), Verdict::fine) << "it may be restarting";
    std::vector<std::int64_t> tried;
    for (auto verdict = look(false); verdict != Verdict::give_up; verdict = look(false)) {
        if (verdict == Verdict::restart) {
            tried.push_back(now);
        }
        ASSERT_LT(now, 1'000'000);
    }
    ASSERT_EQ(tried.size(), 5u);
    EXPECT_EQ(tried[1] - tried[0], 10'000);
    EXPECT_EQ(tried[4] - tried[3], 80'000);
    EXPECT_TRUE(watch.has_given_up());
    EXPECT_EQ(look(false), Verdict::fine) << "said once";
    look(true);
    EXPECT_FALSE(watch.has_given_up());
    EXPECT_EQ(watch.restarts(), 5);
}

TEST(ServiceWatch, ForgetsFailuresOfAServiceThatHolds) {
    using Verdict = ServiceWatch::Verdict;
    ServiceWatch watch;
    std::int64_t now = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 14; ++i) {
            watch.look(now += 5000, true);
        }
        watch.look(now += 5000, false);
        EXPECT_EQ(watch.look(now += 5000, false), Verdict::restart) << round;
    }
}

}  // namespace

}  // namespace gearbox::test
