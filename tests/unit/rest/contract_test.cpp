// What the unmodified rhc needs of each reply (broker contract, 4 to 20), over a real socket.
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

TEST(Root, OffersEveryLinkThatRhcLooksFor) {
    TestServer t;
    t.client.authorization = "Basic bm90OnJpZ2h0";  // ignored on open resources
    const HttpReply reply = t.get("api");
    ASSERT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("content-type"), "application/json; charset=utf-8");
    const Json json = reply.json();
    EXPECT_EQ(json["status"], "ok");
    EXPECT_EQ(json["type"], "links");
    EXPECT_EQ(json["version"], "1.7");
    EXPECT_TRUE(json["api_version"].is_number());
    EXPECT_EQ(json["supported_api_versions"],
              Json({1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7}));
    EXPECT_NE(reply.body.find("[1.0,1.1,"), std::string::npos);
    for (const char* name :
         {"API", "GET_ENVIRONMENT", "GET_USER", "ADD_DOMAIN", "LIST_DOMAINS",
          "LIST_DOMAINS_BY_OWNER", "SHOW_DOMAIN", "SHOW_APPLICATION_BY_DOMAIN",
          "LIST_APPLICATIONS", "LIST_APPLICATIONS_BY_OWNER", "SHOW_APPLICATION", "LIST_CARTRIDGES",
          "LIST_AUTHORIZATIONS", "SHOW_AUTHORIZATION", "ADD_AUTHORIZATION", "LIST_TEAMS",
          "LIST_QUICKSTARTS"}) {
        ASSERT_TRUE(json["data"].contains(name)) << name;
        const Json& link = json["data"][name];
        EXPECT_EQ(link["href"].get<std::string>().rfind("https://broker.test:8443/broker/rest/", 0), 0u);
        EXPECT_TRUE(link["required_params"].is_array());
        EXPECT_TRUE(link["optional_params"].is_array());
    }
    // What one host does not offer is left out: rhc then says "not supported".
    EXPECT_FALSE(json["data"].contains("LIST_REGIONS"));
    const Json& scope = json["data"]["ADD_AUTHORIZATION"]["optional_params"][0];
    EXPECT_EQ(scope["name"], "scope");
    EXPECT_NE(scope["description"].get<std::string>().find("*  session\n"), std::string::npos);
}

TEST(Versions, AreNegotiated) {
    TestServer t;
    const auto with = [&](const std::string& headers) {
        return t.client.request("GET", "/broker/rest/api", "", "", headers);
    };
    EXPECT_EQ(with("Accept: application/json;version=1.3\r\n").json()["api_version"], 1.3);
    EXPECT_EQ(with("Accept: application/json;version=1.3\r\n").json()["version"], "1.3");
    EXPECT_EQ(with("Accept: */*\r\n").json()["api_version"], 1.7);
    const HttpReply refused = with("Accept: application/json;version=9.9\r\n");
    EXPECT_EQ(summary_of(refused), "406 1/");
    EXPECT_NE(refused.body.find("1.7"), std::string::npos);
    const Json without = with("Accept: application/json;nolinks\r\n").json();
    EXPECT_TRUE(without["data"].empty());
    EXPECT_FALSE(t.get("user?nolinks=true").json()["data"].contains("links"));
    EXPECT_TRUE(t.get("user").json()["data"].contains("links"));
}

TEST(Authentication, ChallengesAsRhcExpects) {
    TestServer t;
    t.client.authorization = "";
    for (const char* path : {"user", "domains", "applications", "user/keys",
                             "user/authorizations", "domain/d1", "application/x"}) {
        const HttpReply reply = t.get(path);
        EXPECT_EQ(reply.status, 401) << path;
        EXPECT_EQ(reply.headers.at("www-authenticate"), "Basic realm=\"Gearbox\"");
        EXPECT_EQ(reply.json()["status"], "unauthorized");
    }
    for (const char* path : {"api", "cartridges", "cartridge/php-8.4", "environment", "regions",
                             "quickstarts"}) {
        EXPECT_EQ(t.get(path).status, 200) << path;
    }
    for (const char* bad : {"Basic", "Basic !!!", "Basic ZGVtbw==", "Basic ZGVtbzp3cm9uZw==",
                            "Basic ZGVtbzo=", "Digest x", "basic", "\xff\xfe"}) {
        t.client.authorization = bad;
        EXPECT_EQ(t.get("user").status, 401) << bad;
    }
    t.client.authorization = "Basic ZGVtbzp3cm9uZw==";
    EXPECT_EQ(t.get("user").json()["messages"][0]["text"], "The login or password is not right");
    t.client.authorization = "Bearer 0000";
    const HttpReply reply = t.get("user");
    EXPECT_EQ(reply.status, 401);
    EXPECT_NE(reply.headers.at("www-authenticate").find("error=\"invalid_token\""), std::string::npos);
    // An unauthenticated twin of a POST has no effect.
    t.client.authorization = "";
    EXPECT_EQ(t.send("POST", "domains", {{"id", "d1"}}).status, 401);
    t.client.authorization = demo_basic;
    EXPECT_TRUE(t.get("domains").json()["data"].empty());
}

