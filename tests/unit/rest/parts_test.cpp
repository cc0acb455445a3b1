// Aliases, certificates, deployments, limits of cartridges and the rarer events, as clients see them.
#include "base/subprocess.h"
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

// A certificate for the name and its key, made as an operator would.
struct KeyPair {
    std::string certificate;
    std::string key;
    std::string locked_key;  ///< pass phrase "open sesame"
};

KeyPair make_key_pair(const std::string& days = "30", const std::string& type = "ec:P-256") {
    const TempDir directory("gearbox-certificate");
    const std::string key = directory.path() / "key";
    const std::string certificate = directory.path() / "certificate";
    const bool is_ec = type == "ec:P-256";
    run_tool_checked({"openssl", "req", "-x509", "-newkey", is_ec ? "ec" : type, "-pkeyopt",
                      is_ec ? "ec_paramgen_curve:P-256" : "rsa_keygen_pubexp:65537", "-nodes", "-days",
                      days, "-subj", "/CN=www.example.org", "-keyout", key, "-out", certificate});
    KeyPair out{read_file(certificate), read_file(key), ""};
    out.locked_key = run_tool_checked(
        {"openssl", "pkcs8", "-topk8", "-in", key, "-passout", "pass:open sesame"});
    return out;
}

struct PartsTest : testing::Test {
    PartsTest() : application("application/" + t.make_application("d1", "app1")) {}
    HttpReply post(const std::string& path, const Json& body) {
        return t.send("POST", application + path, body);
    }
    HttpReply put(const std::string& path, const Json& body) {
        return t.send("PUT", application + path, body);
    }
    void allow(const UserLimits& limits) { t.parts.broker->users.set_limits("demo", limits); }
    std::vector<std::string> hosts() { return t.parts.agent.all().begin()->second.hosts; }

    TestServer t;
    std::string application;
};

using Aliases = PartsTest;

