// Teams: who may see and change them, and what they give in the domains that they are members of.
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

struct TeamsTest : testing::Test {
    TeamsTest() {
        application = "application/" + t.make_application("d1", "app1");
        t.parts.broker->users.create("vera", "secret");
        for (const char* login : {"demo", "other"}) {
            t.parts.broker->users.set_limits(login, {.max_teams = 2});
        }
        t.send("POST", "user/keys", {{"name", "laptop"}, {"type", "ssh-rsa"}, {"content", "AAAAdemo"}});
        as_other([&] {
            t.send("POST", "user/keys", {{"name", "desk"}, {"type", "ssh-rsa"}, {"content", "AAAAother"}});
        });
        const HttpReply made = t.send("POST", "teams", {{"name", "Ops"}});
        EXPECT_EQ(made.status, 201) << made.body;
        id = made.json()["data"]["id"];
        team = "team/" + id;
    }
    template <typename Body>
    void as_other(Body body) {
        t.client.authorization = other_basic;
        body();
        t.client.authorization = demo_basic;
    }
    HttpReply add(const Json& members) { return t.send("PATCH", team + "/members", {{"members", members}}); }
    HttpReply join(const char* role) {
        return t.send("PATCH", "domain/d1/members",
                      {{"members", {{{"id", id}, {"type", "team"}, {"role", role}}}}});
    }
    std::string keys() {
        std::string out;
        const auto gears = t.parts.agent.all();
        for (const PublicKey& key : gears.begin()->second.keys) {
            out += key.content + " ";
        }
        return out;
    }
    std::string roles(const std::string& list) {
        std::string out;
        const Json reply = t.get(list).json();
        for (const Json& member : reply["data"]) {
            const Json& name = member[member["type"] == "team" ? "name" : "login"];
            out += str(name.get<std::string>(), "=", member["role"].get<std::string>(), " ");
        }
        return out;
    }

    TestServer t;
    std::string application;
    std::string id;
    std::string team;
};

TEST_F(TeamsTest, AreMadeListedFoundAndDeleted) {
    const Json root = t.get("api").json();
    for (const char* link : {"ADD_TEAM", "LIST_TEAMS", "LIST_TEAMS_BY_OWNER", "SEARCH_TEAMS", "SHOW_TEAM"}) {
        EXPECT_TRUE(root["data"].contains(link)) << link;
    }
    const Json shown = t.get(team).json();
    EXPECT_EQ(shown["type"], "team");
    EXPECT_EQ(shown["data"]["name"], "Ops");
    EXPECT_EQ(shown["data"]["global"], false);
    EXPECT_EQ(shown["data"]["members"][0]["login"], "demo");
    EXPECT_EQ(shown["data"]["members"][0]["owner"], true);
    for (const char* link : {"GET", "ADD_MEMBER", "LIST_MEMBERS", "UPDATE_MEMBERS", "LEAVE", "DELETE"}) {
        EXPECT_TRUE(shown["data"]["links"].contains(link)) << link;
    }
    EXPECT_EQ(t.get("teams").json()["data"][0]["members"], nullptr);
    EXPECT_EQ(t.get("teams?include=members").json()["data"][0]["members"].size(), 1u);
    EXPECT_EQ(t.get("teams?search=op&global=false").json()["data"].size(), 1u);
    EXPECT_EQ(t.get("teams?search=op&global=true").json()["data"].size(), 0u);
    EXPECT_EQ(t.get("teams?search=dev&global=false").json()["data"].size(), 0u);
    EXPECT_EQ(t.send("DELETE", team, Json::object()).status, 200);
    EXPECT_EQ(t.get("teams").json()["data"].size(), 0u);
}

