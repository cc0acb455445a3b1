#include "support/broker_fixture.h"

#include <fstream>

#include <thread>

namespace gearbox::test {
namespace {

TEST(Domains, FollowTheRules) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Principal other = t.user("other");
    DomainService& domains = t.broker->domains;
    EXPECT_EQ(domains.create(demo, {"Acme", {}}).name.text(), "acme");
    const struct {
        const char* name;
        const char* problem;
    } rows[] = {
        {"", "invalid 106/name"},
        {"with-hyphen", "invalid 106/name"},
        {"seventeenletters1", "invalid 106/name"},
        {"a b", "invalid 106/name"},
        {"ümlaut", "invalid 106/name"},
        {"Gearbox", "forbidden 106/name"},
        {"acme", "invalid 103/id"},
        {"ACME", "invalid 103/id"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(problems_of([&] { domains.create(other, {row.name, {}}); }), row.problem)
            << row.name;
    }
    EXPECT_EQ(problems_of([&] { domains.create(demo, {"sized", {{"huge"}}}); }),
              "invalid 110/allowed_gear_sizes");
    domains.create(demo, {"two", {}});
    domains.create(demo, {"three", {}});
    EXPECT_EQ(problems_of([&] { domains.create(demo, {"four", {}}); }), "conflict 103/");
    EXPECT_EQ(problems_of([&] { domains.domain(other, "acme"); }), "not_found 127/");
}

TEST(Domains, AreRenamedOnlyWhenEmpty) {
    TestBroker t;
    const Principal demo = t.user("demo");
    DomainService& domains = t.broker->domains;
    domains.create(demo, {"one", {}});
    EXPECT_EQ(domains.update(demo, "one", {"uno", {}}).name.text(), "uno");
    EXPECT_EQ(problems_of([&] { domains.update(demo, "uno", {"uno", {}}); }), "invalid 133/");
    EXPECT_EQ(problems_of([&] { domains.update(demo, "uno", {}); }), "invalid 133/");
    EXPECT_EQ(problems_of([&] { domains.update(demo, "uno", {"", {}}); }), "invalid 106/name");
    EXPECT_EQ(problems_of([&] { domains.update(demo, "gone", {"x", {}}); }), "not_found 127/");
    t.create(demo, "uno", "shop");
    EXPECT_EQ(problems_of([&] { domains.update(demo, "uno", {"due", {}}); }), "invalid 128/");
    EXPECT_TRUE(domains.update(demo, "uno", {{}, std::vector<std::string>{}}).gear_sizes.empty());
    EXPECT_EQ(problems_of([&] { t.create(demo, "uno", "second"); }), "invalid 134/gear_size");
}

TEST(Domains, AreDeletedWithTheirApplicationsByForce) {
    TestBroker t;
    const Principal demo = t.user("demo");
    t.create(demo, "acme", "one");
    t.create(demo, "acme", "two");
    EXPECT_EQ(problems_of([&] { t.broker->domains.remove(demo, "acme", false); }), "invalid 128/");
    EXPECT_EQ(t.agent.all().size(), 2u);
    t.broker->domains.remove(demo, "acme", true);
    EXPECT_TRUE(t.agent.all().empty());
    EXPECT_TRUE(t.broker->domains.list(demo).empty());
}

TEST(Keys, FollowTheRules) {
    TestBroker t;
    const Principal demo = t.user("demo");
    KeyService& keys = t.broker->keys;
    keys.add(demo, "default", "ssh-rsa", "XYZ123567");
    const std::string before = t.store.dump();
    const struct {
        const char* name;
        const char* type;
        const char* content;
        const char* problem;
    } rows[] = {
        {"", "ssh-rsa", "AAAA", "invalid 117/name"},
        {".hidden", "ssh-rsa", "AAAA", "invalid 117/name"},
        {"a b", "ssh-rsa", "AAAA", "invalid 117/name"},
        {"key.json", "ssh-rsa", "AAAA", "invalid 117/name"},
        {"new\nline", "ssh-rsa", "AAAA", "invalid 117/name"},
        {"k", "", "AAAA", "invalid 116/type"},
        {"k", "ssh-foo", "AAAA", "invalid 116/type"},
        {"k", "ssh-rsa", "", "invalid 108/content"},
        {"k", "ssh-rsa", "AAAA comment", "invalid 108/content"},
        {"k", "ssh-rsa", "AAAA\nssh-rsa BBBB", "invalid 108/content"},
        {"", "", "", "invalid 117/name 116/type 108/content"},
        {"default", "ssh-rsa", "AAAA", "conflict 120/name"},
        {"second", "ssh-rsa", "XYZ123567", "conflict 121/content"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(problems_of([&] { keys.add(demo, row.name, row.type, row.content); }), row.problem)
            << row.name << "|" << row.type << "|" << row.content;
    }
    EXPECT_EQ(t.store.dump(), before);
    for (const char* type : {"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-dss"}) {
        EXPECT_EQ(problems_of([&] { keys.add(demo, type, type, str("AA", type[4])); }), "");
    }
    EXPECT_EQ(problems_of([&] { keys.remove(demo, "nosuch"); }), "not_found 118/");
}

TEST(Keys, ReachEveryGearOfTheUserAndNoOther) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Principal other = t.user("other");
    const std::string one = t.create(demo, "acme", "one").application.id.text();
    const std::string two = t.create(other, "else", "two").application.id.text();
    t.broker->keys.add(demo, "laptop", "ssh-ed25519", "AAAA");
    ASSERT_EQ(t.agent.gear(one).keys.size(), 1u);
    EXPECT_EQ(t.agent.gear(one).keys[0].login, "demo");
    EXPECT_TRUE(t.agent.gear(two).keys.empty());
    t.broker->keys.update(demo, "laptop", "ssh-rsa", "BBBB");
    EXPECT_EQ(t.agent.gear(one).keys[0].content, "BBBB");
    const std::string three = t.create(demo, "acme", "three").application.id.text();
    EXPECT_EQ(t.agent.gear(three).keys.size(), 1u);
    t.broker->keys.remove(demo, "laptop");
    EXPECT_TRUE(t.agent.gear(one).keys.empty());
}

TEST(Keys, AFailingNodeLeavesThemAsTheyWere) {
    TestBroker t;
    const Principal demo = t.user("demo");
    t.create(demo, "acme", "one");
    const std::string before = t.store.dump();
    int calls = 0;
    t.agent.before = [&](const std::string&) {
        if (++calls == 1) {
            fail(ErrorKind::internal, "disk full");
        }
    };
    EXPECT_EQ(problems_of([&] { t.broker->keys.add(demo, "k", "ssh-rsa", "AAAA"); }),
              "internal: disk full");
    EXPECT_EQ(t.store.dump(), before);
}

CreateApplication request_for(const std::string& name, const std::vector<CartridgeWish>& wishes) {
    CreateApplication request;
    request.name = name;
    request.cartridges = wishes;
    return request;
}

TEST(Applications, FollowTheRulesOfCreation) {
    TestBroker t;
    const Principal demo = t.user("demo");
    t.create(demo, "acme", "taken");
    const std::string before = t.store.dump();
    const CartridgeWish php{"php-8.4", "", "", std::nullopt};
    const CartridgeWish mysql{"mysql", "", "", std::nullopt};
    struct Row {
        const char* problem;
        std::function<void(CreateApplication&)> spoil;
    };
    const std::vector<Row> rows = {
        {"invalid 105/name", [](auto& r) { r.name = ""; }},
        {"invalid 105/name", [](auto& r) { r.name = "bad_name"; }},
        {"invalid 105/name", [](auto& r) { r.name = std::string(33, 'a'); }},
        {"invalid 105/name", [](auto& r) { r.name = "../../etc"; }},
        {"invalid 105/name", [](auto& r) { r.name = std::string("a\0b", 3); }},
        {"forbidden 105/name", [](auto& r) { r.name = "OpenShift"; }},
        {"invalid 100/name", [](auto& r) { r.name = "Taken"; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges.clear(); }},
        {"invalid 109/cartridge", [&](auto& r) { r.cartridges = {mysql}; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges[0].name = "nosuch-1"; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges[0].name = "../php"; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges[0].name = ""; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges[0].url = "http://x/m.yml"; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges = {{"", "file:///etc/passwd", "", std::nullopt}}; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges = {{"", "http://nobody/", "", std::nullopt}}; }},
        {"invalid 109/cartridge", [](auto& r) { r.cartridges = std::vector(6, CartridgeWish{"", "http://x/", "", std::nullopt}); }},
        {"invalid 109/cartridge 109/cartridge", [&](auto& r) { r.cartridges.push_back(php); }},
        {"invalid 109/cartridge",
         [&](auto& r) { r.cartridges.push_back({"python-3.13", "", "", std::nullopt}); }},
        {"invalid 109/cartridges",
         [&](auto& r) { r.cartridges.push_back({"phpmyadmin-5.2", "", "", std::nullopt}); }},
        {"invalid 134/gear_size", [](auto& r) { r.gear_size = "large"; }},
        {"invalid 134/gear_size", [](auto& r) { r.cartridges[0].gear_size = "large"; }},
        {"invalid 164/additional_storage", [](auto& r) { r.cartridges[0].additional_storage = 1; }},
        {"invalid 1/scale", [](auto& r) { r.scale = true; }},
        {"invalid 1/ha", [](auto& r) { r.ha = true; }},
        {"invalid 1/region", [](auto& r) { r.region = "eu"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_url = "gopher://x/y"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_url = "file:///etc"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_url = "-oProxyCommand=x"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_url = "ext::sh -c x"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_url = "https://h/a b"; }},
        {"invalid 216/initial_git_url", [](auto& r) { r.initial_git_branch = "main"; }},
        {"invalid 188/environment_variables", [](auto& r) { r.variables = {{"1A", "x"}}; }},
        {"invalid 188/environment_variables", [](auto& r) { r.variables = {{"A-B", "x"}}; }},
        {"invalid 188/environment_variables", [](auto& r) { r.variables = {{"PATH", "x"}}; }},
        {"invalid 188/environment_variables",
         [](auto& r) { r.variables = {{"A", "x"}, {"A", "y"}}; }},
        {"invalid 190/environment_variables",
         [](auto& r) { r.variables = {{"A", std::string(513, 'x')}}; }},
        {"invalid 190/environment_variables",
         [](auto& r) { r.variables = {{"A", std::string("x\0y", 3)}}; }},
        {"invalid 186/environment_variables",
         [](auto& r) {
             for (int i = 0; i < 51; ++i) {
                 r.variables.push_back({str("V", i), ""});
             }
         }},
        {"invalid 216/initial_git_url 105/name 109/cartridge",
         [](auto& r) {
             r.name = "no spaces";
             r.initial_git_url = "nonsense";
             r.cartridges[0].name = "nosuch-1";
         }},
    };
    for (const Row& row : rows) {
        CreateApplication request = request_for("shop", {php});
        row.spoil(request);
        EXPECT_EQ(problems_of([&] {
                      t.broker->applications.create(demo, "acme", request, t.broker->domains);
                  }),
                  row.problem)
            << request.name << " " << request.initial_git_url;
    }
    EXPECT_EQ(t.store.dump(), before);
    EXPECT_EQ(t.agent.all().size(), 1u);
}

TEST(Applications, AreCreatedInTheOrderOfTheirNeeds) {
    TestBroker t;
    const Principal demo = t.user("demo");
    t.create(demo, "acme", "shop", {"phpmyadmin-5.2", "mysql", "php"});
    EXPECT_THAT(t.agent.calls(),
                testing::ElementsAre("create_gear", "add_cartridge php", "add_cartridge mysql",
                                     "add_cartridge phpmyadmin", "create_repository",
                                     "deploy_initially", "post_install php-8.4", "post_install mysql-8.0",
                                     "post_install phpmyadmin-5.2", "publish_routes", "set_authorized_keys"));
}

// What a cartridge says when the application is there counts beside what it said before.
TEST(Applications, KeepWhatTheirCartridgesSayInTheEnd) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const std::vector<CartridgeProperty> expected = {{"username", "admin"}, {"connection_url", "mysql://127.0.0.1:3307/"}};
    const Created shop = t.create(demo, "acme", "shop", {"php", "mysql"});
    EXPECT_EQ(shop.application.cartridges.back().properties, expected);
    EXPECT_THAT(shop.output.messages.at(1).results, testing::ElementsAre("MySQL database added", "   Root User: admin", "Ready"));
    const Created blog = t.create(demo, "acme", "blog");
    const Created added = t.broker->applications.add_cartridge(demo, blog.application, {"mysql", "", "", {}}, {});
    EXPECT_EQ(added.application.cartridges.back().properties, expected);
    EXPECT_THAT(added.output.messages.at(0).results,
                testing::ElementsAre("MySQL database added", "   Root User: admin", "mysql is running", "Ready"));
    EXPECT_THAT(t.agent.calls(), testing::Contains("post_install mysql-8.0").Times(2));
}

TEST(Applications, AreBusyWhileAnotherOperationRunsForTooLong) {
    TestBroker t;
    t.settings.broker.lock_wait_seconds = 1;
    const Principal demo = t.user("demo");
    const Application shop = t.create(demo, "acme", "shop").application;
    const auto push = t.application_locks.lock(shop.id.text());
    EXPECT_EQ(problems_of([&] { t.broker->applications.run_event(demo, shop, GearEvent::stop); }),
              "unavailable 1/");
    EXPECT_EQ(problems_of([&] { t.broker->applications.remove(demo, shop); }), "unavailable 1/");
    EXPECT_TRUE(t.store.find_application(shop.id.text()));
    // Who may log in waits for nobody.
    t.broker->keys.add(demo, "laptop", "ssh-rsa", "AAAA");
    EXPECT_EQ(t.agent.gear(shop.id.text()).keys.size(), 1u);
    t.broker->keys.remove(demo, "laptop");
    EXPECT_EQ(t.agent.gear(shop.id.text()).keys.size(), 0u);
}

TEST(Applications, GetKeysThatCameWhileTheyWereMade) {
    TestBroker t;
    const Principal demo = t.user("demo");
    t.agent.before = [&](const std::string& call) {
        if (call == "deploy_initially") {
            t.agent.before = {};
            t.broker->keys.add(demo, "laptop", "ssh-rsa", "AAAA");
        }
    };
    const Application shop = t.create(demo, "acme", "shop").application;
    EXPECT_EQ(t.agent.gear(shop.id.text()).keys.size(), 1u);
}

TEST(Applications, ShortNamesMeanTheNewestVersion) {
    TestBroker t;
    const Principal demo = t.user("demo");
    EXPECT_EQ(t.create(demo, "acme", "one", {"php"}).application.cartridges[0].name.text(),
              "php-8.4");
    EXPECT_EQ(t.create(demo, "acme", "two", {"php-8.2"}).application.cartridges[0].name.text(),
              "php-8.2");
    t.agent.catalogue[4].provides = {"web"};
    t.agent.catalogue[2].provides = {"web"};
    t.restart();
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "three", {"web"}); }),
              "invalid 197/cartridge");
}

