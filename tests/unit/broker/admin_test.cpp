// What operators ask the daemon over its control socket.
#include "broker/admin.h"
#include "support/broker_fixture.h"

namespace gearbox::test {
namespace {

struct AdminTest : testing::Test {
    Json ask(const std::string& verb, const Json& args = Json::object()) {
        for (const AdminVerb& row : admin_verbs()) {
            if (verb == row.name) {
                return row.run(*t.broker, args);
            }
        }
        return nullptr;
    }
    std::vector<std::string> problems() { return take<std::vector<std::string>>(ask("check"), "problems"); }

    TestBroker t;
    Principal who = t.user("ann");
    Application shop = t.create(who, "d1", "shop").application;
};

TEST_F(AdminTest, CheckComparesStoreGearsAndRouter) {
    EXPECT_THAT(problems(), testing::IsEmpty());
    t.agent.publish_routes(shop.gear(), {"elsewhere"});
    EXPECT_THAT(problems(), testing::ElementsAre("routes of " + shop.id.text()));
    t.agent.destroy_gear(shop.gear());
    EXPECT_THAT(problems(), testing::ElementsAre("application 'shop-d1' has no gear"));
    GearSpec stray;
    stray.id = GearId("ffffffffffffffffffffffff");
    t.agent.plant(stray);
    EXPECT_THAT(problems(), testing::Contains("gear 'ffffffffffffffffffffffff' belongs to no application"));
}

TEST_F(AdminTest, ProfilesAreListedWithTheirGears) {
    t.create(who, "d1", "blog");
    t.create(who, "d2", "shop");
    const Json profiles = ask("profile.list");
    ASSERT_EQ(profiles.size(), 1u);
    EXPECT_EQ(profiles[0]["name"], "quiet");
    EXPECT_EQ(profiles[0]["domains"], Json({"d1"}));
    EXPECT_EQ(profiles[0]["gears"], 2);
    std::map<std::string, std::string> seen;
    for (const Json& gear : ask("gear.list")) {
        seen[take<std::string>(gear, "application")] = take<std::string>(gear, "profile");
    }
    EXPECT_EQ(seen, (std::map<std::string, std::string>{{"shop-d1", "quiet"}, {"blog-d1", "quiet"}, {"shop-d2", ""}}));
}

TEST_F(AdminTest, ThawsWhatAnotherOperationWaitsFor) {
    const auto lock = t.application_locks.lock(shop.id.text());
    EXPECT_EQ(ask("gear.freeze", {{"application", "shop"}, {"frozen", false}})["id"], shop.id.text());
    EXPECT_EQ(t.agent.calls().back(), "thaw");
}

TEST_F(AdminTest, OperatorsActAsTheOwnerWould) {
    EXPECT_EQ(ask("application.event", {{"application", "shop-d1"}, {"event", "stop"}})["id"], shop.id.text());
    EXPECT_EQ(t.agent.gear(shop.id.text()).state, GearState::stopped);
    ask("application.event", {{"application", "shop"}, {"event", "start"}});
    EXPECT_EQ(t.agent.gear(shop.id.text()).state, GearState::started);
    EXPECT_EQ(problems_of([&] { ask("application.event", {{"application", "shop"}, {"event", "fly"}}); }),
              "invalid: there is no event 'fly'");
    EXPECT_EQ(problems_of([&] { ask("application.event", {{"application", "none"}, {"event", "stop"}}); }),
              "not_found: there is no application 'none'");
    t.create(who, "d2", "shop");
    EXPECT_EQ(problems_of([&] { ask("application.delete", {{"application", "shop"}}); }),
              "not_found: several domains have an application 'shop': write APP-DOMAIN");
    ask("application.delete", {{"application", shop.id.text()}});
    EXPECT_FALSE(t.store.find_application(shop.id.text()));
}

}  // namespace
}  // namespace gearbox::test
