// Cartridges that applications have and that are not on offer any more.
#include "support/broker_fixture.h"

#include <gtest/gtest.h>

namespace gearbox::test {

TEST(Applications, KeepCartridgesThatAreWithdrawn) {
    TestBroker t;
    const Principal demo = t.user("demo");
    const Application shop = t.create(demo, "acme", "shop", {"php", "mysql"}).application;
    t.agent.withdrawn = {t.agent.catalogue[3]};
    t.agent.catalogue.erase(t.agent.catalogue.begin() + 3);
    t.restart();
    ApplicationService& applications = t.broker->applications;
    EXPECT_TRUE(t.broker->catalogue.match("mysql").empty());
    EXPECT_EQ(problems_of([&] { t.create(demo, "acme", "other", {"php", "mysql"}); }), "invalid 109/cartridge");
    EXPECT_EQ(t.broker->catalogue.find(shop.cartridges[1])->display_name, "mysql 8.0");
    EXPECT_EQ(applications.run_cartridge_verb(demo, shop, "mysql-8.0", "status").results.at(0), "mysql is running");
    // What others need of it is there.
    applications.add_cartridge(demo, shop, {"phpmyadmin", "", "", {}}, {});
    applications.remove_cartridge(demo, shop, "phpmyadmin-5.2");
    applications.remove_cartridge(demo, shop, "mysql-8.0");
    EXPECT_EQ(applications.application(demo, shop.id.text()).cartridges.size(), 1u);
    EXPECT_EQ(problems_of([&] { applications.add_cartridge(demo, shop, {"mysql", "", "", {}}, {}); }), "invalid 109/cartridge");
}

}  // namespace gearbox::test
