// What is served beside the REST interface.
#include "support/rest_fixture.h"

#include "base/error.h"
#include "base/file.h"
#include "broker/quickstarts.h"

#include <fstream>

namespace gearbox::test {
namespace {

struct PagesTest : testing::Test {
    PagesTest() {
        t.parts.settings.rest.client_dir = directory;
        std::filesystem::create_directories(directory);
    }
    void put(const std::string& name, const std::string& content) {
        std::ofstream(directory + "/" + name, std::ios::binary) << content;
    }
    HttpReply ask(const std::string& path, const std::string& method = "GET") {
        return t.client.request(method, path, "", "", "");
    }

    TestServer t;
    std::string directory = t.parts.directory.path() / "client";
};

TEST_F(PagesTest, TheClientIsSentAsItIs) {
    std::string content;
    for (int i = 0; content.size() < 300000; ++i) {
        content += std::to_string(i) + '\0';
    }
    put("gearbox-linux-amd64.tar.gz", content);
    put("gearbox-linux-amd64.tar.gz.sha256", std::string(64, 'a') + "  gearbox-linux-amd64.tar.gz\n");
    const HttpReply whole = ask("/client/gearbox-linux-amd64.tar.gz");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, content);
    const HttpReply head = ask("/client/gearbox-linux-amd64.tar.gz", "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_THAT(ask("/client/").body, testing::HasSubstr(std::string(64, 'a')));
    EXPECT_EQ(ask("/client/gearbox-linux-amd64.tar.gz.sha256").body.substr(0, 64), std::string(64, 'a'));
}

TEST_F(PagesTest, NothingElseIsEverAFile) {
    put("gearbox-linux-amd64.tar.gz", "client");
    put("secret", "secret");
    for (const char* path : {"/client/secret", "/client/../secret", "/client/%2e%2e/token.key",
                             "/client/gearbox-linux-amd64.tar.gz/", "/client//secret", "/secret"}) {
        const HttpReply reply = ask(path);
        EXPECT_EQ(reply.status, 404) << path;
        EXPECT_EQ(reply.body.find("secret\""), std::string::npos) << path;
    }
    EXPECT_NE(ask("/client/gearbox-linux-amd64.tar.gz", "POST").status, 200);
}

TEST_F(PagesTest, RangesAreIgnored) {
    const std::string content(200000, 'x');
    put("gearbox-linux-amd64.tar.gz", content);
    const std::string api = ask("/broker/rest/api").body;
    for (const char* range : {"bytes=0-9", "bytes=199000-", "bytes=99999999-", "bytes=-5", "bytes=0-1,5-6"}) {
        const auto with_range = [&](const char* path) {
            return t.client.request("GET", path, "", "", str("Range: ", range, "\r\n"));
        };
        EXPECT_EQ(with_range("/client/gearbox-linux-amd64.tar.gz").body.size(), content.size()) << range;
        EXPECT_EQ(with_range("/broker/rest/api").status, 200) << range;
        EXPECT_EQ(with_range("/broker/rest/api").body.size(), api.size()) << range;
    }
}

TEST_F(PagesTest, AHostWithoutClientSaysSo) {
    EXPECT_EQ(ask("/client/gearbox-linux-amd64.tar.gz").status, 404);
    EXPECT_THAT(ask("/client/").body, testing::HasSubstr("no client to download"));
    EXPECT_THAT(ask("/").body, testing::HasSubstr("/client/"));
}

TEST_F(PagesTest, QuickstartsHavePictures) {
    const std::filesystem::path top = t.parts.settings.node.quickstart_dir;
    const auto describe = [&](const std::string& name, const std::string& more) {
        std::filesystem::create_directories(top / name);
        std::ofstream(top / name / "quickstart.toml") << "cartridges = ['php']\n" << more;
    };
    describe("drawn", "picture = 'icon.svg'\n");
    std::ofstream(top / "drawn/icon.svg") << "<svg/>";
    describe("plain", "");
    describe("gone", "picture = 'none.svg'\n");
    const Json list = ask("/broker/rest/quickstarts").json()["data"];
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0]["quickstart"]["picture"], "https://broker.test:8443/broker/quickstarts/drawn.svg");
    EXPECT_EQ(list[2]["quickstart"]["picture"], nullptr);
    const HttpReply picture = ask("/broker/quickstarts/drawn.svg");
    EXPECT_EQ(picture.status, 200);
    EXPECT_EQ(picture.body, "<svg/>");
    EXPECT_EQ(picture.headers.at("content-type"), "image/svg+xml");
    EXPECT_THAT(picture.headers.at("content-security-policy"), testing::HasSubstr("default-src 'none'"));
    // Nothing but what a quickstart calls its picture.
    std::ofstream(top / "secret.svg") << "secret";
    for (const char* name : {"plain", "gone", "other", "icon", "drawn/icon", "drawn/..", "%2e%2e", "../secret", "drawn%2ficon", ""}) {
        EXPECT_EQ(ask(str("/broker/quickstarts/", name, ".svg")).status, 404) << name;
    }
    for (const char* name : {"../icon.svg", "/etc/passwd", "icon.png", ".svg", "a b.svg", "..svg"}) {
        describe("odd", str("picture = '", name, "'\n"));
        EXPECT_EQ(ask("/broker/quickstarts/odd.svg").status, 404) << name;
        try {
            parse_quickstart(read_file(top / "odd/quickstart.toml"), top / "odd/quickstart.toml");
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_THAT(error.text(), testing::HasSubstr("odd/quickstart.toml:2:11: 'picture' must be the name of an .svg file"));
        }
    }
}

}  // namespace
}  // namespace gearbox::test
