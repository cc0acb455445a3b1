// A NodeTest with a small internet (internet.py) in a namespace of its own behind the private host.
#pragma once
#include "base/file.h"
#include "base/subprocess.h"
#include "node_fixture.h"
#include "support/paths.h"
#include "sys/process.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace gearbox::test {

inline constexpr const char* host_address = "198.51.100.2";

class NetworkTest : public NodeTest {
protected:
    void SetUp() override {
        // A gear is told of six refusals at once and of one a second then (icmp(7)); tests are faster than that.
        std::ofstream("/proc/sys/net/ipv4/icmp_ratelimit") << "0\n";
        tool("ip netns add internet");
        tool("ip link add uplink type veth peer name eth0 netns internet");
        tool(str("ip addr add ", host_address, "/24 dev uplink"));
        tool("ip link set uplink up");
        tool("ip route replace default via 198.51.100.1");
        tool("ip netns exec internet sh -c 'ip link set lo up; ip link set eth0 up; ip addr add 198.51.100.1/24 dev eth0;"
             " for a in 203.0.113.10 10.1.2.3 10.1.2.53 169.254.169.254; do ip addr add $a/32 dev lo; done'");
        start_internet();
        std::ofstream("/etc/resolv.conf") << "nameserver 10.1.2.53\n";
        NodeTest::SetUp();
        gear = create_application(50, {"mock"});
    }
    void TearDown() override {
        NodeTest::TearDown();
        if (internet_) {
            internet_->kill(SIGTERM);
            internet_->wait();
        }
        tool("ip link delete uplink");
        tool("ip netns delete internet");
    }

    static std::string tool(const std::string& line) { return run_tool_checked({"sh", "-c", line}); }

    /// What a gear gets from there: the page, or the reason why not.
    std::string fetch(const GearId& from, const std::string& url) const {
        return inside(from, "curl -sS --max-time 5 --noproxy '*' http://" + url);
    }

    /// Below http://203.0.113.10/files/.
    const std::filesystem::path& served() const { return served_.path(); }

    GearId gear;

private:
    void start_internet() {
        Pipe out = make_pipe();
        Pipe in = make_pipe();
        sys::Program program;
        program.path = "/usr/sbin/ip";
        program.argv = {"ip", "netns", "exec", "internet", "python3", "-B", source_path("tests/functional/internet.py"),
                        served_.path()};
        program.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
        program.descriptors = {{in.read.get(), 0}, {out.write.get(), 1}, {2, 2}};
        internet_.emplace(sys::spawn(program));
        keep_ = std::move(in.write);
        out.write.reset();
        char text[6] = {};
        ASSERT_EQ(::read(out.read.get(), text, 6), 6);
    }

    const TempDir served_;
    std::optional<sys::Child> internet_;
    UniqueFd keep_;
};

}  // namespace gearbox::test
