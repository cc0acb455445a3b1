// Where gears may connect to, with a small internet in a namespace of its own behind the private host.
#include "internet_fixture.h"

#include "base/argv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "sys/process.h"

#include <gmock/gmock-matchers.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::Not;

namespace {

TEST_F(NetworkTest, ReachesTheInternetInTheHostsName) {
    EXPECT_EQ(fetch(gear, "203.0.113.10/"), str("I am 203.0.113.10, you are ", host_address, "\n"));
    EXPECT_EQ(fetch(gear, "www.example.org/"), str("I am 203.0.113.10, you are ", host_address, "\n"));
}

TEST_F(NetworkTest, ReachesNothingElse) {
    // A private network, a metadata service, a name server's other ports, the host.
    for (const char* address : {"10.1.2.3", "169.254.169.254", "10.1.2.53"}) {
        EXPECT_EQ(run_tool_checked({"curl", "-sS", "--max-time", "5", str("http://", address, "/")}),
                  str("I am ", address, ", you are ", host_address, "\n"));
        EXPECT_THAT(fetch(gear, address), HasSubstr("Couldn't connect")) << address;
    }
    EXPECT_THAT(fetch(gear, str(host_address, ":4080/")), HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch(gear, str(link_addresses(1050).host, ":22/")), HasSubstr("Couldn't connect"));
}

TEST_F(NetworkTest, ReachesWhatTheOperatorOpens) {
    settings.network.reachable = {"10.1.2.3:81"};
    settings.network.host_ports = {"8099"};
    restart_agent();
    EXPECT_EQ(fetch(gear, "10.1.2.3:81/"), str("I am 10.1.2.3, you are ", host_address, "\n"));
    EXPECT_THAT(fetch(gear, "10.1.2.3:80/"), HasSubstr("Couldn't connect"));
    // Nobody listens there, which is the host's own answer.
    EXPECT_THAT(inside(gear, str("exec 3<>/dev/tcp/", host_address, "/8099")), HasSubstr("Connection refused"));
    EXPECT_THAT(inside(gear, str("exec 3<>/dev/tcp/", host_address, "/8098")), HasSubstr("No route to host"));
}

TEST_F(NetworkTest, ReachesNothingWithoutEgress) {
    settings.network.egress = false;
    restart_agent();
    EXPECT_THAT(fetch(gear, "203.0.113.10/"), HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch(gear, "www.example.org/"), HasSubstr("Could not resolve"));
    const GearRecord record = agent->context().store.gear(gear);
    EXPECT_EQ(http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop"),
              "first version\n");
}

TEST_F(NetworkTest, ReachesWhatItsProfileSays) {
    const TempDir profiles;
    settings.security.profile_dir = profiles.path();
    const auto restart_with = [&](const std::string& egress) {
        write_file_atomically(profiles.path() / "acme.toml",
                              str("[assign]\ndomains = ['acme']\n[network]\negress = ", egress));
        restart_agent();
    };
    restart_with("['10.1.2.3:81', '169.254.0.0/16']");
    EXPECT_EQ(fetch(gear, "10.1.2.3:81/"), str("I am 10.1.2.3, you are ", host_address, "\n"));
    EXPECT_EQ(fetch(gear, "169.254.169.254/"), str("I am 169.254.169.254, you are ", host_address, "\n"));
    EXPECT_THAT(fetch(gear, "10.1.2.3:80/"), HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch(gear, "203.0.113.10/"), HasSubstr("Couldn't connect"));
    EXPECT_EQ(agent->plan(gear)["profile"]["egress"].size(), 2u);
    restart_with("'none'");
    EXPECT_THAT(fetch(gear, "10.1.2.3:81/"), HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch(gear, "203.0.113.10/"), HasSubstr("Couldn't connect"));
    settings.network.egress = false;
    restart_with("'internet'");
    EXPECT_EQ(fetch(gear, "203.0.113.10/"), str("I am 203.0.113.10, you are ", host_address, "\n"));
    std::filesystem::remove(profiles.path() / "acme.toml");
    restart_agent();
    EXPECT_THAT(fetch(gear, "203.0.113.10/"), HasSubstr("Couldn't connect"));
}

TEST_F(NetworkTest, GearsOfOneApplicationReachEachOther) {
    const GearId other = create_application(51, {"mock"});
    GearSpec spec = make_spec(52);
    spec.application = agent->context().store.gear(gear).spec.application;
    agent->create_gear(spec);
    agent->add_cartridge(spec.id, cartridge("mock"));
    agent->create_repository(spec.id, {});
    agent->start(spec.id);
    const auto place = [&](const GearId& id) {
        const GearRecord record = agent->context().store.gear(id);
        return str(link_addresses(record.spec.uid).gear, ":", record.find_web_endpoint()->proxy_port, "/");
    };
    EXPECT_EQ(fetch(spec.id, place(gear)), "first version\n");
    EXPECT_THAT(fetch(spec.id, place(other)), HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch(other, place(gear)), HasSubstr("Couldn't connect"));
    // Only what the gear offers: not its other ports.
    EXPECT_THAT(inside(spec.id, str("curl -sS --max-time 1 http://", link_addresses(1050).gear, ":22")), HasSubstr("timed out"));
    // The daemon starts again, and one of the two goes.
    restart_agent();
    EXPECT_EQ(fetch(spec.id, place(gear)), "first version\n");
    agent->destroy_gear(spec.id);
    EXPECT_THAT(tool("nft list set inet gearbox siblings"), Not(HasSubstr("gb")));
}

// sshd opens forwarded ports as the gear's user.
TEST_F(NetworkTest, OnlyItsOwnUserOfTheHostReachesIt) {
    const GearId other = create_application(51, {"mock"});
    const auto fetch_as = [&](int uid, const GearId& id) {
        const GearRecord record = agent->context().store.gear(id);
        const std::string user = std::to_string(uid);
        return run_tool({"setpriv", "--reuid", user, "--regid", user, "--clear-groups", "curl", "-sS", "--max-time", "5",
                         str("http://", link_addresses(record.spec.uid).gear, ":", record.find_web_endpoint()->proxy_port)});
    };
    EXPECT_EQ(fetch_as(1050, gear).out, "first version\n");
    EXPECT_THAT(fetch_as(1050, other).err, HasSubstr("Couldn't connect"));
    EXPECT_THAT(fetch_as(65534, gear).err, HasSubstr("Couldn't connect"));
    EXPECT_EQ(fetch_as(0, gear).out, "first version\n");
}

TEST_F(NetworkTest, HasSoManyConnectionsAndNoMore) {
    EXPECT_EQ(inside(gear, R"(exec perl -MSocket -e '
        socket my $s, AF_INET, SOCK_DGRAM, 0;
        send $s, "x", 0, sockaddr_in(20000 + $_, inet_aton "203.0.113.10") for 1 .. 5000')"), "");
    EXPECT_THAT(fetch(gear, "203.0.113.10/"), HasSubstr("Couldn't connect"));
    const int kept = std::atoi(find_file("/proc/sys/net/netfilter/nf_conntrack_count").value_or("").c_str());
    EXPECT_GE(kept, 4096);
    EXPECT_LT(kept, 4600) << "others of this network included";
}

TEST_F(NetworkTest, AGearThatRunsHearsOfOtherNameServers) {
    std::ofstream("/etc/resolv.conf") << "nameserver 10.1.2.99\n";
    agent->follow_host();
    EXPECT_THAT(inside(gear, "cat /etc/resolv.conf"), HasSubstr("nameserver 10.1.2.99\n"));
    EXPECT_THAT(tool("nft list set inet gearbox resolvers"), HasSubstr("elements = { 10.1.2.99 }"));
    EXPECT_THAT(inside(gear, "echo x >/etc/resolv.conf"), HasSubstr("Read-only file system"));
    EXPECT_EQ(fetch(gear, "203.0.113.10/"), str("I am 203.0.113.10, you are ", host_address, "\n"));
}

TEST_F(NetworkTest, HasNoIpv6ButItsOwnLoopback) {
    EXPECT_EQ(inside(gear, "cut -c1-32 /proc/net/if_inet6 | sort -u"), "00000000000000000000000000000001\n");
    EXPECT_EQ(find_file("/proc/sys/net/ipv6/conf/gb1050/disable_ipv6"), "1\n");
    EXPECT_THAT(inside(gear, "exec 3<>/dev/tcp/2001:db8::1/80"), HasSubstr("Network is unreachable"));
}

TEST_F(NetworkTest, CannotFillTheHostsTableOfConnections) {
    inside(gear, "for p in $(seq 1 5000); do echo x >/dev/udp/203.0.113.10/$p; done 2>/dev/null");
    const auto connections = std::strtol(find_file("/proc/sys/net/netfilter/nf_conntrack_count").value_or("").c_str(), nullptr, 10);
    EXPECT_GT(connections, 3500);
    EXPECT_LT(connections, 4500);
}

TEST_F(NetworkTest, HasItsBandwidthAndNoMore) {
    settings.gear.network_mbit = 4;
    restart_agent();
    const auto seconds = [&] {
        const auto began = std::chrono::steady_clock::now();
        EXPECT_EQ(fetch(gear, "203.0.113.10/size/1000000 | wc -c"), "1000000\n");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    // At once on the running gear, and again after its next start. 128 KiB come in one go.
    agent->set_resources(gear, {});
    EXPECT_GT(seconds(), 1.5);
    agent->stop(gear, false);
    agent->start(gear);
    EXPECT_GT(seconds(), 1.5);
    const std::string pid = std::to_string(agent->context().store.gear(gear).init_pid);
    EXPECT_THAT(tool("nsenter --net=/proc/" + pid + "/ns/net tc qdisc show dev eth0"), AllOf(HasSubstr("qdisc tbf"), HasSubstr("rate 4Mbit")));
    settings.gear.network_mbit = 0;
    restart_agent();
    agent->set_resources(gear, {});
    EXPECT_THAT(tool("tc qdisc show dev gb1050"), Not(HasSubstr("tbf")));
}

}  // namespace

}  // namespace gearbox::test