TEST(Authentication, SlowsDownWhoGuesses) {
    TestServer t;
    const auto guess = [&](const std::string& address) {
        return t.client.request("GET", "/broker/rest/user", "", "application/json",
                                "X-Forwarded-For: 1.2.3.4, " + address + "\r\n");
    };
    t.client.authorization = "Basic ZGVtbzp3cm9uZw==";
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(guess("10.0.0.7").status, 401);
    }
    const HttpReply slowed = guess("10.0.0.7");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(slowed.headers.at("retry-after"), "2");
    EXPECT_EQ(slowed.json()["status"], "too_many_requests");
    t.client.authorization = demo_basic;
    EXPECT_EQ(guess("10.0.0.7").status, 429) << "the right one counts as little now";
    EXPECT_EQ(guess("10.0.0.8").status, 200);
    t.parts.clock.seconds += 3;
    EXPECT_EQ(guess("10.0.0.7").status, 200);
}

TEST(Tokens, StandForTheirUserWithinTheirScope) {
    TestServer t;
    const Json body = {{"scope", "session"}, {"note", "RHC/1.38.4"}, {"reuse", true}};
    const HttpReply made = t.send("POST", "user/authorizations", body);
    ASSERT_EQ(made.status, 201);
    EXPECT_EQ(made.json()["type"], "authorization");
    const auto token = made.json()["data"]["token"].get<std::string>();
    EXPECT_EQ(token.size(), 64u);
    EXPECT_EQ(t.send("POST", "user/authorizations", body).status, 200);
    t.client.authorization = "Bearer " + token;
    EXPECT_EQ(t.get("user").json()["data"]["login"], "demo");
    EXPECT_EQ(t.get("user").headers.at("x-openshift-identity"), "demo");
    EXPECT_EQ(t.get("user").headers.at("x-oauth-scopes"), "session");
    const auto read = t.send("POST", "user/authorizations",
                             {{"scope", "read"}, {"note", "hi"}, {"expires_in", nullptr}});
    ASSERT_EQ(read.status, 201);
    t.client.authorization = "Bearer " + read.json()["data"]["token"].get<std::string>();
    EXPECT_EQ(t.get("domains").status, 200);
    EXPECT_EQ(t.get("user/authorizations").status, 403);
    EXPECT_EQ(t.send("POST", "domains", {{"id", "d1"}}).status, 403);
    t.client.authorization = demo_basic;
    const auto info = t.send("POST", "user/authorizations", Json::object());
    t.client.authorization = "Bearer " + info.json()["data"]["token"].get<std::string>();
    EXPECT_EQ(t.get("user").status, 200);
    EXPECT_EQ(t.get("domains").status, 403);
    // Logout: the token itself is the id.
    t.client.authorization = "Bearer " + token;
    EXPECT_EQ(t.send("DELETE", "user/authorization/" + token, Json::object()).status, 200);
    EXPECT_EQ(t.get("user").status, 401);
}

