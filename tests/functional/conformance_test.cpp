// The probe in a real gear, beside a second one and a host that listens: whatever it tries is stopped.
#include "conformance/judge.h"
#include "node_fixture.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <gmock/gmock-matchers.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace gearbox::test {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

namespace {

// What nothing but SELinux, quotas or settings of the appliance stops: not there in this test.
const std::vector<std::string> left_to_the_appliance = {};

// What a gear must not reach is there to be reached: an attempt that only fails because of that
// would prove nothing.
class ConformanceTest : public NodeTest {
protected:
    void SetUp() override {
        settings.gear.memory_mb = 128;
        settings.gear.pids = 60;
        NodeTest::SetUp();
        run_tool_checked({"ip", "address", "replace", "192.0.2.1/32", "dev", "lo"});
        for (const int port : {22, 80, 443, 4080}) {
            listen_tcp(port);
        }
        listen_abstract("gearbox-conformance");
        for (const char* path : {"/run/gearbox/credentials", "/etc/gearbox/gearboxd.toml",
                                 "/etc/ssh/ssh_host_ed25519_key", "/var/lib/gearbox/state.db"}) {
            std::filesystem::create_directories(std::filesystem::path(path).parent_path());
            std::ofstream(path, std::ios::app) << "secret\n";
        }
        gear = create_application(40, {"mock"});
        other = create_application(41, {"mock"});
    }
    void TearDown() override {
        for (const int fd : listeners) {
            ::close(fd);
        }
        NodeTest::TearDown();
    }

    void listen_on(int fd, const sockaddr* address, socklen_t size) {
        constexpr int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        check(::bind(fd, address, size), "binding");
        check(::listen(fd, 8), "listening");
        listeners.push_back(fd);
    }
    void listen_tcp(int number) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(number));
        listen_on(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    void listen_abstract(const std::string& name) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
        listen_on(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()));
    }

    std::string targets() const {
        const GearRecord record = agent->context().store.gear(other);
        return to_text({{"other_uid", record.spec.uid},
                        {"other_home", "/var/lib/openshift/" + other.text()},
                        {"other_pid", record.init_pid},
                        {"other_address", link_addresses(record.spec.uid).gear},
                        {"other_port", record.find_web_endpoint()->proxy_port},
                        {"host_addresses", {"192.0.2.1"}},
                        {"memory_mb", settings.gear.memory_mb}});
    }

    std::vector<int> listeners;
    GearId gear;
    GearId other;
};

TEST_F(ConformanceTest, StopsEveryAttempt) {
    const std::string text = inside(gear, str(libexec_dir(), "/gear-probe --targets '", targets(), "'"));
    if (std::getenv("GEARBOX_SHOW_FACTS") != nullptr) {
        std::cout << text;
    }
    const conformance::Judgement judgement = conformance::judge(conformance::parse_facts(text), false);
    std::vector<std::string> not_stopped;
    for (const conformance::Finding& finding : judgement.findings) {
        if (conformance::is_failure(finding.verdict)) {
            not_stopped.push_back(finding.group + "/" + finding.name);
            std::cout << conformance::name_of(finding.verdict) << " " << not_stopped.back() << " "
                      << finding.error << " " << finding.detail << "\n";
        }
    }
    EXPECT_THAT(not_stopped, ElementsAreArray(left_to_the_appliance));
    EXPECT_GE(judgement.findings.size(), 120u);
    // Nothing is left behind, and both applications have survived it.
    EXPECT_EQ(inside(gear, "ls -A ~/app-root/data /tmp /var/tmp /dev/shm | grep gear-probe"), "");
    for (const GearId& id : {gear, other}) {
        const GearRecord record = agent->context().store.gear(id);
        EXPECT_EQ(http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop"),
                  "first version\n");
    }
}

TEST_F(ConformanceTest, RunsOneGroup) {
    const std::string text = inside(gear, libexec_dir() + "/gear-probe --group git-ssh");
    const auto judgement = conformance::judge(conformance::parse_facts(text), false, {"git-ssh"});
    EXPECT_EQ(judgement.failures(), 0u) << text;
    EXPECT_THAT(inside(gear, libexec_dir() + "/gear-probe --group x"), HasSubstr("no group 'x'"));
}

}  // namespace

}  // namespace gearbox::test