TEST_F(TeamsTest, AreRefusedWithTheReason) {
    const std::string before = t.parts.store.dump();
    const struct {
        const char* method;
        std::string path;
        Json body;
        const char* summary;
    } table[] = {
        {"POST", "teams", {{"name", ""}}, "422 -1/name"},
        {"POST", "teams", {{"name", "x"}}, "422 -1/name"},
        {"POST", "teams", {{"name", std::string(251, 'x')}}, "422 -1/name"},
        {"POST", "teams", {{"name", "a\nb"}}, "422 -1/name"},
        {"POST", "teams", {{"name", 7}}, "422 -1/name"},
        {"POST", "teams", {{"name", "Ops"}}, "422 -1/name"},
        {"GET", "teams?owner=bob", nullptr, "422 1/owner"},
        {"GET", "teams?search=o&global=true", nullptr, "422 1/search"},
        {"GET", "teams?search=ops", nullptr, "422 1/global"},
        {"GET", "team/000000000000000000000000", nullptr, "404 132/id"},
        {"GET", "team/nonsense", nullptr, "404 132/id"},
        {"PATCH", team + "/members", {{"members", {{{"login", "nobody"}}}}}, "404 132/login"},
        {"PATCH", team + "/members", {{"members", {{{"id", "nonsense"}}}}}, "404 132/id"},
        {"PATCH", team + "/members", {{"members", {{{"login", "other"}, {"role", "edit"}}}}}, "422 222/role"},
        {"PATCH", team + "/members", {{"members", {{{"login", "other"}, {"role", "none"}}}}}, "422 222/members"},
        {"PATCH", team + "/members", {{"members", {{{"login", "demo"}, {"role", "view"}}}}}, "422 222/members"},
        {"PATCH", team + "/members", {{"members", {{{"id", id}, {"type", "team"}}}}}, "422 222/type"},
        {"DELETE", team + "/members/self", Json::object(), "422 1/"},
        {"PATCH", "domain/d1/members", {{"members", {{{"id", "000000000000000000000000"}, {"type", "team"}, {"role", "edit"}}}}},
         "404 132/id"},
        {"PATCH", "domain/d1/members", {{"members", {{{"id", id}, {"type", "team"}, {"role", "none"}}}}}, "422 222/members"},
    };
    for (const auto& row : table) {
        const HttpReply reply = row.body.is_null() ? t.get(row.path) : t.send(row.method, row.path, row.body);
        EXPECT_EQ(summary_of(reply), row.summary) << row.method << " " << row.path << " " << to_text(row.body);
    }
    EXPECT_EQ(t.parts.store.dump(), before);
    t.send("POST", "teams", {{"name", "Second"}});
    EXPECT_EQ(summary_of(t.send("POST", "teams", {{"name", "Third"}})), "403 193/");
}

TEST_F(TeamsTest, AreHiddenFromStrangersAndOnlyTheirOwnersMayChangeThem) {
    as_other([&] {
        EXPECT_EQ(summary_of(t.get(team)), "404 132/id");
        EXPECT_EQ(t.get("teams").json()["data"].size(), 0u);
    });
    EXPECT_EQ(add({{{"login", "other"}}}).json()["data"]["role"], "view");
    as_other([&] {
        EXPECT_EQ(t.get(team).status, 200);
        EXPECT_EQ(t.get("teams").json()["data"].size(), 1u);
        EXPECT_EQ(t.get("teams?owner=@self").json()["data"].size(), 0u);
        EXPECT_EQ(summary_of(t.send("DELETE", team, Json::object())), "403 1/");
        EXPECT_EQ(summary_of(add({{{"login", "vera"}}})), "403 1/");
        EXPECT_EQ(t.send("DELETE", team + "/members/self", Json::object()).status, 200);
        EXPECT_EQ(summary_of(t.get(team)), "404 132/id");
        EXPECT_EQ(t.send("POST", "teams", {{"name", "Ops"}}).status, 201) << "unique among one owner's";
    });
    EXPECT_EQ(roles(team + "/members"), "demo=admin ");
}