TEST_F(Aliases, ComeAndGoWithTheirRoutes) {
    const HttpReply made = post("/aliases", {{"event", "add-alias"}, {"alias", "WWW.Example.org"}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.json()["type"], "alias");
    EXPECT_EQ(made.json()["data"]["id"], "www.example.org");
    EXPECT_EQ(made.json()["data"]["has_private_ssl_certificate"], false);
    EXPECT_EQ(made.json()["data"]["links"]["UPDATE"]["method"], "PUT");
    EXPECT_THAT(hosts(), testing::Contains("www.example.org"));
    EXPECT_EQ(post("/aliases", {{"id", "api.example.org"}}).status, 201);
    EXPECT_EQ(t.get(application).json()["data"]["aliases"].size(), 2u);
    EXPECT_EQ(t.get(application + "/aliases").json()["data"][0]["id"], "api.example.org");
    EXPECT_EQ(t.get("domain/d1/application/app1/alias/www.example.org").status, 200);
    const HttpReply gone = t.send("DELETE", application + "/alias/www.example.org", Json::object());
    EXPECT_EQ(gone.status, 200);
    EXPECT_TRUE(gone.json()["data"].is_null());
    EXPECT_THAT(hosts(), testing::Not(testing::Contains("www.example.org")));
    EXPECT_EQ(summary_of(t.get(application + "/alias/www.example.org")), "404 173/");
    EXPECT_EQ(summary_of(t.send("DELETE", application + "/alias/none.example.org", Json::object())),
              "404 173/");
    EXPECT_EQ(post("/events", {{"event", "add-alias"}, {"alias", "www.example.org"}}).status, 200);
    EXPECT_EQ(post("/events", {{"event", "remove-alias"}, {"alias", "www.example.org"}}).status, 200);
    EXPECT_EQ(summary_of(post("/events", {{"event", "add-alias"}})), "422 126/alias");
}

TEST_F(Aliases, AreRefusedWithTheReason) {
    post("/aliases", {{"id", "www.example.org"}});
    t.client.authorization = other_basic;
    const std::string other = "application/" + t.make_application("d2", "app2");
    EXPECT_EQ(summary_of(t.send("POST", other + "/aliases", {{"id", "www.example.org"}})), "422 140/id");
    t.client.authorization = demo_basic;
    const std::string before = t.parts.store.dump();
    const std::string long_name = std::string(250, 'a') + ".example.org";
    for (const char* bad : {"", "www", "1.2.3.4", "a..b", ".a.b", "a.b.", "-a.example.org", "a b.c",
                            "www.example.json", "x.yaml", "ä.example.org", "*.example.org", "a/b.c",
                            "app.gearbox.localhost", "gearbox.localhost", "x.localhost",
                            long_name.c_str()}) {
        EXPECT_EQ(summary_of(post("/aliases", {{"id", bad}})), "422 105/id") << bad;
    }
    EXPECT_EQ(summary_of(post("/aliases", {{"id", 7}})), "422 105/id");
    EXPECT_EQ(summary_of(post("/aliases", Json::object())), "422 105/id");
    EXPECT_EQ(t.parts.store.dump(), before);
}

TEST_F(Aliases, AFailingRouterLeavesNothing) {
    const std::string before = t.parts.store.dump();
    t.parts.agent.before = [](const std::string& call) {
        if (call == "publish_routes") {
            fail(ErrorKind::unavailable, "no router");
        }
    };
    EXPECT_EQ(post("/aliases", {{"id", "www.example.org"}}).status, 503);
    t.parts.agent.before = {};
    t.parts.restart();
    t.parts.broker->reconciler.repair();
    EXPECT_EQ(t.parts.store.dump(), before);
}

TEST_F(Aliases, ACertificateThatFailsLeavesNothing) {
    const KeyPair pair = make_key_pair();
    allow({.private_certificates = true});
    const std::string before = t.parts.store.dump();
    t.parts.agent.before = [](const std::string& call) {
        if (call == "set_certificate") {
            fail(ErrorKind::unavailable, "no router");
        }
    };
    const Json body = {{"id", "www.example.org"}, {"ssl_certificate", pair.certificate}, {"private_key", pair.key}};
    EXPECT_EQ(post("/aliases", body).status, 503);
    EXPECT_EQ(t.parts.store.dump(), before);
    t.parts.agent.before = {};
    EXPECT_EQ(post("/aliases", body).status, 201);
    EXPECT_EQ(t.parts.agent.certificates().size(), 1u);
}

TEST_F(Aliases, TakeCertificatesOfThoseWhoMay) {
    const KeyPair pair = make_key_pair();
    const Json body = {{"ssl_certificate", pair.certificate}, {"private_key", pair.key}, {"pass_phrase", nullptr}};
    post("/aliases", {{"id", "www.example.org"}});
    const std::string alias = "/alias/www.example.org";
    EXPECT_EQ(summary_of(put(alias, body)), "403 175/ssl_certificate");
    allow({.private_certificates = true});
    const HttpReply set = put(alias, body);
    ASSERT_EQ(set.status, 200) << set.body;
    EXPECT_EQ(set.json()["data"]["has_private_ssl_certificate"], true);
    EXPECT_EQ(set.json()["data"]["certificate_added_at"], "2023-11-14T22:13:20Z");
    const std::string kept = t.parts.agent.certificates().at("www.example.org");
    EXPECT_NE(kept.find(pair.certificate), std::string::npos);
    EXPECT_NE(kept.find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(t.parts.store.dump().find("PRIVATE"), std::string::npos) << "keys are not for the database";
    EXPECT_EQ(put(alias, {{"ssl_certificate", pair.certificate},
                          {"private_key", pair.locked_key},
                          {"pass_phrase", "open sesame"}}).status, 200);
    EXPECT_EQ(put(alias, Json::object()).json()["data"]["has_private_ssl_certificate"], false);
    EXPECT_TRUE(t.parts.agent.certificates().empty());
    EXPECT_EQ(post("/aliases", {{"id", "two.example.org"}, {"ssl_certificate", pair.certificate},
                                {"private_key", pair.key}}).json()["data"]["has_private_ssl_certificate"], true);
    EXPECT_EQ(t.send("DELETE", application, Json::object()).status, 200);
    EXPECT_TRUE(t.parts.agent.certificates().empty());
}

TEST_F(Aliases, RefuseCertificatesThatAreNone) {
    allow({.private_certificates = true});
    const KeyPair pair = make_key_pair();
    const KeyPair other = make_key_pair();
    const KeyPair weak = make_key_pair("30", "rsa:1024");
    post("/aliases", {{"id", "www.example.org"}});
    const std::string before = t.parts.store.dump();
    const struct {
        Json body;
        const char* summary;
    } table[] = {
        {{{"ssl_certificate", "nonsense"}, {"private_key", pair.key}}, "422 174/ssl_certificate"},
        {{{"ssl_certificate", pair.certificate}, {"private_key", "nonsense"}}, "422 172/private_key"},
        {{{"ssl_certificate", pair.certificate}, {"private_key", other.key}}, "422 172/private_key"},
        {{{"ssl_certificate", pair.certificate}}, "422 172/private_key"},
        {{{"private_key", pair.key}}, "422 174/ssl_certificate"},
        {{{"ssl_certificate", weak.certificate}, {"private_key", weak.key}}, "422 172/private_key"},
        {{{"ssl_certificate", pair.certificate}, {"private_key", pair.locked_key}}, "422 172/private_key"},
        {{{"ssl_certificate", pair.certificate}, {"private_key", pair.locked_key}, {"pass_phrase", "no"}},
         "422 172/private_key"},
        {{{"ssl_certificate", 1}, {"private_key", Json::array()}}, "422 174/ssl_certificate 172/private_key"},
    };
    for (const auto& row : table) {
        EXPECT_EQ(summary_of(put("/alias/www.example.org", row.body)), row.summary) << to_text(row.body);
    }
    t.parts.clock.seconds = 4000000000;
    EXPECT_EQ(summary_of(put("/alias/www.example.org",
                             {{"ssl_certificate", pair.certificate}, {"private_key", pair.key}})),
              "422 174/ssl_certificate");
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_TRUE(t.parts.agent.certificates().empty());
}

using Deployments = PartsTest;

TEST_F(Deployments, AreMadeWithoutAPush) {
    const HttpReply made = post("/deployments", {{"ref", "feature/x"}, {"hot_deploy", "true"}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.json()["type"], "deployment");
    EXPECT_EQ(made.json()["data"]["id"], "0123abcd");
    EXPECT_TRUE(made.json()["data"]["activations"].is_array());
    EXPECT_THAT(t.parts.agent.calls(), testing::Contains("deploy feature/x"));
    for (const char* bad : {"a..b", "-x", "a b", "a~1", "a:b", "/a", "a.lock"}) {
        EXPECT_EQ(summary_of(post("/deployments", {{"ref", bad}})), "422 -1/ref") << bad;
    }
    for (const char* bad : {"http://x/y.tar.gz", "git://x/y", "file:///etc/passwd", "http://127.0.0.1/x", "http://x/$('reboot')", "http://me:pw@x/y"}) {
        const HttpReply refused = post("/deployments", {{"artifact_url", bad}});
        EXPECT_EQ(summary_of(refused), "422 -1/artifact_url") << bad;
        EXPECT_EQ(refused.body.find("pw@"), std::string::npos);
    }
    EXPECT_TRUE(t.parts.sessions.log.empty());
    ASSERT_EQ(t.send("PUT", application, {{"deployment_type", "binary"}}).status, 200);
    EXPECT_EQ(summary_of(post("/deployments", {{"artifact_url", "http://x/y.tar.gz"}, {"ref", "main"}})), "422 -1/artifact_url");
    EXPECT_EQ(post("/deployments", {{"artifact_url", "http://x/y.tar.gz"}, {"hot_deploy", true}}).status, 201);
    EXPECT_THAT(t.parts.sessions.log.front(), testing::EndsWith(" demo oo-binary-deploy --url 'http://x/y.tar.gz' --hot-deploy"));
    t.parts.sessions.acts["oo-binary-deploy --url 'http://x/z'"] = {"", "'http://x/z' cannot be fetched", 1, 0};
    EXPECT_THAT(post("/deployments", {{"artifact_url", "http://x/z"}}).body, testing::HasSubstr("'http://x/z' cannot be fetched"));
    EXPECT_EQ(summary_of(post("/deployments", {{"deployments", Json::array()}})), "422 -1/deployments");
    EXPECT_EQ(summary_of(post("/deployments", {{"hot_deploy", "perhaps"}})), "422 167/hot_deploy");
    EXPECT_EQ(t.get(application + "/deployments/0123abcd").status, 200);
    EXPECT_EQ(t.get(application + "/deployment/ffffffff").status, 404);
}

TEST_F(Deployments, AreActivatedByEvent) {
    EXPECT_EQ(post("/events", {{"event", "activate"}, {"deployment_id", "0123abcd"}}).status, 200);
    EXPECT_EQ(summary_of(post("/events", {{"event", "activate"}})), "422 126/deployment_id");
    EXPECT_EQ(post("/events", {{"event", "activate"}, {"deployment_id", "ffffffff"}}).status, 404);
}

using Cartridges = PartsTest;

TEST_F(Cartridges, KeepTheLimitsOfAnUnscaledApplication) {
    const std::string php = "/cartridge/php-8.4";
    EXPECT_EQ(put(php, {{"scales_from", 1}, {"scales_to", -1}}).status, 200);
    EXPECT_EQ(put(php, {{"scales_to", 1}}).json()["type"], "cartridge");
    EXPECT_EQ(summary_of(put(php, {{"scales_from", 1}, {"scales_to", 3}})), "422 100/name");
    EXPECT_EQ(summary_of(put(php, {{"scales_from", 0}})), "422 168/scales_from");
    EXPECT_EQ(summary_of(put(php, {{"scales_from", 3}, {"scales_to", 2}})), "422 168/scales_to");
    EXPECT_EQ(summary_of(put(php, {{"scales_to", "many"}})), "422 168/scales_to");
    EXPECT_EQ(summary_of(put(php, Json::object())), "422 168/scales_from");
    EXPECT_EQ(summary_of(put("/cartridge/ruby-1.9", {{"scales_to", 1}})), "404 129/");
}

TEST_F(Cartridges, HaveAsMuchStorageAsTheOwnerMay) {
    const std::string php = "/cartridge/php-8.4";
    EXPECT_EQ(summary_of(put(php, {{"additional_gear_storage", 1}})), "422 164/additional_storage");
    allow({.max_storage = 5});
    EXPECT_EQ(put(php, {{"additional_gear_storage", 5}}).json()["data"]["additional_gear_storage"], 5);
    EXPECT_EQ(t.get(application + "/gear_groups").json()["data"][0]["additional_gear_storage"], 5);
    EXPECT_EQ(summary_of(put(php, {{"additional_gear_storage", 6}})), "422 166/additional_storage");
    EXPECT_EQ(summary_of(put(php, {{"additional_gear_storage", "much"}})), "422 165/additional_gear_storage");
    EXPECT_EQ(put(php, {{"additional_gear_storage", 0}}).status, 200);
    const Json body = {{"name", "big"}, {"cartridges", {{{"name", "php-8.4"}, {"additional_gear_storage", 2}}}}};
    EXPECT_EQ(t.send("POST", "domain/d1/applications", body).status, 201);
    EXPECT_EQ(t.get("domain/d1/application/big?include=cartridges")
                  .json()["data"]["cartridges"][0]["additional_gear_storage"], 2);
}

TEST_F(Cartridges, TellWhereTheyListen) {
    const Json gear = t.get(application + "/gear_groups?include=endpoints").json()["data"][0]["gears"][0];
    EXPECT_EQ(gear["endpoints"][0]["internal_address"], "127.1.244.1");
    EXPECT_EQ(gear["endpoints"][0]["external_port"], 38031);
    EXPECT_EQ(gear["oom_kills"], 2);
    EXPECT_EQ(gear["service_restarts"], 1);
    EXPECT_EQ(gear["has_given_up"], true);
}

using Events = PartsTest;

TEST_F(Events, ThatOneHostCannotDoAreRefusedCleanly) {
    EXPECT_EQ(summary_of(post("/events", {{"event", "scale-up"}})), "422 null/");
    EXPECT_EQ(summary_of(post("/events", {{"event", "make-ha"}})), "422 1/event");
    EXPECT_EQ(summary_of(post("/events", {{"event", "thread-dump"}})), "422 180/");
    EXPECT_EQ(summary_of(post("/events", {{"event", "show-port"}})), "410 112/");
    EXPECT_EQ(summary_of(post("/events", {{"event", "Stop"}})), "422 126/event");
}

TEST_F(Events, HaveTheLinksThatClientsLookFor) {
    const Json links = t.get(application).json()["data"]["links"];
    for (const char* name : {"START", "STOP", "RESTART", "RELOAD", "TIDY", "THREAD_DUMP", "SCALE_UP", "SCALE_DOWN",
                             "ADD_CARTRIDGE", "LIST_CARTRIDGES", "GET_GEAR_GROUPS", "LIST_ENVIRONMENT_VARIABLES",
                             "SET_UNSET_ENVIRONMENT_VARIABLES", "LIST_DEPLOYMENTS", "DEPLOY", "UPDATE", "ADD_ALIAS",
                             "LIST_ALIASES", "DELETE", "ACTIVATE"}) {
        EXPECT_TRUE(links.contains(name)) << name;
    }
    EXPECT_FALSE(links.contains("MAKE_HA"));
}

TEST(Limits, AreTheOperatorsToSet) {
    TestServer t;
    UserService& users = t.parts.broker->users;
    users.set_limits("demo", {.max_domains = 1, .max_gears = 1, .max_teams = 2, .gear_sizes = {{"small"}}});
    const Json user = t.get("user").json()["data"];
    EXPECT_EQ(user["max_domains"], 1);
    EXPECT_EQ(user["max_teams"], 2);
    t.make_application("d1", "app1");
    EXPECT_EQ(summary_of(t.send("POST", "domains", {{"id", "d2"}})), "409 103/");
    EXPECT_EQ(summary_of(t.send("POST", "domain/d1/applications", {{"name", "two"}, {"cartridge", "php"}})),
              "422 104/");
    users.set_limits("demo", {.max_gears = 9, .gear_sizes = std::vector<std::string>()});
    EXPECT_EQ(summary_of(t.send("POST", "domain/d1/applications", {{"name", "two"}, {"cartridge", "php"}})),
              "403 134/gear_size");
    EXPECT_EQ(problems_of([&] { users.set_limits("demo", {.max_gears = -1, .gear_sizes = {{"huge"}}}); }),
              "invalid 107/max_gears 110/gear_sizes");
    EXPECT_EQ(problems_of([&] { users.set_limits("nobody", {}); }), "not_found 99/");
}

TEST_F(PartsTest, GearsHaveTheSizeThatIsAllowed) {
    t.parts.settings.more_sizes["large"] = t.parts.settings.gear;
    const auto create = [&](const std::string& name, const Json& more) {
        Json request = {{"name", name}, {"cartridges", {"php"}}};
        request.update(more);
        return t.send("POST", "domain/d1/applications", request);
    };
    EXPECT_EQ(create("no1", {{"gear_size", "large"}}).json()["messages"][0]["text"],
              "The gear size 'large' is not allowed. Allowed sizes: small");
    allow({.gear_sizes = {{"small", "large"}}});
    EXPECT_EQ(create("no2", {{"gear_size", "large"}}).status, 422) << "the domain does not allow it yet";
    EXPECT_EQ(t.send("PUT", "domain/d1", {{"allowed_gear_sizes", {"large", "huge"}}}).json()["messages"][0]["text"],
              "The gear size 'huge' is not valid. Valid sizes: small, large");
    EXPECT_EQ(t.send("PUT", "domain/d1", {{"allowed_gear_sizes", {"large", "small"}}}).status, 200);
    const HttpReply made = create("big", {{"gear_size", "large"}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.json()["data"]["gear_profile"], "large");
    const std::string id = made.json()["data"]["id"];
    EXPECT_EQ(t.get("application/" + id + "/gear_groups").json()["data"][0]["gear_profile"], "large");
    EXPECT_EQ(t.parts.agent.all().at(GearId(id)).spec.resources.size, "large");
    EXPECT_EQ(t.get("domain/d1?include=application_info").json()["data"]["gear_counts"],
              Json({{"small", 1}, {"large", 1}}));
    EXPECT_EQ(create("two", {{"cartridges", Json::array({{{"name", "php"}, {"gear_size", "large"}},
                                                         {{"name", "mysql"}, {"gear_size", "small"}}})}})
                  .status, 422);
    t.send("PUT", "domain/d1", {{"allowed_gear_sizes", {"large"}}});
    EXPECT_EQ(create("only", Json::object()).json()["data"]["gear_profile"], "large");
    const auto& [who, what] = std::pair(t.parts.broker->users.user("demo"), id);
    const Application application = t.parts.store.find_application(what)->value;
    t.parts.broker->applications.resize({who, "session", ""}, application, "small");
    EXPECT_EQ(t.parts.agent.all().at(GearId(id)).resources.size, "small");
    EXPECT_EQ(t.get("application/" + id).json()["data"]["gear_profile"], "small");
    EXPECT_THROW(t.parts.broker->applications.resize({who, "session", ""}, application, "huge"), Error);
}

TEST_F(PartsTest, GearsHaveTheDefaultSizeIfNoneIsAskedFor) {
    t.parts.settings.more_sizes["large"] = t.parts.settings.gear;
    t.parts.settings.broker.default_gear_size = "large";
    const auto create = [&](const std::string& name) {
        return t.send("POST", "domain/d1/applications", {{"name", name}, {"cartridges", {"php"}}}).json()["data"]["gear_profile"];
    };
    EXPECT_EQ(create("old"), "small") << "of a user from before";
    EXPECT_EQ(t.parts.broker->users.create("ann", "secret12").gear_sizes, (std::vector<std::string>{"small", "large"}));
    allow({.gear_sizes = {{"small", "large"}}});
    t.send("PUT", "domain/d1", {{"allowed_gear_sizes", {"small", "large"}}});
    EXPECT_EQ(create("new"), "large");
    const Json domain = t.get("domain/d1").json();
    for (const Json& field : domain["data"]["links"]["ADD_APPLICATION"]["optional_params"]) {
        if (field["name"] == "gear_size") {
            EXPECT_EQ(field["default_value"], "large");
        }
    }
}

TEST(Estimates, SayWhatAnApplicationWouldTake) {
    TestServer t;
    EXPECT_EQ(t.get("estimates").json()["data"]["links"]["GET_ESTIMATE"]["method"], "GET");
    const auto estimate = [&](const std::string& query) {
        return t.get("estimates/application" + query);
    };
    // The line ends as such, and as the two characters that some clients send.
    for (const char* end : {"%0A", "%5Cn"}) {
        const HttpReply reply = estimate(str("?descriptor=Name:%20app1", end, "Requires:", end,
                                             "-%20mysql", end, "-%20php", end));
        ASSERT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.json()["type"], "application_estimates");
        EXPECT_EQ(reply.json()["data"],
                  Json::parse(R"([{"components": [{"Name": "php-8.4"}, {"Name": "mysql-8.0"}],
                                   "gears": 1}])"));
    }
    const std::map<std::string, std::string> wrong = {
        {"", "Application 'descriptor' NOT specified"},
        {"?descriptor=%7B", "Invalid application descriptor."},
        {"?descriptor=text", "Invalid application descriptor."},
        {"?descriptor=Name:%20app1", "Application name or framework not found in the descriptor."},
    };
    for (const auto& [query, text] : wrong) {
        const HttpReply reply = estimate(query);
        EXPECT_EQ(reply.status, 422) << query;
        EXPECT_EQ(reply.json()["messages"][0]["text"], text);
        EXPECT_EQ(reply.json()["messages"][0]["exit_code"], 130);
    }
    EXPECT_EQ(estimate("?descriptor=Name:%20a%0ARequires:%0A-%20cobol-1").json()["messages"][0]["exit_code"],
              109);
    EXPECT_EQ(t.get("estimates/gear").status, 422);
}

}  // namespace
}  // namespace gearbox::test