TEST(Applications, AMissingDomainIsMadeUnlessTheRequestIsBad) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Principal other = t.user("other");
    EXPECT_EQ(problems_of([&] { t.create(demo, "fresh", "bad name"); }), "invalid 105/name");
    EXPECT_TRUE(t.broker->domains.list(demo).empty());
    EXPECT_EQ(problems_of([&] { t.create(demo, "not valid", "shop"); }), "invalid 106/name");
    t.agent.before = [](const std::string& call) {
        if (call == "create_repository") {
            fail(ErrorKind::invalid, "nothing there to clone");
        }
    };
    EXPECT_EQ(problems_of([&] { t.create(demo, "fresh", "shop"); }), "invalid 216/initial_git_url");
    EXPECT_TRUE(t.broker->domains.list(demo).empty());
    t.agent.before = {};
    t.create(demo, "fresh", "shop");
    EXPECT_EQ(t.broker->domains.list(demo).size(), 1u);
    EXPECT_EQ(problems_of([&] { t.create(other, "fresh", "shop"); }), "not_found 127/");
}

TEST(Applications, BelongToTheirOwner) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Principal other = t.user("other");
    const Application shop = t.create(demo, "acme", "shop").application;
    EXPECT_EQ(problems_of([&] { t.broker->applications.application(other, shop.id.text()); }),
              "not_found 101/");
    EXPECT_EQ(problems_of([&] { t.broker->applications.application(demo, "../" ); }),
              "not_found 101/");
}

