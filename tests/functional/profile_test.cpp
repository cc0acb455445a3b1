// Gears with a security profile, and one without beside them.
#include "conformance/attempts.h"
#include "conformance/judge.h"
#include "node_fixture.h"
#include "sys/seccomp.h"

#include "base/error.h"
#include "base/file.h"

#include <gmock/gmock-matchers.h>
#include <sys/syscall.h>

#include <algorithm>
#include <set>

namespace gearbox::test {

using ::testing::HasSubstr;

namespace {

class ProfileTest : public NodeTest {
protected:
    void SetUp() override {
        settings.security.profile_dir = profiles.path();
        NodeTest::SetUp();
    }

    /// Read when the daemon starts.
    void write_profile(const std::string& name, const std::string& text) {
        write_file_atomically(profiles.path() / (name + ".toml"), text);
        restart_agent();
    }

    /// A gear of a domain, without a cartridge, that runs.
    GearId create_gear(int number, const std::string& domain) {
        GearSpec spec = make_spec(number);
        spec.domain = *Namespace::parse(domain);
        agent->create_gear(spec);
        start(spec.id);
        return spec.id;
    }
    void start(const GearId& gear) {
        GearRecord record = agent->context().store.gear(gear);
        agent->context().launcher.ensure_running(record);
    }

    /// The errno of a system call in the gear; 0 when it succeeds.
    std::string tried(const GearId& gear, long number, const std::string& arguments = "0, 0, 0") {
        return inside(gear, str("perl -e '$r = syscall(", number, ", ", arguments, "); print $r < 0 ? $!+0 : 0'"));
    }

    TempDir profiles;
};

TEST_F(ProfileTest, AllowsAndRefusesSystemCalls) {
    write_profile("lab", "[assign]\ndomains = ['lab']\n[seccomp]\nallow = ['unshare']\nrefuse = ['sysinfo', 'seccomp']");
    const GearId gear = create_gear(60, "lab");
    const GearId other = create_gear(61, "acme");
    EXPECT_EQ(tried(other, SYS_unshare), "1") << "EPERM";
    EXPECT_EQ(tried(gear, SYS_unshare), "0");
    const std::string information = "$b = \"\\0\" x 200";
    EXPECT_EQ(tried(other, SYS_sysinfo, information), "0");
    EXPECT_EQ(tried(gear, SYS_sysinfo, information), "38") << "ENOSYS";
    EXPECT_EQ(tried(gear, SYS_clone3), "38") << "the others stay refused";
    const Json plan = agent->plan(gear);
    EXPECT_EQ(plan["privileges"]["filter"], "standard +unshare -seccomp -sysinfo");
    EXPECT_EQ(plan["profile"]["name"], "lab");
    EXPECT_EQ(agent->plan(other)["profile"], nullptr);
    EXPECT_EQ(agent->plan(other)["privileges"]["filter"], "standard");
    EXPECT_EQ(agent->profile(gear), "lab");
    EXPECT_EQ(agent->profile(other), "");
}

TEST_F(ProfileTest, KeepsCapabilities) {
    write_profile("ports", "[assign]\ndomains = ['lab']\n[capabilities]\nkeep = ['net_bind_service']");
    const GearId gear = create_gear(62, "lab");
    const GearId other = create_gear(63, "acme");
    const std::string bind =
        "perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", LocalPort => 80, "
        "Listen => 1) ? \"bound\" : $!'";
    EXPECT_EQ(inside(gear, bind), "bound");
    EXPECT_EQ(inside(other, bind), "Permission denied");
    // Not only bash: what it executes, too; and none but this one.
    const std::string status = inside(gear, "cat /proc/self/status");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
        EXPECT_THAT(status, HasSubstr(str(set, ":\t0000000000000400")));
    }
    EXPECT_THAT(status, HasSubstr("Uid:\t1062\t1062\t1062\t1062"));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(inside(other, "cat /proc/self/status"), HasSubstr("CapBnd:\t0000000000000000"));
    EXPECT_EQ(agent->plan(gear)["privileges"]["capabilities"], Json({"net_bind_service"}));
}

TEST_F(ProfileTest, LimitsFromTheFirstStartOfItsCartridge) {
    write_profile("tiny", "[assign]\ncartridges = ['mock']\n[limits]\nmemory_mb = 64\npids = 40\ntmp_mb = 3\nopen_files = 99");
    const GearId gear = create_application(64, {"mock"});
    const GearId other = create_gear(65, "acme");
    EXPECT_THAT(inside(gear, "perl -e '$x = \"a\" x (200 << 20); print length $x'; echo status $?"),
                HasSubstr("status 137"));
    EXPECT_THAT(inside(other, "perl -e '$x = \"a\" x (200 << 20); print length $x'; echo status $?"),
                HasSubstr("status 0"));
    EXPECT_EQ(inside(gear, "ulimit -n; ulimit -u; echo $OPENSHIFT_GEAR_MEMORY_MB"), "99\n40\n64\n");
    EXPECT_EQ(inside(gear, "df --block-size=M --output=size /tmp | tail -1 | tr -d ' '"), "3M\n")
        << "the sandbox was made for the gear that it was about to be";
    EXPECT_EQ(inside(other, "ulimit -n; df --block-size=M --output=size /tmp | tail -1 | tr -d ' '"), "4096\n128M\n");
    // With the cartridge goes the profile.
    agent->remove_cartridge(gear, cartridge("mock"));
    EXPECT_EQ(inside(gear, "ulimit -n; echo $OPENSHIFT_GEAR_MEMORY_MB"), "4096\n512\n");
}

TEST_F(ProfileTest, IsTakenWhenTheDaemonStarts) {
    const GearId gear = create_gear(66, "lab");
    EXPECT_EQ(tried(gear, SYS_unshare), "1");
    write_profile("lab", "[assign]\ndomains = ['lab']\n[seccomp]\nallow = ['unshare']");
    EXPECT_EQ(tried(gear, SYS_unshare), "0") << "the next program";
    std::filesystem::remove(profiles.path() / "lab.toml");
    restart_agent();
    EXPECT_EQ(tried(gear, SYS_unshare), "1");
    write_file_atomically(profiles.path() / "bad.toml", "[seccomp]\nalow = []");
    try {
        restart_agent();
        FAIL() << "the daemon started";
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), str((profiles.path() / "bad.toml").native(),
                                    ":2:8: unknown key 'seccomp.alow'; did you mean 'seccomp.allow'?"));
    }
    EXPECT_TRUE(agent->context().launcher.is_running(agent->context().store.gear(gear)));
}

