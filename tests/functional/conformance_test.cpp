// The probe in a real gear, beside a second one and a host that listens: whatever it tries is
// stopped.
#include "conformance_fixture.h"
#include "ssh_fixture.h"

#include <gmock/gmock-matchers.h>

#include <cstdlib>
#include <iostream>

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
    "kernel/sysrq-trigger",
    "kernel/call-32-bit",
    "kernel/kcore",
    "kernel/kallsyms",
    "kernel/keys-proc",
    "resources/core-handler",  // no program takes dumps here
    "kernel/page-flags",
    "kernel/kmsg-proc",
    "labels/autogroup-nice",
    "labels/immutable-own-file",
    "resources/disk",
    "resources/inodes",
    "resources/connections",
    "resources/processor",  // of one processor the share may be all
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
    EXPECT_THAT(inside(gear, libexec_dir() + "/gear-probe --attempt x"), HasSubstr("no attempt 'x'"));
    EXPECT_EQ(conformance::parse_facts(inside(gear, libexec_dir() + "/gear-probe --attempt open-files --attempt tmp-fill")).facts.size(), 2u);
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
