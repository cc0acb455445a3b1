// Security profiles as values, and where gears may connect to.
#include "model/profile.h"

#include "base/error.h"

#include <gtest/gtest.h>

namespace gearbox {
namespace {

std::string read(std::string_view text) {
    try {
        const EgressRule rule = parse_egress_rule(text);
        return str(rule.network, " ", rule.port);
    } catch (const Error& error) {
        return error.text().substr(0, error.text().find(" an address"));
    }
}

TEST(EgressRule, IsAnAddressOrANetworkWithAPort) {
    EXPECT_EQ(read("203.0.113.0/24"), "203.0.113.0/24 0");
    EXPECT_EQ(read("198.51.100.7"), "198.51.100.7/32 0");
    EXPECT_EQ(read("198.51.100.7:443"), "198.51.100.7/32 443");
    EXPECT_EQ(read("203.0.113.0/24:65535"), "203.0.113.0/24 65535");
    EXPECT_EQ(read("0.0.0.0/0"), "0.0.0.0/0 0");
}

TEST(EgressRule, IsReadStrictly) {
    for (const char* text : {"", "example.com", "203.0.113", "203.0.113.0/33", "203.0.113.0/", "203.0.113.0/08",
                             "203.0.113.0/-1", "198.51.100.7:", "198.51.100.7:0", "198.51.100.7:65536",
                             "198.51.100.7:https", "198.51.100.7:443 ", " 198.51.100.7", "198.51.100.07", "203.0.113.0/24/8"}) {
        EXPECT_EQ(read(text), str("'", text, "' is not")) << text;
    }
    for (const char* text : {"2001:db8::/32", "[2001:db8::1]:443", "[198.51.100.7]:443"}) {
        EXPECT_EQ(read(text), str("'", text, "' is of IPv6, which gears do not have: name networks of IPv4"));
    }
    EXPECT_EQ(read("203.0.113.7/24"), "'203.0.113.7/24' has bits behind its prefix; the network is '203.0.113.0/24'");
}

TEST(FilterRules, HaveANameThatSaysThemAll) {
    EXPECT_EQ(name_of(FilterRules{}), "standard");
    EXPECT_EQ(name_of(FilterRules{true, {"bpf", "clone3"}, {"ptrace"}}), "standard +bpf +clone3 -ptrace");
    EXPECT_EQ(name_of(FilterRules{false, {}, {}}), "none");
}

TEST(Profile, HasAPlainName) {
    EXPECT_TRUE(is_profile_name("quiet-2_a"));
    for (const char* name : {"", "Quiet", "-quiet", "_quiet", "a b", "a.b", "../a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
        EXPECT_FALSE(is_profile_name(name)) << name;
    }
}

TEST(Profile, TellsOperatorsAllOfIt) {
    Profile profile;
    profile.name = "quiet";
    EXPECT_EQ(to_json(profile)["egress"], nullptr);
    profile.egress = Egress{true, {}};
    EXPECT_EQ(to_json(profile)["egress"], "internet");
    profile.egress = Egress{false, {}};
    EXPECT_EQ(to_json(profile)["egress"], "none");
    profile.egress->rules = {{"203.0.113.0/24", 443}};
    EXPECT_EQ(to_json(profile)["egress"], parse_json(R"([{"network":"203.0.113.0/24","port":443}])"));
    profile.limits = {{"pids", 64}};
    EXPECT_EQ(to_json(profile)["limits"], parse_json(R"({"pids":64})"));
    EXPECT_EQ(to_json(profile)["filter"], "standard");
}

}  // namespace
}  // namespace gearbox
