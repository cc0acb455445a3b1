#include "model/gear.h"

#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace gearbox {
namespace {

// Test vectors of the cartridge contract, section 23.
TEST(Gear, LoopbackAddressesAreTheContracts) {
    EXPECT_EQ(loopback_address(500, 1), "127.0.250.1");
    EXPECT_EQ(loopback_address(1000, 1), "127.1.244.1");
    EXPECT_EQ(loopback_address(1000, 127), "127.1.244.127");
    EXPECT_EQ(loopback_address(1001, 1), "127.1.244.129");
    EXPECT_EQ(loopback_address(6999, 1), "127.13.171.129");
    EXPECT_EQ(loopback_address(65535, 1), "127.127.255.129");
    EXPECT_EQ(loopback_address(65536, 1), "127.0.0.129");
    EXPECT_THROW(loopback_address(1000, 0), Error);
    EXPECT_THROW(loopback_address(1000, 128), Error);
}

TEST(Gear, PublicPortsAreTheContracts) {
    EXPECT_EQ(first_public_port(500), 35531);
    EXPECT_EQ(first_public_port(1000), 38031);
    EXPECT_EQ(first_public_port(1001), 38036);
    EXPECT_EQ(first_public_port(6499), 65526);
    EXPECT_EQ(first_public_port(6999), 38021 + 0 * public_ports_per_gear);
}

TEST(Gear, CategoryPairsAreTheContracts) {
    using Pair = std::pair<int, int>;
    EXPECT_EQ(mcs_categories(1), Pair(0, 1));
    EXPECT_EQ(mcs_categories(2), Pair(0, 2));
    EXPECT_EQ(mcs_categories(1000), Pair(0, 1000));
    EXPECT_EQ(mcs_categories(1023), Pair(0, 1023));
    EXPECT_EQ(mcs_categories(1024), Pair(1, 2));
    EXPECT_EQ(mcs_categories(2045), Pair(1, 1023));
    EXPECT_EQ(mcs_categories(2046), Pair(2, 3));
    EXPECT_EQ(mcs_categories(6999), Pair(6, 882));
    EXPECT_EQ(mcs_categories(523776), Pair(1022, 1023));
    EXPECT_THROW(mcs_categories(0), Error);
    EXPECT_THROW(mcs_categories(523777), Error);
    EXPECT_EQ(mcs_level(1024), "s0:c1,c2");
}

TEST(Gear, EveryUidHasItsOwnPairAndLink) {
    std::set<std::string> levels;
    std::set<std::string> addresses;
    for (uid_t uid = 1000; uid <= 6999; ++uid) {
        levels.insert(mcs_level(uid));
        addresses.insert(link_addresses(uid).host);
        addresses.insert(link_addresses(uid).gear);
    }
    EXPECT_EQ(levels.size(), 6000u);
    EXPECT_EQ(addresses.size(), 12000u);
}

TEST(Gear, LinkAddressesArePairedAtEvenAddresses) {
    EXPECT_EQ(link_addresses(1000).host, "100.64.7.208");
    EXPECT_EQ(link_addresses(1000).gear, "100.64.7.209");
    EXPECT_EQ(link_name(1000), "gb1000");
}

TEST(Gear, StatesKeepTheContractsWords) {
    for (const char* word : {"new", "started", "stopped", "idle", "building", "deploying"}) {
        EXPECT_STREQ(name_of(parse_gear_state(word)), word);
    }
    EXPECT_EQ(parse_gear_state("nonsense"), GearState::unknown);
}

}  // namespace
}  // namespace gearbox
