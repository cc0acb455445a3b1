// The probe in a real gear, beside a second one and a host that listens: whatever it tries is
// stopped.
#include "conformance/judge.h"
#include "ssh_fixture.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <gmock/gmock-matchers.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

namespace gearbox::test {

using ::testing::HasSubstr;

namespace {

// Nothing but SELinux stops these, which is not on where this test runs.
const std::set<std::string> of_selinux = {
    "labels/exec-label",          "labels/current-label",         "labels/current-categories",
    "labels/file-creation-label", "labels/socket-creation-label", "labels/key-creation-label",
    "labels/label-own-file",
};

// What kernels may lack, and the end of the disk. All others must have been tried.
const std::set<std::string> may_be_absent = {
    "files/modprobe-path-write",
    "kernel/call-32-bit",
    "kernel/sysrq-trigger",
    "kernel/kcore",
    "kernel/kallsyms",
    "kernel/keys-proc",
    "kernel/page-flags",
    "kernel/kmsg-proc",
    "labels/autogroup-nice",
    "labels/immutable-own-file",
    "resources/disk",
};

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

TEST_F(ConformanceTest, StopsEveryAttempt) {
    const std::string text =
        inside(gear, str(libexec_dir(), "/gear-probe --targets '", targets(), "'"));
    if (std::getenv("GEARBOX_SHOW_FACTS") != nullptr) {
        std::cout << text;
    }
    const conformance::Judgement judgement =
        conformance::judge(conformance::parse_facts(text), false);
    EXPECT_EQ(judgement.failures(), 0u);
    std::set<std::string> needing_selinux;
    for (const conformance::Finding& finding : judgement.findings) {
        const std::string name = finding.group + "/" + finding.name;
        EXPECT_FALSE(conformance::is_failure(finding.verdict))
            << conformance::name_of(finding.verdict) << " " << name << " " << finding.error << " "
            << finding.detail;
        if (finding.needs_selinux) {
            needing_selinux.insert(name);
        } else if (finding.verdict == conformance::Verdict::absent) {
            EXPECT_TRUE(may_be_absent.contains(name)) << name << ": " << finding.detail;
        }
    }
    EXPECT_EQ(needing_selinux, of_selinux);
    EXPECT_GE(judgement.findings.size(), 120u);
    // Nothing is left behind, and both applications have survived it.
    EXPECT_EQ(inside(gear, "ls -A ~/app-root/data /tmp /var/tmp /dev/shm | grep gear-probe"), "");
    for (const GearId& id : {gear, other}) {
        const GearRecord record = agent->context().store.gear(id);
        EXPECT_EQ(http_get(link_addresses(record.spec.uid).gear,
                           record.find_web_endpoint()->proxy_port, "shop"),
                  "first version\n");
    }
}

TEST_F(ConformanceTest, RunsOneGroup) {
    const std::string text = inside(gear, libexec_dir() + "/gear-probe --group git-ssh");
    const auto judgement = conformance::judge(conformance::parse_facts(text), false, {"git-ssh"});
    EXPECT_EQ(judgement.failures(), 0u) << text;
    EXPECT_THAT(inside(gear, libexec_dir() + "/gear-probe --group x"), HasSubstr("no group 'x'"));
}

// The attempts work: with one wall taken down, those that it stopped come through.
TEST_F(ConformanceTest, SeesAHostWithoutItsFilter) {
    run_tool_checked({"nft", "delete", "table", "inet", "gearbox"});
    const std::string text =
        inside(gear, str(libexec_dir(), "/gear-probe --group network --targets '", targets(), "'"));
    restart_agent();
    EXPECT_EQ(not_stopped(conformance::judge(conformance::parse_facts(text), false, {"network"})),
              (std::set<std::string>{"network/other-gear-port", "network/other-gear-by-device",
                                     "network/other-host-end", "network/other-host-end-by-device",
                                     "network/host-daemon", "network/host-sshd", "network/host-http",
                                     "network/host-https", "network/host-udp", "network/host-addresses",
                                     "network/host-addresses-by-device"}))
        << text;
}

// The gear's user outside of the gear: users and modes alone, as on a host without all this.
TEST_F(ConformanceTest, SeesThatThereIsNoGear) {
    const std::string uid = std::to_string(make_spec(40).uid);
    const std::string home = "/var/lib/openshift/" + gear.text();
    const std::string text =
        run_tool_checked({"env", "HOME=" + home, "setpriv", "--reuid", uid, "--regid", uid,
                          "--clear-groups", libexec_dir() + "/gear-probe", "--group", "files",
                          "--group", "processes", "--group", "kernel", "--targets", targets()});
    const auto judgement =
        conformance::judge(conformance::parse_facts(text), false, {"files", "processes", "kernel"});
    const std::set<std::string> seen = not_stopped(judgement);
    for (const char* name :
         {"files/other-homes-walk", "files/passwd-of-host", "files/setuid-program", "files/sysfs",
          "processes/foreign-in-proc", "processes/pidfd-open", "processes/kill-everything",
          "kernel/unshare-user", "kernel/io-uring"}) {
        EXPECT_TRUE(seen.contains(name)) << name;
    }
}

// The daemon's own score is inherited by gear-init. Raised here: lowering takes a capability.
TEST_F(ConformanceTest, IsNotSparedWhenMemoryIsShort) {
    const auto set_own = [](const char* value) {
        std::ofstream("/proc/self/oom_score_adj") << value;
    };
    set_own("100");
    EXPECT_EQ(inside(gear, "cat /proc/self/oom_score_adj"), "0\n");
    agent->stop(gear, false);
    agent->start(gear);
    EXPECT_EQ(inside(gear, "cat /proc/1/oom_score_adj"), "0\n");
    set_own("0");
}

// As the client runs it: over a real sshd, with what a session inherits.
using ConformanceSessionTest = SshTest;

TEST_F(ConformanceSessionTest, RunsOverSsh) {
    const std::vector<std::string> groups = {"files", "processes", "git-ssh", "archives"};
    const ToolResult result = ssh(conformance::probe_command(groups));
    EXPECT_EQ(result.status, 0) << result.err;
    const auto judgement = conformance::judge(conformance::parse_facts(result.out), false, groups);
    for (const std::string& line : conformance::summary(judgement)) {
        std::cout << line << "\n";
    }
    EXPECT_EQ(judgement.failures(), 0u);
}

}  // namespace

}  // namespace gearbox::test
