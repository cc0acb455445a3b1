// Users' own cartridges, as the broker sees them.
#include "support/broker_fixture.h"

#include "base/error.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace gearbox::test {

namespace {

std::string manifest_of(const std::string& name, const std::string& category, const std::string& vendor = "acme") {
    return str("Name: ", name, "\nCartridge-Short-Name: ", name, "\nVersion: '1.0'\nCartridge-Vendor: ", vendor,
               "\nCategories: [", category, "]\n");
}

}  // namespace

TEST(OwnCartridges, BelongToOneApplication) {
    TestBroker t;
    const Principal demo = t.user("demo");
    ApplicationService& applications = t.broker->applications;
    t.agent.manifests["http://x/web"] = manifest_of("web", "web_framework");
    t.agent.manifests["http://x/extra"] = manifest_of("extra", "service");
    const CartridgeWish mysql{"mysql", "", "", std::nullopt};
    const CartridgeWish web{"", "http://x/web", "", std::nullopt};
    const CartridgeWish extra{"", "http://x/extra", "", std::nullopt};
    CreateApplication request;
    request.name = "shop";
    request.cartridges = {mysql, extra, web};
    const Application shop =
        applications.create(demo, "acme", request, t.broker->domains).application;
    // The web framework first, whatever the order was.
    EXPECT_EQ(shop.cartridges[0].name.text(), "acme-web-1.0");
    EXPECT_EQ(shop.cartridges[0].url, "http://x/web");
    EXPECT_EQ(shop.cartridges[1].url, "");
    EXPECT_THAT(t.agent.gear(shop.id.text()).cartridges,
                testing::ElementsAre("acme-web-1.0", "mysql-8.0", "acme-extra-1.0"));
    EXPECT_THAT(t.agent.gear(shop.id.text()).fetched, testing::IsEmpty());
    EXPECT_TRUE(t.broker->catalogue.find(shop.cartridges[0])->is_web_framework());
    EXPECT_TRUE(t.broker->catalogue.match("acme-web").empty());
    // Its verbs and its end need nobody at the address any more.
    t.agent.manifests.clear();
    EXPECT_EQ(applications.run_cartridge_verb(demo, shop, "acme-extra-1.0", "status").results.at(0), "extra is running");
    applications.remove_cartridge(demo, shop, "acme-extra-1.0");
    EXPECT_EQ(applications.application(demo, shop.id.text()).cartridges.size(), 2u);
}

TEST(OwnCartridges, AreRefusedAndLeaveNothing) {
    TestBroker t;
    const Principal demo = t.user("demo");
    ApplicationService& applications = t.broker->applications;
    const Application shop = t.create(demo, "acme", "shop").application;
    const auto told = [&](const std::string& url) -> std::string {
        try {
            applications.add_cartridge(demo, shop, {"", url, "", {}}, {});
        } catch (const RequestError& error) {
            return error.problems().front().text;
        }
        return "added";
    };
    t.agent.manifests = {{"http://x/web", manifest_of("web", "web_framework")},
                         {"http://x/php", manifest_of("php", "service")},
                         {"http://x/theirs", manifest_of("extra", "service", "redhat")},
                         {"http://x/needs", manifest_of("extra", "service") + "Requires: [mongodb]\n"},
                         {"http://x/extra", manifest_of("extra", "service")}};
    const std::string before = t.store.dump();
    EXPECT_EQ(told("http://x/web"), "An application may contain only one web cartridge.");
    EXPECT_EQ(told("http://x/php"), "php-8.4 already exists in your application");
    EXPECT_EQ(told("http://x/theirs"), "Cartridge-Vendor must name who has made it, and not 'redhat': plain names are those"
                                       " of this appliance's own cartridges");
    EXPECT_EQ(told("http://x/needs"), "acme-extra-1.0 needs 'mongodb'");
    EXPECT_EQ(told("http://x/gone"), "the cartridge 'http://x/gone' cannot be used: nobody is there");
    EXPECT_EQ(told("http://127.0.0.1/x"), "The address 'http://127.0.0.1/x' names the machine that fetches it, or its"
                                          " network, and no other server");
    EXPECT_THAT(t.agent.gear(shop.id.text()).fetched, testing::IsEmpty());
    EXPECT_EQ(applications.application(demo, shop.id.text()).cartridges.size(), 1u);
    EXPECT_EQ(told("http://x/extra"), "added");
    EXPECT_EQ(told("http://x/extra"), "acme-extra-1.0 already exists in your application");
}

TEST(OwnCartridges, AreTheOperatorsToSwitchOff) {
    Settings settings = make_default_settings();
    const auto told = [&](const std::vector<std::string>& urls, std::size_t there) -> std::string {
        Problems found;
        check_own_urls(urls, there, settings, found);
        try {
            found.check();
        } catch (const RequestError& error) {
            return error.problems().front().text;
        }
        return "taken";
    };
    EXPECT_EQ(told({"http://x/"}, 4), "taken");
    EXPECT_EQ(told({"http://x/"}, 5), "An application may have at most 5 downloaded cartridges");
    settings.cartridges.url_prefixes = {"https://github.com/acme/"};
    EXPECT_EQ(told({"http://x/"}, 0), "The address 'http://x/' is not below one that this host takes cartridges from:"
                                      " https://github.com/acme/");
    settings.cartridges.by_url = false;
    EXPECT_EQ(told({"https://github.com/acme/x"}, 0), "Downloaded cartridges are not enabled on this host");
    EXPECT_EQ(told({}, 0), "taken");
}

}  // namespace gearbox::test