TEST(Setup, WorksAsTheWizardDoesIt) {
    TestServer t;
    const Json user = t.get("user").json();
    EXPECT_EQ(user["type"], "user");
    EXPECT_EQ(user["data"]["max_gears"], 100);
    EXPECT_EQ(user["data"]["capabilities"]["gear_sizes"], Json({"small"}));
    EXPECT_TRUE(user["data"]["links"].contains("ADD_KEY"));
    const Json key = {{"name", "default"}, {"type", "ssh-rsa"}, {"content", "AAAAB3NzaC1yc2E="}};
    const HttpReply added = t.send("POST", "user/keys", key);
    EXPECT_EQ(added.status, 201);
    EXPECT_EQ(added.json()["data"]["content"], "AAAAB3NzaC1yc2E=");
    EXPECT_EQ(summary_of(t.send("POST", "user/keys", key)), "409 120/name");
    const Json keys = t.get("user/keys").json();
    EXPECT_EQ(keys["type"], "keys");
    ASSERT_EQ(keys["data"].size(), 1u);
    EXPECT_EQ(t.send("PUT", "user/keys/default", {{"type", "ssh-ed25519"}, {"content", "BBBB"}}).status, 200);
    EXPECT_EQ(t.get("user/key/default").json()["data"]["type"], "ssh-ed25519");
    const HttpReply domain = t.send("POST", "domains", {{"id", "D1"}});
    EXPECT_EQ(domain.status, 201);
    EXPECT_EQ(domain.json()["data"]["name"], "d1");
    EXPECT_NE(domain.json()["data"]["id"], "d1");
    EXPECT_EQ(domain.json()["data"]["creation_time"].get<std::string>().size(), 20u);
    EXPECT_EQ(t.send("DELETE", "user/keys/default", Json::object()).status, 200);
    EXPECT_EQ(summary_of(t.send("DELETE", "user/keys/default", Json::object())), "404 118/");
    EXPECT_EQ(summary_of(t.send("DELETE", "user", Json::object())), "403 138/");
}

TEST(Catalogue, IsSortedAndComplete) {
    TestServer t;
    const Json all = t.get("cartridges").json();
    EXPECT_EQ(all["type"], "cartridges");
    EXPECT_EQ(all["data"][0]["name"], "cron-1.4");
    EXPECT_EQ(all["data"][2]["name"], "php-8.4");
    EXPECT_EQ(all["data"][3]["name"], "php-8.2");
    for (const Json& cartridge : all["data"]) {
        EXPECT_TRUE(cartridge["tags"].is_array());
        EXPECT_TRUE(cartridge["properties"].is_array());
        EXPECT_TRUE(cartridge["type"] == "standalone" || cartridge["type"] == "embedded");
    }
    EXPECT_EQ(t.get("cartridges?category=web_framework").json()["data"].size(), 3u);
    EXPECT_EQ(t.get("cartridges/embedded").json()["data"].size(), 3u);
    EXPECT_EQ(t.get("cartridge/mysql").json()["data"]["name"], "mysql-8.0");
    EXPECT_EQ(summary_of(t.get("cartridge/nosuch")), "404 129/");
    EXPECT_EQ(summary_of(t.get("quickstart/nosuch")), "404 118/");
}

TEST(Applications, AreShownAsRhcReadsThem) {
    TestServer t;
    t.send("POST", "domains", {{"id", "d1"}});
    const HttpReply made = t.send(
        "POST", "domain/d1/applications?include=cartridges",
        {{"name", "App1"},
         {"initial_git_url", "https://user:pass@github.com/openshift/wordpress-example.git"},
         {"environment_variables", {{{"name", "FOO"}, {"value", "bar"}}}},
         {"cartridges", {"php-8.2", "mysql-8.0"}}});
    ASSERT_EQ(made.status, 201) << made.body;
    const Json json = made.json();
    const Json& app = json["data"];
    const auto id = app["id"].get<std::string>();
    EXPECT_EQ(json["type"], "application");
    EXPECT_EQ(app["name"], "app1");
    EXPECT_EQ(app["domain_id"], "d1");
    EXPECT_EQ(app["framework"], "php-8.2");
    EXPECT_EQ(app["app_url"], "https://app1-d1.gearbox.localhost:8443/");
    EXPECT_EQ(app["ssh_url"], "ssh://" + id + "@app1-d1.gearbox.localhost");
    EXPECT_EQ(app["git_url"], "ssh://" + id + "@app1-d1.gearbox.localhost/~/git/app1.git/");
    EXPECT_EQ(app["initial_git_url"], "https://github.com/openshift/wordpress-example.git");
    EXPECT_EQ(app["gear_count"], 1);
    EXPECT_EQ(app["cartridges"].size(), 2u);
    EXPECT_EQ(app["cartridges"][1]["properties"][0]["type"], "cart_data");
    EXPECT_EQ(app["embedded"]["mysql-8.0"]["info"], "Connection URL: mysql://127.0.0.1:3307/");
    for (const char* name :
         {"START", "STOP", "RESTART", "RELOAD", "TIDY", "THREAD_DUMP", "ADD_CARTRIDGE",
          "LIST_CARTRIDGES", "GET_GEAR_GROUPS", "LIST_ENVIRONMENT_VARIABLES",
          "SET_UNSET_ENVIRONMENT_VARIABLES", "LIST_DEPLOYMENTS", "UPDATE", "LIST_ALIASES", "DELETE"}) {
        EXPECT_TRUE(app["links"].contains(name)) << name;
    }
    EXPECT_EQ(app["links"]["GET"]["href"], "https://broker.test:8443/broker/rest/application/" + id);
    // The order of messages: info first, then debug, result last.
    ASSERT_EQ(json["messages"].size(), 3u);
    EXPECT_EQ(json["messages"][0]["severity"], "info");
    EXPECT_EQ(json["messages"][1]["severity"], "debug");
    EXPECT_EQ(json["messages"][2]["severity"], "result");
    EXPECT_EQ(json["messages"][2]["text"], "MySQL database added\n   Root User: admin\nReady");
    EXPECT_EQ(json["messages"][2]["exit_code"], 0);

    for (const std::string& path :
         {str("application/", id), str("applications/", id), std::string("domain/d1/application/app1"),
          std::string("domains/D1/applications/APP1?include=cartridges&app=x"),
          str("application/", id, ".json")}) {
        EXPECT_EQ(t.get(path).json()["data"]["id"], id) << path;
    }
    EXPECT_EQ(t.get("applications?owner=%40self").json()["data"].size(), 1u);
    EXPECT_EQ(t.get("applications?owner=bob").status, 400);
    EXPECT_EQ(t.get("domain/d1/applications").json()["data"].size(), 1u);
    EXPECT_TRUE(t.get("applications").json()["data"][0]["cartridges"].is_null());
    EXPECT_EQ(summary_of(t.get("domain/d1/application/nosuch")), "404 101/");
    EXPECT_EQ(summary_of(t.get("domain/nosuch/application/app1")), "404 127/");
    t.client.authorization = other_basic;
    EXPECT_EQ(summary_of(t.get("application/" + id)), "404 101/");
    EXPECT_EQ(summary_of(t.get("domain/d1")), "404 127/");
}

