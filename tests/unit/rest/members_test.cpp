// Members of domains: who is one, what follows from it for lists, limits and ssh keys.
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

struct MembersTest : testing::Test {
    MembersTest() {
        application = "application/" + t.make_application("d1", "app1");
        for (const char* login : {"vera", "emil"}) {
            t.parts.broker->users.create(login, "secret");
        }
        t.send("POST", "user/keys", {{"name", "laptop"}, {"type", "ssh-rsa"}, {"content", "AAAAdemo"}});
        as_other([&] {
            t.send("POST", "user/keys", {{"name", "desk"}, {"type", "ssh-rsa"}, {"content", "AAAAother"}});
        });
    }
    HttpReply patch(const Json& body) { return t.send("PATCH", "domain/d1/members", body); }
    template <typename Body>
    void as_other(Body body) {
        t.client.authorization = other_basic;
        body();
        t.client.authorization = demo_basic;
    }
    std::string keys() {
        std::string out;
        const auto gears = t.parts.agent.all();
        for (const PublicKey& key : gears.begin()->second.keys) {
            out += key.login + ":" + key.content + " ";
        }
        return out;
    }
    std::string roles() {
        std::string out;
        const Json reply = t.get("domain/d1/members").json();
        for (const Json& member : reply["data"]) {
            out += str(member["login"].get<std::string>(), "=", member["role"].get<std::string>(), " ");
        }
        return out;
    }

    TestServer t;
    std::string application;
};

TEST_F(MembersTest, AreAddedChangedAndRemoved) {
    EXPECT_EQ(roles(), "demo=admin ");
    const HttpReply one = patch({{"members", {{{"login", "other"}, {"type", "user"}, {"role", "edit"}}}}});
    ASSERT_EQ(one.status, 200) << one.body;
    EXPECT_EQ(one.json()["type"], "member");
    EXPECT_EQ(one.json()["data"]["role"], "edit");
    EXPECT_EQ(one.json()["data"]["owner"], false);
    const HttpReply many = patch({{"members", {{{"login", "vera"}, {"role", "view"}}, {{"login", "emil"}, {"role", "admin"}}}}});
    EXPECT_EQ(many.json()["type"], "members");
    EXPECT_EQ(roles(), "demo=admin emil=admin other=edit vera=view ");
    const std::string id = one.json()["data"]["id"];
    EXPECT_EQ(t.send("PUT", "domain/d1/member/" + id, {{"role", "view"}}).json()["data"]["role"], "view");
    EXPECT_EQ(patch({{"members", {{{"id", id}, {"role", "none"}}}}}).status, 200);
    EXPECT_EQ(t.send("DELETE", "domain/d1/members/vera", Json::object()).status, 200);
    EXPECT_EQ(roles(), "demo=admin emil=admin ");
    patch({{"members", {{{"login", "vera"}, {"role", "view"}}}}});
    EXPECT_EQ(t.send("DELETE", "domain/d1/members", {{"members", {{{"login", "vera"}}}}}).status, 200);
    EXPECT_EQ(roles(), "demo=admin emil=admin ");
    EXPECT_EQ(t.send("DELETE", "domain/d1/members", Json::object()).status, 200);
    EXPECT_EQ(roles(), "demo=admin ");
}

