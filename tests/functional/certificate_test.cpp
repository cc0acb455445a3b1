// Certificates of aliases in the real router, which is never restarted for them.
#include "node_fixture.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <filesystem>

namespace gearbox::test {

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

}  // namespace

}  // namespace gearbox::test
