// Which cartridges may be in one application.
#include "support/broker_fixture.h"

namespace gearbox::test {
namespace {

TEST(Applications, TakeNoCartridgesThatDoNotFit) {
    TestBroker t;
    const Principal demo = t.user("demo");
    for (Cartridge& cartridge : t.agent.catalogue) {
        if (cartridge.full_name() == "php-8.4") {
            cartridge.obsolete = true;
        } else if (cartridge.name == "cron") {
            cartridge.conflicts = {"mysql"};
        } else if (cartridge.name == "phpmyadmin") {
            cartridge.requires_features.clear();
            cartridge.configure_order = {{"mysql", "mariadb"}, {"phpmyadmin"}};
        }
    }
    ApplicationService& applications = t.broker->applications;
    const auto add = [&](const Application& to, const char* name) {
        return problems_of([&] { applications.add_cartridge(demo, to, {name, "", "", {}}, {}); });
    };
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "old", {"php-8.4"}); }), "invalid 109/cartridge");
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "clash", {"php", "mysql", "cron"}); }), "invalid 109/cartridge");
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "lonely", {"php", "phpmyadmin"}); }), "invalid 185/cartridge");
    const Application shop = t.create(demo, "acme", "shop", {"php"}).application;
    EXPECT_EQ(shop.cartridges.front().name.text(), "php-8.2") << "the newest that is not obsolete";
    EXPECT_EQ(add(shop, "phpmyadmin"), "invalid 185/cartridge");
    EXPECT_EQ(add(shop, "cron"), "");
    EXPECT_EQ(add(shop, "mysql"), "invalid 109/cartridge");
    EXPECT_EQ(t.create(demo, "acme", "whole", {"phpmyadmin", "mysql", "php"}).application.cartridges.size(), 3u);
}

TEST(Applications, OfOneDomainShareACartridgeOfItsScope) {
    TestBroker t;
    const Principal demo = t.user("demo");
    for (Cartridge& cartridge : t.agent.catalogue) {
        if (cartridge.name == "cron") {
            cartridge.categories.push_back("domain_scope");
        }
    }
    const Application shop = t.create(demo, "acme", "shop", {"php"}).application;
    const Application ci = t.create(demo, "acme", "ci", {"php", "cron"}).application;
    ApplicationService& applications = t.broker->applications;
    const auto add = [&] { return problems_of([&] { applications.add_cartridge(demo, shop, {"cron", "", "", {}}, {}); }); };
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "second", {"php", "cron"}); }), "invalid 109/cartridge");
    EXPECT_EQ(add(), "invalid 109/cartridge");
    applications.remove(demo, ci);
    EXPECT_EQ(add(), "");
}

}  // namespace
}  // namespace gearbox::test