TEST_F(MembersTest, AreRefusedWithTheReason) {
    const std::string before = t.parts.store.dump();
    const struct {
        Json body;
        const char* summary;
    } table[] = {
        {{{"members", {{{"login", "nobody"}, {"role", "edit"}}}}}, "404 132/login"},
        {{{"members", {{{"id", "000000000000000000000000"}, {"role", "edit"}}}}}, "404 132/id"},
        {{{"members", {{{"login", "demo"}, {"role", "view"}}}}}, "422 222/members"},
        {{{"members", {{{"login", "other"}, {"role", "king"}}}}}, "422 222/role"},
        {{{"members", {{{"login", "other"}}}}}, "422 222/role"},
        {{{"members", {{{"role", "edit"}}}}}, "422 222/members"},
        {{{"members", {{{"login", "other"}, {"role", "none"}}}}}, "422 222/members"},
        {{{"members", {{{"login", "other"}, {"role", "edit"}}, {{"login", "other"}, {"role", "view"}}}}},
         "422 222/members"},
        {{{"members", {{{"login", "other"}, {"role", "edit"}, {"type", "team"}}}}}, "422 222/members"},
        {{{"members", {{{"login", "other"}, {"role", "edit"}, {"type", "robot"}}}}}, "422 222/type"},
        {{{"members", "other"}}, "422 222/members"},
        {{{"members", Json::array()}}, "422 222/members"},
        {{{"members", {1, nullptr}}}, "422 222/members 222/members"},
    };
    for (const auto& row : table) {
        EXPECT_EQ(summary_of(patch(row.body)), row.summary) << to_text(row.body);
    }
    EXPECT_EQ(summary_of(t.send("DELETE", "domain/d1/members/self", Json::object())), "422 1/");
    EXPECT_EQ(summary_of(t.get("domain/d1/member/nobody")), "404 132/");
    EXPECT_EQ(t.parts.store.dump(), before);
}

TEST_F(MembersTest, GetIntoTheGearsWhenTheyMayEdit) {
    EXPECT_EQ(keys(), "demo:AAAAdemo ");
    patch({{"members", {{{"login", "other"}, {"role", "view"}}}}});
    EXPECT_EQ(keys(), "demo:AAAAdemo ");
    patch({{"members", {{{"login", "other"}, {"role", "edit"}}}}});
    EXPECT_EQ(keys(), "demo:AAAAdemo other:AAAAother ");
    as_other([&] { t.send("PUT", "user/keys/desk", {{"type", "ssh-rsa"}, {"content", "AAAAnew"}}); });
    EXPECT_EQ(keys(), "demo:AAAAdemo other:AAAAnew ");
    as_other([&] { EXPECT_EQ(t.send("DELETE", "domain/d1/members/self", Json::object()).status, 200); });
    EXPECT_EQ(keys(), "demo:AAAAdemo ");
    patch({{"members", {{{"login", "other"}, {"role", "admin"}}}}});
    t.parts.broker->users.remove("other");
    EXPECT_EQ(keys(), "demo:AAAAdemo ");
}

TEST_F(MembersTest, SeeTheDomainAfterTheirOwn) {
    as_other([&] { t.make_application("d2", "app2"); });
    patch({{"members", {{{"login", "other"}, {"role", "edit"}}}}});
    as_other([&] {
        const Json domains = t.get("domains").json()["data"];
        ASSERT_EQ(domains.size(), 2u);
        EXPECT_EQ(domains[0]["name"], "d2");
        EXPECT_EQ(t.get("domains?owner=@self").json()["data"].size(), 1u);
        EXPECT_EQ(t.get("applications").json()["data"].size(), 2u);
        EXPECT_EQ(t.get("applications?owner=@self").json()["data"].size(), 1u);
        const Json members = t.get(application).json()["data"]["members"];
        EXPECT_EQ(members[1]["from"][0]["type"], "domain");
        EXPECT_EQ(members[0]["owner"], true);
        EXPECT_EQ(t.send("POST", "domain/d1/applications", {{"name", "more"}, {"cartridge", "php"}}).status, 201);
        EXPECT_EQ(t.get("user").json()["data"]["consumed_gears"], 1);
    });
    EXPECT_EQ(t.get("user").json()["data"]["consumed_gears"], 2) << "gears count against the owner";
}

TEST_F(MembersTest, AFailingGearLeavesThemAsTheyWere) {
    const std::string before = t.parts.store.dump();
    t.parts.agent.before = [](const std::string& call) {
        if (call == "set_authorized_keys") {
            fail(ErrorKind::unavailable, "no gear");
        }
    };
    EXPECT_EQ(patch({{"members", {{{"login", "other"}, {"role", "edit"}}}}}).status, 503);
    t.parts.agent.before = {};
    t.parts.restart();
    t.parts.broker->reconciler.repair();
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_EQ(keys(), "demo:AAAAdemo ");
}

}  // namespace
}  // namespace gearbox::test