TEST_F(TeamsTest, GiveTheirMembersTheRoleOfTheTeamWithTheKeys) {
    add({{{"login", "other"}}, {{"login", "vera"}}});
    const HttpReply joined = join("edit");
    ASSERT_EQ(joined.status, 200) << joined.body;
    EXPECT_EQ(joined.json()["data"]["type"], "team");
    EXPECT_EQ(joined.json()["data"]["login"], nullptr);
    EXPECT_EQ(roles("domain/d1/members"), "demo=admin Ops=edit other=edit vera=edit ");
    EXPECT_EQ(keys(), "AAAAdemo AAAAother ");
    const Json other = t.get("domain/d1/member/other").json()["data"];
    EXPECT_EQ(other["explicit_role"], nullptr);
    EXPECT_EQ(other["from"][0]["type"], "team");
    EXPECT_EQ(other["from"][0]["id"], id);
    as_other([&] {
        EXPECT_EQ(t.get("domains").json()["data"].size(), 1u);
        EXPECT_EQ(t.get("applications").json()["data"].size(), 1u);
        EXPECT_EQ(t.send("POST", application + "/events", {{"event", "stop"}}).status, 200);
        EXPECT_EQ(summary_of(t.send("DELETE", "domain/d1/members/self", Json::object())), "422 1/");
    });
    // The higher of both roles.
    t.send("PATCH", "domain/d1/members", {{"members", {{{"login", "other"}, {"role", "admin"}}}}});
    EXPECT_EQ(roles("domain/d1/members"), "demo=admin Ops=edit other=admin vera=edit ");
    t.send("PATCH", "domain/d1/members", {{"members", {{{"login", "other"}, {"role", "view"}}}}});
    EXPECT_EQ(t.get("domain/d1/member/other").json()["data"]["role"], "edit");
    EXPECT_EQ(t.send("DELETE", "domain/d1/members/other", Json::object()).status, 200);
    EXPECT_EQ(join("view").status, 200);
    EXPECT_EQ(keys(), "AAAAdemo ");
    EXPECT_EQ(join("edit").status, 200);
    EXPECT_EQ(t.send("DELETE", team + "/members/other", Json::object()).status, 200);
    EXPECT_EQ(keys(), "AAAAdemo ");
    as_other([&] { EXPECT_EQ(summary_of(t.get(application)), "404 101/"); });
}

TEST_F(TeamsTest, TakeTheirRightsWithThemWhenTheyGo) {
    add({{{"login", "other"}}});
    join("edit");
    EXPECT_EQ(t.send("DELETE", "domain/d1/members/" + id, Json::object()).status, 200);
    EXPECT_EQ(keys(), "AAAAdemo ");
    join("edit");
    EXPECT_EQ(t.send("DELETE", team, Json::object()).status, 200);
    EXPECT_EQ(roles("domain/d1/members"), "demo=admin ");
    EXPECT_EQ(keys(), "AAAAdemo ");
    // A team of somebody else, who is removed with it.
    as_other([&] { id = t.send("POST", "teams", {{"name", "Away"}}).json()["data"]["id"]; });
    EXPECT_EQ(summary_of(join("edit")), "404 132/id");
    as_other([&] { t.send("PATCH", "team/" + id + "/members", {{"members", {{{"login", "demo"}}}}}); });
    EXPECT_EQ(join("edit").status, 200);
    EXPECT_EQ(keys(), "AAAAdemo AAAAother ") << "a team's owner is one of it, and keys are there once";
    t.parts.broker->users.remove("other");
    EXPECT_EQ(keys(), "AAAAdemo ");
}

TEST_F(TeamsTest, AFailingGearLeavesThemAsTheyWere) {
    add({{{"login", "other"}}});
    join("edit");
    const std::string before = t.parts.store.dump();
    t.parts.agent.before = [](const std::string& call) {
        if (call == "set_authorized_keys") {
            fail(ErrorKind::unavailable, "no gear");
        }
    };
    EXPECT_EQ(t.send("DELETE", team, Json::object()).status, 503);
    EXPECT_EQ(t.send("DELETE", team + "/members/other", Json::object()).status, 503);
    t.parts.agent.before = {};
    t.parts.restart();
    t.parts.broker->reconciler.repair();
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_EQ(keys(), "AAAAdemo AAAAother ");
}

}  // namespace
}  // namespace gearbox::test