TEST(Applications, TheirPartsAreShown) {
    TestServer t;
    const std::string id = t.make_application("d1", "app1");
    const std::string app = "application/" + id;
    const Json groups = t.get(app + "/gear_groups?include=endpoints").json();
    EXPECT_EQ(groups["type"], "gear_groups");
    EXPECT_EQ(groups["data"][0]["gears"][0]["state"], "started");
    EXPECT_TRUE(groups["data"][0]["gears"][0]["endpoints"].is_array());
    EXPECT_EQ(t.get("domain/d1/application/app1/gear_groups").json()["data"].size(), 1u);
    EXPECT_EQ(t.get(app + "/gear_group/" + id).json()["type"], "gear_group");
    const HttpReply gears = t.get(app + "/gears");
    EXPECT_EQ(gears.status, 301);
    EXPECT_EQ(gears.headers.at("location"), "https://broker.test:8443/broker/rest/" + app + "/gear_groups");
    EXPECT_EQ(t.get(app + "/descriptor").json()["data"],
              "Name: app1\nRequires:\n- php-8.4\n- mysql-8.0\n");
    EXPECT_EQ(t.get(app + "/dns_resolvable").json()["data"], true);
    EXPECT_EQ(t.get(app + "/aliases").json()["type"], "aliases");
    EXPECT_EQ(t.get(app + "/members").json()["data"][0]["owner"], true);
    const Json deployments = t.get(app + "/deployments").json();
    EXPECT_EQ(deployments["data"][0]["activations"], Json({"2023-11-14T22:13:21Z"}));
    const Json mysql = t.get(app + "/cartridge/mysql-8.0?include=status_messages").json()["data"];
    EXPECT_EQ(mysql["collocated_with"], Json({"php-8.4"}));
    EXPECT_EQ(mysql["status_messages"][0]["gear_id"], id);
    EXPECT_EQ(summary_of(t.get(app + "/cartridge/cron-1.4")), "404 129/");
    const HttpReply event =
        t.send("POST", app + "/cartridge/mysql-8.0/events", {{"event", "restart"}});
    EXPECT_EQ(event.json()["type"], "application");
    EXPECT_EQ(t.parts.agent.calls().back(), "control mysql restart");
}

