// Older versions of the interface, for older clients.
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

struct VersionsTest : testing::Test {
    HttpReply ask(const std::string& version, const std::string& method, const std::string& path,
                  const Json& body = Json::object()) {
        return t.client.request(method, "/broker/rest/" + path, method == "GET" ? "" : to_text(body),
                                "application/json", "Accept: application/json;version=" + version + "\r\n");
    }
    TestServer t;
};

TEST_F(VersionsTest, DifferInWhatTheContractSays) {
    t.make_application("d1", "app1");
    const Json newest = ask("1.7", "GET", "domain/d1").json()["data"];
    EXPECT_EQ(newest["name"], "d1");
    EXPECT_NE(newest["id"], "d1");
    EXPECT_EQ(ask("1.6", "GET", "domain/d1").json()["data"]["name"], "d1");
    const HttpReply old = ask("1.5", "GET", "domain/d1");
    EXPECT_EQ(old.json()["data"]["id"], "d1");
    EXPECT_FALSE(old.json()["data"].contains("name"));
    EXPECT_EQ(old.json()["api_version"], 1.5);
    EXPECT_EQ(ask("1.5", "GET", "domain/d1").body, old.body) << "kept replies are of their version";
    const Json application = ask("1.2", "GET", "applications").json()["data"][0];
    EXPECT_EQ(application["uuid"], application["id"]);
    EXPECT_EQ(summary_of(ask("1.5", "POST", "domains", {{"id", "bad_name"}})), "422 106/id");
    EXPECT_EQ(summary_of(ask("1.7", "POST", "domains", {{"id", "bad_name"}})), "422 106/name");
    EXPECT_EQ(ask("1.3", "DELETE", "domain/d1").status, 400);
    EXPECT_EQ(ask("1.4", "DELETE", "domain/d1").status, 422);
    const HttpReply gone = ask("1.4", "DELETE", "domain/d1", {{"force", true}});
    EXPECT_EQ(gone.status, 204);
    EXPECT_EQ(gone.body, "");
}

TEST_F(VersionsTest, NameTheFieldOfResultsForOldClients) {
    const auto field_of_result = [&](const std::string& version, const std::string& name) {
        const Json reply = ask(version, "POST", "domain/d1/applications",
                               {{"name", name}, {"cartridges", {"php", "mysql"}}}).json();
        for (const Json& message : reply["messages"]) {
            if (message["severity"] == "result") {
                return message["field"];
            }
        }
        return Json("no result");
    };
    EXPECT_EQ(field_of_result("1.5", "one"), "result");
    EXPECT_EQ(field_of_result("1.7", "two"), nullptr);
}

}  // namespace
}  // namespace gearbox::test
