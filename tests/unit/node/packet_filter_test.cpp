#include "model/gear.h"
#include "node/host_network.h"
#include "node/mirror.h"
#include "node/resolvers.h"
#include "sys/packet_filter.h"

#include "base/str.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

TEST(Forwardings, OnlyTheirPortsAreOpen) {
    EXPECT_EQ(sys::forwarding_rules("100.64.8.53", {{38036, "127.1.244.129", 8080}}),
              "table ip gearbox\n"
              "flush table ip gearbox\n"
              "table ip gearbox {\n"
              "    chain arriving {\n"
              "        type filter hook prerouting priority raw; policy accept;\n"
              "        iifname \"eth0\" tcp dport 38036 ip daddr set 127.1.244.129 tcp dport set 8080 accept\n"
              "        iifname \"eth0\" ip daddr 127.0.0.0/8 drop\n"
              "        iifname \"eth0\" tcp flags & (syn | ack) == syn drop\n"
              "    }\n"
              "    chain leaving {\n"
              "        type filter hook postrouting priority srcnat; policy accept;\n"
              "        oifname \"eth0\" ip saddr 127.1.244.129 tcp sport 8080 ip saddr set 100.64.8.53 tcp sport set 38036\n"
              "    }\n"
              "}\n");
}

TEST(HostNetwork, TheHostFillsTheSetsOfItsRules) {
    const std::string text =
        host_text({{105}, {"10.0.2.3", "192.168.1.1"}, {{"10.1.0.0/16", 0}, {"10.2.3.4/32", 443}}, {443}, {451}, false});
    EXPECT_THAT(text, StartsWith(sys::host_rules()));
    EXPECT_THAT(text, EndsWith("}\n"
                               "add element inet gearbox router { 105 }\n"
                               "add element inet gearbox resolvers { 10.0.2.3, 192.168.1.1 }\n"
                               "add element inet gearbox reachable { 10.1.0.0/16 . 0-65535, 10.2.3.4/32 . 443 }\n"
                               "add element inet gearbox host_ports { 443 }\n"
                               "add element inet gearbox mirror_user { 451 }\n"
                               "add element inet gearbox mirror_files { 4082 }\n"
                               "add element inet gearbox mirror_fetches { 4083, 4084 }\n"
                               "add rule inet gearbox forward drop\n"));
    // A host that was a router stays one.
    EXPECT_EQ(host_text({{}, {}, {}, {}, {}, true}), sys::host_rules());
}

TEST(Mirror, IsTheProxyOfBuildsThatItCanKeepToTheirEgress) {
    GearRecord record;
    record.spec.uid = 1000;
    record.cartridges.resize(1);
    record.cartridges[0].endpoints.resize(1);
    record.cartridges[0].endpoints[0].address = "127.1.244.1";
    const LinkAddresses addresses = link_addresses(1000);
    const std::string direct = str("localhost,127.0.0.0/8,127.0.0.1,", addresses.gear, ",100.127.255.254,apps.test,127.1.244.1");
    Settings settings;
    settings.broker.cloud_domain = "apps.test";
    EXPECT_EQ(mirror_environment(record, {true, {}}, settings),
              (Environment{{"http_proxy", str("http://", addresses.host, ":4083")}, {"no_proxy", direct}}));
    EXPECT_EQ(mirror_environment(record, {false, {}}, settings),
              (Environment{{"http_proxy", str("http://", addresses.host, ":4082")}, {"no_proxy", direct}}));
    EXPECT_EQ(mirror_environment(record, {false, {{"203.0.113.0/24", 0}}}, settings), Environment{});
}

TEST(Mirror, LeadsToolsToTheRegistriesThatThereAre) {
    Settings settings;
    settings.mirror.npm = "https://registry.npmjs.org";
    Environment environment = mirror_environment({}, {true, {}}, settings);
    EXPECT_EQ(environment["NPM_CONFIG_GLOBALCONFIG"], "/usr/share/gearbox/registries/npmrc");
    EXPECT_FALSE(environment.contains("XDG_CONFIG_DIRS"));
    // Who may not fetch could not use them.
    EXPECT_FALSE(mirror_environment({}, {false, {}}, settings).contains("NPM_CONFIG_GLOBALCONFIG"));
    settings.mirror.pip = "https://pypi.org/simple";
    settings.mirror.gem = "https://rubygems.org";
    settings.mirror.maven = "https://repo1.maven.org/maven2";
    environment = mirror_environment({}, {true, {}}, settings);
    EXPECT_EQ(environment["XDG_CONFIG_DIRS"], "/usr/share/gearbox/registries:/etc/xdg");
    EXPECT_EQ(environment["GEMRC"], "/usr/share/gearbox/registries/gemrc");
    EXPECT_EQ(environment["BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/"], "http://100.127.255.254/gem/");
    EXPECT_EQ(environment["MAVEN_ARGS"], "-gs /usr/share/gearbox/registries/settings.xml");
    settings.mirror.github = "https://codeload.github.com";
    EXPECT_EQ(mirror_environment({}, {true, {}}, settings)["GEARBOX_GITHUB_ARCHIVES"], "http://100.127.255.254/github/");
}