// What cannot be refused is really all that gear-init needs.
TEST_F(ProfileTest, StartsASandboxThatMayDoNothing) {
    std::string all;
    for (const std::string& call : sys::system_calls()) {
        if (sys::why_needed(call) == nullptr) {
            all += str(all.empty() ? "" : ", ", "'", call, "'");
        }
    }
    write_profile("nothing", str("[assign]\ndomains = ['lab']\n[seccomp]\nrefuse = [", all, "]"));
    const GearId gear = create_gear(67, "lab");
    const GearId other = create_gear(70, "acme");
    const GearRecord record = agent->context().store.gear(gear);
    EXPECT_THAT(read_file(str("/proc/", record.init_pid, "/status")), HasSubstr("Seccomp_filters:\t2"));
    EXPECT_EQ(inside(other, "echo ran"), "ran\n");
    EXPECT_EQ(inside(gear, "echo ran"), "") << "no library can be opened";
    // PID 1 still ends when it is asked to.
    GearRecord ended = record;
    agent->context().launcher.kill(ended);
    EXPECT_FALSE(agent->context().launcher.is_running(ended));
}

// A filter that is switched off lets through what only it has stopped: the attempts are good, and the filter is
// needed.
TEST_F(ProfileTest, WithoutAFilterTheAttemptsThatOnlyItStopsSucceed) {
    write_profile("open", "[assign]\ndomains = ['lab']\n[seccomp]\nfilter = false");
    const GearId gear = create_gear(68, "lab");
    const GearId other = create_gear(69, "acme");
    EXPECT_THAT(inside(gear, "cat /proc/self/status"), HasSubstr("Seccomp:\t0"));
    EXPECT_THAT(inside(gear, "cat /proc/1/status"), HasSubstr("Seccomp:\t0"));
    EXPECT_THAT(inside(other, "cat /proc/self/status"), HasSubstr("Seccomp:\t2"));
    const std::vector<std::string> groups = {"kernel"};
    const auto not_stopped = [&](const GearId& id) {
        std::set<std::string> out;
        const std::string text = inside(id, libexec_dir() + "/gear-probe --group kernel");
        for (const auto& finding : conformance::judge(conformance::parse_facts(text), false, groups).findings) {
            if (finding.verdict == conformance::Verdict::not_stopped) {
                out.insert(finding.name);
            }
        }
        return out;
    };
    const std::set<std::string> through = not_stopped(gear);
    for (const char* name : {"unshare-user", "io-uring", "unlisted-call"}) {
        EXPECT_TRUE(through.contains(name)) << name;
    }
    for (const conformance::Attempt& attempt : conformance::attempts()) {
        const std::string name = conformance::kebab(attempt.identifier);
        if (attempt.group == std::string("kernel") && through.contains(name)) {
            EXPECT_TRUE(std::any_of(attempt.signs.begin(), attempt.signs.end(), [](const conformance::Sign& sign) {
                return sign.layer == conformance::Layer::seccomp;
            })) << name << " is not the filter's to stop";
        }
    }
    EXPECT_EQ(not_stopped(other), std::set<std::string>{}) << "the gear beside it";
}

}  // namespace

}  // namespace gearbox::test