TEST(Applications, ObeyEvents) {
    TestServer t;
    const std::string app = "application/" + t.make_application("d1", "app1");
    const auto event = [&](const char* word) {
        return summary_of(t.send("POST", app + "/events", {{"event", word}}));
    };
    for (const char* word : {"stop", "stop", "start", "start", "restart", "reload", "tidy",
                             "force-stop"}) {
        EXPECT_EQ(event(word), "200") << word;
    }
    EXPECT_EQ(t.parts.agent.calls().back(), "kill");
    EXPECT_EQ(event("show-port"), "410 112/");
    EXPECT_EQ(event("scale-up"), "422 null/");
    EXPECT_EQ(event("thread-dump"), "422 180/");
    EXPECT_EQ(event("dance"), "422 126/event");
    EXPECT_EQ(event("Start"), "422 126/event");
    EXPECT_EQ(event(""), "422 126/event");
    EXPECT_EQ(summary_of(t.send("POST", app + "/events", {{"event", 1}})), "422 126/event");
}

TEST(Applications, HaveVariables) {
    TestServer t;
    const std::string app = "application/" + t.make_application("d1", "app1");
    const std::string list = app + "/environment-variables";
    const auto patch = [&](const Json& variables) {
        return t.send("PATCH", list, {{"environment_variables", variables}});
    };
    const HttpReply set = patch({{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "two"}}});
    EXPECT_EQ(set.status, 201);
    EXPECT_EQ(set.json()["type"], "environment-variables");
    EXPECT_EQ(set.json()["data"].size(), 2u);
    EXPECT_EQ(patch({{{"name", "A"}}}).status, 201);
    EXPECT_EQ(t.get(list).json()["data"].size(), 1u);
    EXPECT_EQ(t.send("POST", list, {{"name", "C"}, {"value", "3"}}).status, 201);
    EXPECT_EQ(summary_of(t.send("POST", list, {{"name", "C"}, {"value", "4"}})), "422 188/name");
    EXPECT_EQ(t.send("PUT", app + "/environment-variable/C", {{"value", "5"}}).status, 200);
    EXPECT_EQ(t.get(app + "/environment_variables/C").json()["data"]["value"], "5");
    EXPECT_EQ(t.send("DELETE", app + "/environment-variable/C", Json::object()).status, 200);
    EXPECT_EQ(summary_of(t.get(app + "/environment-variable/C")), "404 188/");
    EXPECT_EQ(summary_of(patch("text")), "422 186/environment_variables");
    EXPECT_EQ(summary_of(patch({{{"value", "1"}}})), "422 186/environment_variables");
    EXPECT_EQ(summary_of(patch({{{"name", "A"}, {"value", {1}}}})), "422 190/environment_variables");
    EXPECT_EQ(summary_of(t.send("PATCH", list, Json::object())), "422 186/environment_variables");
}