TEST(Mirror, ItsServiceIsTold) {
    Settings settings;
    settings.node.gear_base = "/gears";
    settings.mirror.cache_mb = 1024;
    settings.mirror.npm = "https://registry.npmjs.org";
    settings.mirror.maven = "https://repo.test:8443/maven2";
    EXPECT_EQ(mirror_file(settings.mirror, mirror_cache(settings, 20000)), "# Of gearbox-mirror.service; made by gearboxd.\n"
                                                                           "CACHE_DIRECTORY=/gears/.registries\n"
                                                                           "CACHE_KB=786432\n"
                                                                           "CACHE_FILES=76800\n"
                                                                           "REGISTRY_NPM=https://registry.npmjs.org\n"
                                                                           "REGISTRY_MAVEN=https://repo.test:8443/maven2\n"
                                                                           "REGISTRIES=-D npm -D maven\n");
    // A live medium has its files in memory.
    EXPECT_EQ(mirror_cache(settings, 1500).mb, 150);
    EXPECT_EQ(mirror_cache(settings, 5).mb, 1);
}

TEST(HostNetwork, AGearHasItsElements) {
    const LinkRules gear = {"gb1000", 1000, ApplicationId("5f0000000000000000000100"), {}};
    EXPECT_EQ(admit_text(gear, {"gb1001"}),
              "add element inet gearbox owners { 1000 . \"gb1000\" }\n"
              "add element inet gearbox online { \"gb1000\" }\n"
              "add element inet gearbox siblings { \"gb1000\" . \"gb1001\", \"gb1001\" . \"gb1000\" }\n");
    EXPECT_EQ(forget_text(gear, {}), "delete element inet gearbox owners { 1000 . \"gb1000\" }\n"
                                     "delete element inet gearbox online { \"gb1000\" }\n");
}

TEST(HostNetwork, AGearWithoutEgressIsNotInTheMap) {
    EXPECT_EQ(admit_text({"gb1000", 1000, ApplicationId("5f0000000000000000000100"), {false, {}}}, {}),
              "add element inet gearbox owners { 1000 . \"gb1000\" }\n");
}

TEST(HostNetwork, AGearWithRulesHasAChain) {
    const LinkRules gear = {"gb1000", 1000, ApplicationId("5f0000000000000000000100"),
                            {false, {{"203.0.113.0/24", 0}, {"198.51.100.7/32", 443}}}};
    EXPECT_EQ(admit_text(gear, {}),
              "add chain inet gearbox to_gb1000\n"
              "add rule inet gearbox to_gb1000 jump names\n"
              "add rule inet gearbox to_gb1000 ip daddr 203.0.113.0/24 accept\n"
              "add rule inet gearbox to_gb1000 ip daddr 198.51.100.7/32 meta l4proto { tcp, udp } th dport 443 accept\n"
              "add rule inet gearbox to_gb1000 reject with icmpx admin-prohibited\n"
              "add element inet gearbox owners { 1000 . \"gb1000\" }\n"
              "add element inet gearbox egress { \"gb1000\" : goto to_gb1000 }\n");
    EXPECT_EQ(forget_text(gear, {}), "delete element inet gearbox owners { 1000 . \"gb1000\" }\n"
                                     "delete element inet gearbox egress { \"gb1000\" : goto to_gb1000 }\n"
                                     "delete chain inet gearbox to_gb1000\n");
}

TEST(Resolvers, ThoseThatOthersCanAsk) {
    EXPECT_EQ(parse_resolvers("# nameserver 1.1.1.1\nsearch lan\nnameserver 127.0.0.1\nnameserver\t10.0.2.3\n"
                              "nameserver fe80::1%eth0\nnameserver x\nnameserver 192.168.1.1 # home\n"),
              (std::vector<std::string>{"10.0.2.3", "192.168.1.1"}));
    EXPECT_EQ(resolv_conf({"10.0.2.3"}),
              "# The name servers of the host; kept up to date by gearboxd.\nnameserver 10.0.2.3\n");
}

}  // namespace

}  // namespace gearbox
