// Kept replies: quick, and never old, nor anybody else's.
#include "rest/reply_cache.h"

#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

using rest::ReplyCache;

TEST(ReplyCache, KnowsWhatWasMadeOfTheSameStore) {
    ReplyCache cache;
    EXPECT_FALSE(cache.find("a", 0).has_value());
    cache.put("a", 7, "body");
    EXPECT_EQ(cache.find("a", 7), "body");
    EXPECT_FALSE(cache.find("a", 8).has_value());
    EXPECT_FALSE(cache.find("b", 7).has_value());
    cache.put("b", 6, "made before a change, kept after it");
    EXPECT_FALSE(cache.find("b", 6).has_value());
    cache.put("b", 8, "new");
    EXPECT_FALSE(cache.find("a", 7).has_value());
}

TEST(ReplyCache, IsBounded) {
    ReplyCache cache;
    const std::string body(100'000, 'x');
    for (int i = 0; i < 100; ++i) {
        cache.put(std::to_string(i), 1, body);
        cache.find("0", 1);
    }
    EXPECT_TRUE(cache.find("0", 1).has_value()) << "what is used stays";
    EXPECT_TRUE(cache.find("99", 1).has_value());
    EXPECT_FALSE(cache.find("1", 1).has_value());
    cache.put("huge", 1, std::string(2'000'000, 'x'));
    EXPECT_FALSE(cache.find("huge", 1).has_value());
}

TEST(Replies, AreTheSameKeptOrNot) {
    TestServer t;
    const std::string application = "application/" + t.make_application("d1", "app1");
    for (const char* path : {"domains", "domain/d1", "applications", "domain/d1/applications"}) {
        EXPECT_EQ(t.get(path).body, t.get(path).body) << path;
    }
    const std::string first = t.get(application).body;
    EXPECT_EQ(t.get(application).body, first);
    EXPECT_NE(t.get(application + "?include=cartridges").body, first);
    EXPECT_NE(t.get(application + "?nolinks=true").body, first);
    const HttpReply elsewhere = t.client.request("GET", "/broker/rest/" + application, "", "application/json",
                                                 "X-Forwarded-Host: other.example.org:8443\r\n");
    EXPECT_NE(elsewhere.body.find("//other.example.org:8443/"), std::string::npos);
}

TEST(Replies, AreNeverOld) {
    TestServer t;
    const std::string application = "application/" + t.make_application("d1", "app1");
    EXPECT_EQ(t.get(application).json()["data"]["aliases"].size(), 0u);
    t.send("POST", application + "/aliases", {{"id", "www.example.org"}});
    EXPECT_EQ(t.get(application).json()["data"]["aliases"].size(), 1u);
    t.send("PUT", application, {{"keep_deployments", 4}});
    EXPECT_EQ(t.get(application).json()["data"]["keep_deployments"], 4);
    t.parts.broker->users.set_limits("demo", {.max_storage = 3});
    EXPECT_EQ(t.get("domain/d1").json()["data"]["max_storage_per_gear"], 3);
    EXPECT_EQ(t.get("domains").json()["data"].size(), 1u);
    t.send("DELETE", "domain/d1", {{"force", true}});
    EXPECT_EQ(t.get(application).status, 404);
    EXPECT_EQ(t.get("domains").json()["data"].size(), 0u);
}

TEST(Replies, AreNobodyElses) {
    TestServer t;
    t.make_application("d1", "app1");
    EXPECT_EQ(t.get("domains").json()["data"].size(), 1u);
    t.client.authorization = other_basic;
    EXPECT_EQ(t.get("domains").json()["data"].size(), 0u);
    EXPECT_EQ(t.get("domain/d1").status, 404);
}

}  // namespace
}  // namespace gearbox::test