TEST(Applications, TheirRoutesAreBothNames) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Application shop = t.create(demo, "acme", "shop").application;
    EXPECT_THAT(t.agent.gear(shop.id.text()).hosts,
                testing::ElementsAre("shop-acme.gearbox.localhost", "shop-acme.localhost"));
}

TEST(Applications, VariablesChangeAllOrNothing) {
    TestBroker t;
    const Principal demo = t.user("demo");
    Application shop = t.create(demo, "acme", "shop").application;
    ApplicationService& applications = t.broker->applications;
    shop = applications.change_variables(demo, shop, {{"A", "1"}, {"B", "two"}});
    shop = applications.change_variables(demo, shop, {{"A", std::nullopt}, {"B", "2"}, {"C", ""}});
    const std::vector<EnvironmentVariable> expected = {{"B", "2"}, {"C", ""}};
    EXPECT_EQ(shop.variables, expected);
    EXPECT_EQ(t.agent.gear(shop.id.text()).variables, expected);
    // Of the platform's the one that a user may bring.
    applications.change_variables(demo, shop, {{"OPENSHIFT_SECRET_TOKEN", "mine"}});
    EXPECT_EQ(problems_of([&] { applications.change_variables(demo, shop, {{"OPENSHIFT_APP_NAME", "mine"}}); }),
              "invalid 188/environment_variables");
    const std::string before = t.store.dump();
    EXPECT_EQ(problems_of([&] {
                  applications.change_variables(demo, shop, {{"D", "4"}, {"Z", std::nullopt}});
              }),
              "invalid 188/environment_variables");
    EXPECT_EQ(problems_of([&] { applications.change_variables(demo, shop, {{"D", "4"}, {"D", "5"}}); }),
              "invalid 188/environment_variables");
    EXPECT_EQ(t.store.dump(), before);
}

