// setup: trust on first use, keys, domain; by options and by conversation.
#include "unit/cli/fake_broker.h"

#include "cli/trust.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace gearbox::cli {
namespace {

using ::testing::HasSubstr;

// A throw-away certificate of this test alone.
const char* const certificate = R"(-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUcMS9d1aWQcQrU/yip/nQj/Dx0n4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMwNDQ2NDZaGA8yMTI2MTAzMDA0NDY0
NlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLaB
wDhrhp2mYNcbJ1v314RB7ViwE4GyTgX2NlwbTWZxWD7ckXYZ6eQz11peA8eZWvXJ
NuC9DaqtCZE+/nR015ijUzBRMB0GA1UdDgQWBBR8ssz7/WMbpqIbekgYvo747/l9
VTAfBgNVHSMEGDAWgBR8ssz7/WMbpqIbekgYvo747/l9VTAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCfmVCF9Wrsv5UDcq1C4DMWPsL1FC8XQ4EX
Mlog+UULfAIhANUDpup10yZgQJry4U6/1km8pd2kdtJEVjcSpdMqzfrm
-----END CERTIFICATE-----
)";
const char* const fingerprint = "FD:21:43:48:3D:DF:4C:B2:26:E2:C5:B3:B8:F2:16:CC:39:7F:AB:D2:7E:B4:B5:C6:71:D3:5D:D4:CD:4E:AA:DF";

class SetupTest : public CliTest {
protected:
    void SetUp() override {
        std::filesystem::create_directories(directory.path() / ".ssh");
        write_file_atomically(directory.path() / ".ssh/id_ed25519", "PRIVATE KEY", 0600);
        write_file_atomically(directory.path() / ".ssh/id_ed25519.pub", "ssh-ed25519 AAAA me@here\n");
        broker.answers["GET /api"] = {200, Json::object(), {}};
        broker.answers["POST /user/authorizations"] = {201, {{"token", "abc"}}, {}};
        broker.answers["GET /user/keys"] = {200, Json::array(), {}};
        broker.answers["POST /user/keys"] = {201, Json::object(), {}};
        broker.answers["GET /domains"] = {200, Json::array(), {}};
        broker.answers["POST /domains"] = {201, {{"name", "demo"}}, {}};
    }
    int run_setup(std::vector<std::string> more, const std::string& input = "secret\n") {
        more.insert(more.begin(), {"setup", "--server", "gearbox.localhost:8443", "--login", "demo",
                                   "--password-stdin"});
        return run(more, input);
    }
};

TEST_F(SetupTest, runs_unattended) {
    EXPECT_EQ(run_setup({"--domain", "demo", "--ssh-port", "8022", "--http-port", "8080"}), 0) << err;
    const Config config = store().load();
    EXPECT_EQ(config.server, "https://gearbox.localhost:8443");
    EXPECT_EQ(config.domain, "demo");
    EXPECT_EQ(config.ssh_port, 8022);
    EXPECT_EQ(config.ssh_key, (directory.path() / ".ssh/id_ed25519").native());
    EXPECT_EQ(store().find_token(), "abc");
    struct stat status {};
    ASSERT_EQ(::stat(store().path("token").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(parse_json(broker.last("POST", "/user/keys")->body),
              Json({{"name", "default"}, {"type", "ssh-ed25519"}, {"content", "AAAA"}}));
}

TEST_F(SetupTest, does_not_upload_a_key_that_is_there) {
    broker.answers["GET /user/keys"] = {
        200, Json::array({{{"name", "old"}, {"type", "ssh-ed25519"}, {"content", "AAAA"}}}), {}};
    EXPECT_EQ(run_setup({"--domain", "demo"}), 0) << err;
    EXPECT_EQ(broker.last("POST", "/user/keys"), nullptr);
}

TEST_F(SetupTest, uses_the_domain_that_is_there) {
    broker.answers["GET /domains"] = {200, Json::array({{{"name", "first"}}}), {}};
    EXPECT_EQ(run_setup({}), 0) << err;
    EXPECT_EQ(store().load().domain, "first");
    EXPECT_EQ(broker.last("POST", "/domains"), nullptr);
}

TEST_F(SetupTest, refuses_an_unknown_authority_unless_told) {
    broker.trusted = false;
    broker.files["/client/ca.crt"] = certificate;
    EXPECT_EQ(run_setup({}), exit_status::error);
    EXPECT_THAT(err, HasSubstr(fingerprint));
    EXPECT_THAT(err, HasSubstr("--trust"));
    EXPECT_EQ(run_setup({"--trust", "--domain", "demo"}), 0) << err;
    EXPECT_EQ(read_file(store().load().ca_file), certificate);
}

TEST_F(SetupTest, asks_for_what_is_missing) {
    broker.trusted = false;
    broker.files["/client/ca.crt"] = certificate;
    EXPECT_EQ(run({"setup"}, "gearbox.localhost\nyes\ndemo\nsecret\ndemo\n", true), 0) << err;
    EXPECT_EQ(store().load().server, "https://gearbox.localhost");
}

TEST_F(SetupTest, wrong_password_sets_nothing_up) {
    broker.answers["POST /user/authorizations"] = {401, nullptr, {}};
    EXPECT_EQ(run_setup({}), exit_status::error);
    EXPECT_THAT(err, HasSubstr("password is not right"));
    EXPECT_EQ(store().load(), Config());
}

TEST(Server, parses_hosts_ports_and_urls) {
    EXPECT_EQ(Server::parse("gearbox.lan").url(), "https://gearbox.lan");
    EXPECT_EQ(Server::parse("https://h:8443/broker/rest").url(), "https://h:8443");
    EXPECT_EQ(Server::parse("[::1]:8443").url(), "https://[::1]:8443");
    EXPECT_EQ(Server::parse("http://127.0.0.1:4080").url(), "http://127.0.0.1:4080");
    for (const char* const bad :
         {"", "h:0", "h:99999", "h:x", "a b", "user@h", "http://example.org", ":443"}) {
        EXPECT_THROW(Server::parse(bad), Error) << bad;
    }
}

TEST(SshKey, tells_private_from_public) {
    const TempDir directory;
    const auto file = directory.path() / "key";
    write_file_atomically(file, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    EXPECT_THROW(load_public_key(file), ExitError);
    write_file_atomically(file, "ssh-rsa AAAAB3 some one\n");
    EXPECT_EQ(load_public_key(file).comment, "some one");
    write_file_atomically(file, "hello\n");
    EXPECT_THROW(load_public_key(file), ExitError);
}

}  // namespace
}  // namespace gearbox::cli
