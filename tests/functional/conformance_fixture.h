// A gear to break out of: a neighbour, and a host that listens and has secrets.
#pragma once
#include "conformance/judge.h"
#include "node_fixture.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace gearbox::test {

// What a gear must not reach is there to be reached: an attempt that only fails because of that
// would prove nothing.
class ConformanceTest : public NodeTest {
protected:
    void SetUp() override {
        settings.gear.memory_mb = 128;
        settings.gear.pids = 60;
        settings.gear.cpu_percent = 150;
        NodeTest::SetUp();
        run_tool_checked({"ip", "address", "replace", "192.0.2.1/32", "dev", "lo"});
        for (const int port : {22, 80, 443, 4080}) {
            listen_tcp(port);
        }
        listen_abstract("gearbox-conformance");
        for (const char* path : {"/run/gearbox/credentials", "/var/lib/gearbox/operator-password", "/etc/gearbox/gearboxd.toml",
                                 "/etc/ssh/ssh_host_ed25519_key", "/var/lib/gearbox/state.db"}) {
            std::filesystem::create_directories(std::filesystem::path(path).parent_path());
            std::ofstream(path, std::ios::app) << "secret\n";
        }
        gear = create_application(40, {"mock"});
        other = create_application(41, {"mock"});
        agent->set_authorized_keys(
            gear, {{"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIA", "laptop", "demo"}});
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
        listen_on(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                  reinterpret_cast<const sockaddr*>(&address),
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

    static std::set<std::string> not_stopped(const conformance::Judgement& judgement) {
        std::set<std::string> out;
        for (const conformance::Finding& finding : judgement.findings) {
            if (conformance::is_failure(finding.verdict)) {
                out.insert(finding.group + "/" + finding.name);
            }
        }
        return out;
    }

    std::vector<int> listeners;
    GearId gear;
    GearId other;
};

}  // namespace gearbox::test