TEST(Applications, CartridgesComeAndGo) {
    TestBroker t;
    const Principal demo = t.user("demo");
    Application shop = t.create(demo, "acme", "shop").application;
    ApplicationService& applications = t.broker->applications;
    EXPECT_EQ(problems_of([&] { applications.add_cartridge(demo, shop, {"phpmyadmin", "", "", {}}, {}); }),
              "invalid 185/cartridge");
    shop = applications.add_cartridge(demo, shop, {"mysql", "", "", {}}, {}).application;
    EXPECT_EQ(shop.cartridges.back().name.text(), "mysql-8.0");
    EXPECT_EQ(shop.cartridges.back().properties.size(), 2u);
    EXPECT_EQ(problems_of([&] { applications.add_cartridge(demo, shop, {"mysql-8.0", "", "", {}}, {}); }),
              "invalid 136/");
    EXPECT_EQ(problems_of([&] { applications.add_cartridge(demo, shop, {"python", "", "", {}}, {}); }),
              "invalid 137/cartridge");
    EXPECT_EQ(problems_of([&] { applications.remove_cartridge(demo, shop, "php-8.4"); }),
              "invalid 137/");
    EXPECT_EQ(problems_of([&] { applications.remove_cartridge(demo, shop, "cron-1.4"); }),
              "not_found 129/");
    applications.remove_cartridge(demo, shop, "mysql-8.0");
    EXPECT_THAT(t.agent.gear(shop.id.text()).cartridges, testing::ElementsAre("php-8.4"));
}