TEST(Applications, AreConfigured) {
    TestServer t;
    const std::string app = "application/" + t.make_application("d1", "app1");
    const HttpReply reply =
        t.send("PUT", app, {{"auto_deploy", "FALSE"}, {"keep_deployments", 5}, {"deployment_branch", "main"}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.json()["data"]["auto_deploy"], false);
    EXPECT_EQ(reply.json()["data"]["keep_deployments"], 5);
    EXPECT_EQ(summary_of(t.send("PUT", app, {{"keep_deployments", 0}, {"deployment_type", "x"}})),
              "422 1/keep_deployments 1/deployment_type");
    EXPECT_EQ(summary_of(t.send("PUT", app, {{"deployment_branch", "a..b"}})), "422 1/deployment_branch");
    EXPECT_EQ(summary_of(t.send("PUT", app, Json::object())), "422 1/");
    EXPECT_EQ(summary_of(t.send("PUT", app, {{"auto_deploy", "maybe"}})), "422 167/auto_deploy");
}

TEST(Applications, AreDeletedAndTheDomainAfterThem) {
    TestServer t;
    const std::string app = "application/" + t.make_application("d1", "app1");
    EXPECT_EQ(summary_of(t.send("DELETE", "domain/d1", {{"force", false}})), "422 128/");
    const HttpReply deleted = t.send("DELETE", app, Json::object());
    EXPECT_EQ(deleted.status, 200);
    EXPECT_TRUE(deleted.json()["data"].is_null());
    EXPECT_EQ(summary_of(t.get(app)), "404 101/");
    t.make_application("d1", "app2");
    EXPECT_EQ(t.send("DELETE", "domain/d1", {{"force", true}}).status, 200);
    EXPECT_TRUE(t.parts.agent.all().empty());
}

TEST(Applications, AFailingCartridgeTellsWhyAndLeavesNothing) {
    TestServer t;
    t.parts.agent.before = [](const std::string& call) {
        if (call == "deploy_initially") {
            throw ScriptError(42, ErrorKind::invalid, "the build hook failed: missing dependency");
        }
    };
    t.send("POST", "domains", {{"id", "d1"}});
    const std::string before = t.parts.store.dump();
    const HttpReply reply =
        t.send("POST", "domain/d1/applications", {{"name", "app1"}, {"cartridge", "php"}});
    EXPECT_EQ(summary_of(reply), "422 42/");
    EXPECT_NE(reply.body.find("missing dependency"), std::string::npos);
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_TRUE(t.parts.agent.all().empty());
    t.parts.agent.before = [](const std::string&) { fail(ErrorKind::internal, "secret detail"); };
    const HttpReply broken =
        t.send("POST", "domain/d1/applications", {{"name", "app1"}, {"cartridge", "php"}});
    EXPECT_EQ(broken.status, 500);
    EXPECT_EQ(broken.body.find("secret detail"), std::string::npos);
    EXPECT_NE(broken.body.find(broken.headers.at("x-request-id")), std::string::npos);
}

TEST(Operations, ShowTheirProgressToTheirOwner) {
    TestServer t;
    std::string running;
    t.parts.agent.before = [&](const std::string& call) {
        if (call == "create_repository") {
            running = t.get("operations/req-1").body;
        }
    };
    const HttpReply made = t.client.request(
        "POST", "/broker/rest/domain/d1/applications", R"({"name":"app1","cartridges":["php"]})",
        "application/json", "X-Request-Id: req-1\r\n");
    ASSERT_EQ(made.status, 201);
    EXPECT_EQ(made.headers.at("x-request-id"), "req-1");
    const Json during = parse_json(running)["data"];
    EXPECT_EQ(during["state"], "running");
    EXPECT_EQ(during["steps"][0]["state"], "done");
    EXPECT_EQ(during["steps"][3]["name"], "create-repository");
    EXPECT_EQ(during["steps"][3]["state"], "running");
    EXPECT_GT(during["steps"][3]["elapsed_ms"], 0);
    EXPECT_EQ(t.get("operations/req-1").json()["data"]["state"], "done");
    t.client.authorization = other_basic;
    EXPECT_EQ(t.get("operations/req-1").status, 404);
}

TEST(Forms, AreAsGoodAsJson) {
    TestServer t;
    const auto form = [&](const std::string& method, const std::string& path, const std::string& body) {
        return t.client.request(method, "/broker/rest/" + path, body, "application/x-www-form-urlencoded");
    };
    EXPECT_EQ(form("POST", "domains", "name=d1").status, 201);
    EXPECT_EQ(form("POST", "domains/d1/applications",
                   "name=one&cartridges[]=php-8.4&cartridges[]=mysql-8.0").status, 201);
    EXPECT_EQ(form("POST", "domains/d1/applications",
                   "name=two&cartridges[][name]=php-8.4&environment_variables[][name]=A"
                   "&environment_variables[][value]=1").status, 201);
    EXPECT_EQ(form("POST", "domains/d1/applications", "name=three&cartridge=php").status, 201);
    EXPECT_EQ(form("DELETE", "domain/d1", "force=true").status, 200);
}

TEST(Methods, AreToldApart) {
    TestServer t;
    const HttpReply wrong = t.send("PUT", "domains", Json::object());
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.at("allow"), "OPTIONS, GET, HEAD, POST");
    EXPECT_EQ(t.client.request("OPTIONS", "/broker/rest/domains", "").headers.at("allow"),
              "OPTIONS, GET, HEAD, POST");
    EXPECT_EQ(t.get("nothing/here").status, 404);
    EXPECT_EQ(t.client.get("/elsewhere").status, 404);
    EXPECT_EQ(t.client.get("/broker/restaurant").status, 404);
    const HttpReply head = t.client.request("HEAD", "/broker/rest/api", "");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
}

TEST(Pages, GiveTheCertificateAndAWelcome) {
    TestServer t;
    t.client.authorization = "";
    EXPECT_EQ(t.client.get("/client/ca.crt").status, 404);
    std::filesystem::create_directories(t.parts.directory.path() / "tls");
    write_file_atomically(t.parts.directory.path() / "tls" / "ca.crt", "CERTIFICATE");
    EXPECT_EQ(t.client.get("/client/ca.crt").body, "CERTIFICATE");
    EXPECT_EQ(t.client.get("/broker").headers.at("content-type"), "text/html; charset=utf-8");
}

}  // namespace
}  // namespace gearbox::test
