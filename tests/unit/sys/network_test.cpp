#include "sys/network.h"

#include <gtest/gtest.h>

namespace gearbox::sys::test {

namespace {

TEST(Network, LinkIsOneBatch) {
    EXPECT_EQ(link_commands({"gb1001", "100.64.7.210"}, 77),
              "link add gb1001 type veth peer name eth0 netns 77\n"
              "link set gb1001 addrgenmode none\n"
              "addr add 100.64.7.210/31 dev gb1001\n"
              "link set gb1001 up\n");
}

TEST(Network, OnlyForwardedPortsAreOpen) {
    EXPECT_EQ(forwarding_rules({{38036, "127.1.244.129", 8080}}),
              "table ip gearbox\n"
              "delete table ip gearbox\n"
              "table ip gearbox {\n"
              "    chain prerouting {\n"
              "        type nat hook prerouting priority dstnat; policy accept;\n"
              "        iifname \"eth0\" tcp dport 38036 dnat to 127.1.244.129:8080\n"
              "    }\n"
              "    chain input {\n"
              "        type filter hook input priority 0; policy accept;\n"
              "        iifname \"eth0\" ct status dnat accept\n"
              "        iifname \"eth0\" ct state established,related accept\n"
              "        iifname \"eth0\" drop\n"
              "    }\n"
              "}\n");
}

}  // namespace

}  // namespace gearbox::sys::test