TEST(Users, AreImportedOnceAndTheFileIsRemoved) {
    TestBroker t;
    const auto file = t.directory.path() / "initial-users.json";
    write_file_atomically(file, R"({"users":[{"login":"demo","password":"secret"}]})", 0600);
    t.broker->users.import(file);
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_TRUE(t.broker->users.authenticate("demo", "secret"));
    EXPECT_FALSE(t.broker->users.authenticate("demo", "wrong"));
    EXPECT_FALSE(t.broker->users.authenticate("nobody", "secret"));
    EXPECT_FALSE(t.broker->users.authenticate("demo", ""));
    t.broker->users.import(file);
}

TEST(Users, AreMadeOnFirstUseOnlyIfAllowed) {
    TestBroker t;
    EXPECT_FALSE(t.broker->users.authenticate("student", "first"));
    t.settings.broker.create_users = true;
    EXPECT_TRUE(t.broker->users.authenticate("student", "first"));
    EXPECT_FALSE(t.broker->users.authenticate("student", "second"));
    EXPECT_FALSE(t.broker->users.authenticate("bad login!", "x"));
}

TEST(Authorizations, AreReusedAndExpire) {
    TestBroker t;
    const Principal demo = t.user("demo");
    AuthorizationService& tokens = t.broker->authorizations;
    const AuthorizationRequest session{"session", "rhc", std::nullopt, true};
    const Authorization first = tokens.add(demo, session);
    const Authorization second = tokens.add(demo, session);
    EXPECT_FALSE(first.is_reused);
    EXPECT_TRUE(second.is_reused);
    EXPECT_EQ(first.token, second.token);
    EXPECT_EQ(tokens.authenticate(first.token)->user.login.text(), "demo");
    EXPECT_FALSE(tokens.authenticate(first.record.id));
    EXPECT_FALSE(tokens.authenticate(""));
    t.clock.seconds += 24 * 3600;
    EXPECT_FALSE(tokens.authenticate(first.token));
    EXPECT_EQ(tokens.add(demo, {"read, userinfo", "", 60, false}).record.scopes, "read userinfo");
    EXPECT_EQ(problems_of([&] { tokens.add(demo, {"root", "", std::nullopt, false}); }),
              "invalid 1/scopes");
    tokens.remove(demo, "unknown");
    tokens.remove_all(demo, "");
    EXPECT_TRUE(tokens.list(demo).empty());
}

