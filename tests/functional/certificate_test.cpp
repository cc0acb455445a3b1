// Certificates of aliases in the real router, which is never restarted for them.
#include "node_fixture.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <filesystem>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

namespace {

class CertificateTest : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        std::filesystem::create_directories("/var/lib/gearbox/tls");
        write_file_atomically("/var/lib/gearbox/tls/router.pem", make_pem("platform"), 0600);
        write_file_atomically("/var/lib/gearbox/router/routes.map", "");
        start_router();
    }
    void TearDown() override {
        stop_router();
        NodeTest::TearDown();
    }

    void start_router() {
        const std::string source = source_path("runtime/router/");
        const std::string edit = "s,/usr/share/gearbox/router/," + source + ",";
        write_file_atomically(work.path() / "haproxy.cfg",
                              run_tool_checked({"sed", edit, source + "haproxy.cfg"}));
        run_tool_checked({"haproxy", "-D", "-f", work.path() / "haproxy.cfg", "-p", work.path() / "pid"});
    }
    void stop_router() {
        // Its end is seen in the pid: the port is free for the next one then.
        run_tool({"bash", "-c", str("pid=$(<", (work.path() / "pid").native(),
                                    "); kill $pid; timeout 20 tail --pid=$pid -f /dev/null")});
    }

    std::string make_pem(const std::string& name) const {
        return run_tool_checked(
            {"bash", "-ec", str("cd ", work.path().native(),
                                "; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
                                " -subj /CN=", name, " -keyout key -out crt 2>/dev/null; cat crt key")});
    }

    /// The subject that a visitor of this name is shown.
    std::string shown_to(const std::string& host) const {
        return run_tool({"bash", "-c", str("openssl s_client -connect 127.0.0.1:443 -servername ", host,
                                           " </dev/null 2>/dev/null | openssl x509 -noout -subject")}).out;
    }

    TempDir work{"gearbox-router"};
};

TEST_F(CertificateTest, AreServedByNameAndReplacedWhileTheRouterRuns) {
    const std::string pid = read_file(work.path() / "pid");
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("platform"));
    agent->set_certificate("www.example.org", make_pem("first"));
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("first"));
    EXPECT_THAT(shown_to("api.example.org"), HasSubstr("platform"));
    agent->set_certificate("www.example.org", make_pem("second"));
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("second"));
    agent->set_certificate("api.example.org", make_pem("third"));
    EXPECT_THAT(shown_to("api.example.org"), HasSubstr("third"));
    agent->remove_certificate("www.example.org");
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("platform"));
    agent->remove_certificate("www.example.org");
    EXPECT_EQ(read_file(work.path() / "pid"), pid);
    EXPECT_EQ(run_tool({"kill", "-0", pid.substr(0, pid.find('\n'))}).status, 0);
}

TEST_F(CertificateTest, AreThereAfterARestartOfTheRouter) {
    agent->set_certificate("www.example.org", make_pem("kept"));
    stop_router();
    start_router();
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("kept"));
    EXPECT_EQ(std::filesystem::status("/var/lib/gearbox/router/certificates/www.example.org.pem").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    agent->set_certificate("www.example.org", make_pem("newer"));
    EXPECT_THAT(shown_to("www.example.org"), HasSubstr("newer"));
}

TEST_F(CertificateTest, ThatOfThePlatformIsReplacedWhileTheRouterRuns) {
    const std::string pid = read_file(work.path() / "pid");
    write_file_atomically("/var/lib/gearbox/tls/router.pem", make_pem("renewed"), 0600);
    agent->follow_host();
    EXPECT_THAT(shown_to("other.example.org"), HasSubstr("renewed"));
    EXPECT_EQ(read_file(work.path() / "pid"), pid);
}

// What the timer starts; here beside the machine's own state.
class RenewalTest : public ::testing::Test {
protected:
    static void renew(const fs::path& state) {
        run_tool_checked({"env", str("GEARBOX_STATE=", state.native()), str("GEARBOX_RUNTIME=", (state / "run").native()),
                          "GEARBOX_SETTINGS=/nonexistent", source_path("runtime/systemd/firstboot"), "certificates"});
        run_tool_checked({"openssl", "verify", "-CAfile", state / "tls/ca.crt", state / "tls/router.pem"});
    }
    static std::string key_of(const fs::path& certificate) {
        return run_tool_checked({"openssl", "x509", "-in", certificate, "-noout", "-pubkey"});
    }
    static void in_tls(const fs::path& state, const std::string& program) {
        run_tool_checked({"bash", "-ec", str("exec 2>&1; cd \"$1/tls\"; ", program), "bash", state});
    }
    static void make_router_certificate(const fs::path& state, const char* days) {
        in_tls(state, str("openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days ",
                          days, " -keyout key -out crt; cat crt key >router.pem; rm crt key"));
    }
    const TempDir work{"gearbox-renewal"};
    const fs::path& state = work.path();
};

TEST_F(RenewalTest, WhatHoldsIsKept) {
    renew(state);
    const std::string before = read_file(state / "tls/ca.crt") + read_file(state / "tls/router.pem");
    renew(state);
    EXPECT_EQ(read_file(state / "tls/ca.crt") + read_file(state / "tls/router.pem"), before);
    EXPECT_FALSE(fs::exists(state / "initial-users.json")) << "more than certificates";
}

TEST_F(RenewalTest, WhatEndsWithinAMonthIsMadeAnew) {
    renew(state);
    const std::string authority = read_file(state / "tls/ca.crt");
    make_router_certificate(state, "29");
    const std::string old = key_of(state / "tls/router.pem");
    renew(state);
    EXPECT_NE(key_of(state / "tls/router.pem"), old);
    EXPECT_EQ(read_file(state / "tls/ca.crt"), authority);
    make_router_certificate(state, "31");
    const std::string kept = key_of(state / "tls/router.pem");
    renew(state);
    EXPECT_EQ(key_of(state / "tls/router.pem"), kept);
}

TEST_F(RenewalTest, AnAuthorityThatHasEndedKeepsNameAndKey) {
    renew(state);
    const auto name = [&] { return run_tool_checked({"openssl", "x509", "-in", state / "tls/ca.crt", "-noout", "-subject", "-ext", "keyUsage"}); };
    const std::string before = name() + key_of(state / "tls/ca.crt");
    in_tls(state, "openssl x509 -in ca.crt -signkey ca.key -days -1 -out cut; mv cut ca.crt");
    renew(state);
    EXPECT_EQ(name() + key_of(state / "tls/ca.crt"), before);
}

}  // namespace

}  // namespace gearbox::test