TEST(Quickstarts, AreReadFromTheirDirectories) {
    TestBroker t;
    const auto directory = t.directory.path() / "quickstarts" / "wordpress";
    std::filesystem::create_directories(directory);
    write_file_atomically(directory / "quickstart.toml",
                          "id = \"wordpress\"\nname = \"WordPress\"\nsummary = \"A blog\"\n"
                          "cartridges = [\"php\", \"mysql\"]\ntags = [\"php\", \"blog\"]\n"
                          "website = \"https://wordpress.org\"\n");
    std::filesystem::create_directories(t.directory.path() / "quickstarts" / "broken");
    write_file_atomically(t.directory.path() / "quickstarts" / "broken" / "quickstart.toml", "id = ");
    const auto list = t.broker->quickstarts.list();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].initial_git_url,
              str("file://", directory.native(), "/wordpress.git"));
    EXPECT_TRUE(parse_git_source(list[0].initial_git_url, t.settings.node.quickstart_dir));
    EXPECT_FALSE(t.broker->quickstarts.find("../wordpress"));
    EXPECT_EQ(list[0].unavailable, "");
}

TEST(Quickstarts, SayWhyTheyCannotBeDeployed) {
    TestBroker t;
    const auto directory = t.directory.path() / "quickstarts";
    const auto write = [&](const char* name, const char* text) {
        std::filesystem::create_directories(directory / name);
        write_file_atomically(directory / name / "quickstart.toml", text);
    };
    write("java", "cartridges = [\"php\", \"cobol\"]\npackages = [\"absent\"]\n");
    write("wiki", "cartridges = [\"php\"]\npackages = [\"absent\", \"there\", \"gone\"]\n");
    t.agent.absent_packages = {"absent", "gone"};
    EXPECT_EQ(t.broker->quickstarts.find("java")->unavailable, "the cartridge cobol is not on this node");
    EXPECT_EQ(t.broker->quickstarts.find("wiki")->unavailable,
              "the packages absent, gone are not installed on this node");
    t.agent.absent_packages = {};
    EXPECT_EQ(t.broker->quickstarts.find("wiki")->unavailable, "");
}

TEST(Applications, SeveralAtOnceMayMakeTheirDomain) {
    for (int round = 0; round < 20; ++round) {
        TestBroker t;
        const Principal who = t.user("ann");
        std::atomic<int> made = 0;
        std::vector<std::thread> threads;
        for (const char* name : {"one", "two", "three", "four"}) {
            threads.emplace_back([&, name] {
                EXPECT_EQ(problems_of([&] {
                              t.create(who, "fresh", name);
                              ++made;
                          }),
                          "");
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        ASSERT_EQ(made, 4);
    }
}

}  // namespace
}  // namespace gearbox::test
