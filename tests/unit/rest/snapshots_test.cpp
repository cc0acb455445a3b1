// Archives over the API: streamed, whole or seen to be none. What the gear does is a fake's here.
#include "support/rest_fixture.h"

#include <sysexits.h>

#include <charconv>
#include <condition_variable>

namespace gearbox::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* restore_command = "restore INCLUDE_GIT";

class Snapshots : public ::testing::Test {
protected:
    Snapshots() : id(t.make_application("d1", "shop")), path("application/" + id + "/snapshot") {}

    HttpReply put(const std::string& archive) {
        return t.client.request("PUT", "/broker/rest/" + path, archive, "application/gzip");
    }
    /// A reply without a length, to the end of the connection.
    HttpReply raw(const std::string& method, const std::string& more, const std::string& body = "") {
        return t.client.raw(str(method, " /broker/rest/", path, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ",
                                demo_basic, "\r\n", more, "\r\n", body));
    }
    static std::string unchunked(const std::string& text) {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t size = 0;
            std::from_chars(text.data() + at, text.data() + text.size(), size, 16);
            if (size == 0) {
                return out + " (the end)";
            }
            const auto begin = text.find("\r\n", at) + 2;
            out += text.substr(begin, size);
            at = begin + size + 2;
        }
        return out;
    }
    std::vector<std::string> opened() const {
        std::vector<std::string> out;
        for (const std::string& line : t.parts.sessions.log) {
            out.push_back(line.substr(line.find(' ') == 24 ? 25 : 0));
        }
        return out;
    }

    TestServer t;
    std::string id;
    std::string path;
};

TEST_F(Snapshots, ComesInChunksAndIsWhole) {
    const std::string archive(300'000, 'x');
    t.parts.sessions.acts["snapshot"].output = archive;
    const HttpReply reply = raw("GET", "");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("content-type"), "application/gzip");
    EXPECT_EQ(reply.headers.at("content-disposition"), "attachment; filename=\"shop.tar.gz\"");
    EXPECT_EQ(reply.headers.at("transfer-encoding"), "chunked");
    EXPECT_TRUE(unchunked(reply.body) == archive + " (the end)");
    EXPECT_THAT(opened(), ElementsAre("demo snapshot", "finished"));
}

TEST_F(Snapshots, ThatFailsBeforeItsFirstByteSaysWhy) {
    t.parts.sessions.acts["snapshot"] = {"", "another operation takes its time", 1, 0};
    const HttpReply reply = t.get(path);
    EXPECT_EQ(reply.status, 422);
    EXPECT_THAT(reply.body, HasSubstr("There is no snapshot:\\nanother operation takes its time"));
}

TEST_F(Snapshots, ThatFindsTheGearBusyIsForLater) {
    t.parts.sessions.acts["snapshot"] = {"", "Application 'shop' is busy", EX_TEMPFAIL, 0};
    t.parts.sessions.acts[restore_command] = {"", "Application 'shop' is busy", EX_TEMPFAIL};
    EXPECT_EQ(summary_of(t.get(path)), "503 1/");
    const HttpReply reply = put("archive");
    EXPECT_EQ(summary_of(reply), "503 1/");
    EXPECT_THAT(reply.body, HasSubstr("The snapshot is not restored:\\nApplication 'shop' is busy"));
}

TEST_F(Snapshots, ThatFailsLaterHasNoLastChunk) {
    t.parts.sessions.acts["snapshot"] = {"half of it", "tar: broken", 2, 0};
    EXPECT_EQ(unchunked(raw("GET", "").body), "half of it");
}

TEST_F(Snapshots, IsNotMadeForAHead) {
    EXPECT_EQ(raw("HEAD", "").status, 405);
    EXPECT_TRUE(opened().empty());
}

TEST_F(Snapshots, IsRestoredFromMoreThanTheLimitOfOtherBodies) {
    std::string archive;
    for (int i = 0; archive.size() < 300'000; ++i) {
        archive += std::to_string(i);
    }
    const HttpReply reply = put(archive);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_TRUE(t.parts.sessions.input == archive);
    EXPECT_EQ(reply.json()["data"]["id"], id);
    EXPECT_THAT(opened(), ElementsAre("demo restore INCLUDE_GIT", "finished"));
    // In chunks, and below the domain.
    path = "domain/d1/application/shop/snapshot";
    EXPECT_EQ(raw("PUT", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").status, 200);
    EXPECT_EQ(t.parts.sessions.input, "abcde");
}

TEST_F(Snapshots, ThatCannotBeUsedIsRefusedInTheGearsWords) {
    t.parts.sessions.acts[restore_command] = {"", "the archive is no gzipped tar; nothing was changed\n", 1, SIZE_MAX};
    const HttpReply reply = put("garbage");
    EXPECT_EQ(summary_of(reply), "422 1/");
    EXPECT_THAT(reply.body, HasSubstr("The snapshot is not restored:\\nthe archive is no gzipped tar; nothing was changed"));
}

TEST_F(Snapshots, ThatIsNotTakenToItsEndEndsTheConnection) {
    t.parts.sessions.acts[restore_command] = {"", "the archive does not fit", 1, 10};
    const HttpReply reply = put(std::string(200'000, 'x'));
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_THAT(reply.body, HasSubstr("the archive does not fit"));
}

TEST_F(Snapshots, ThatBreaksOffIsGivenUp) {
    EXPECT_EQ(raw("PUT", "Content-Length: 1000\r\n", "too short").status, 400);
    EXPECT_THAT(opened(), ElementsAre("demo restore INCLUDE_GIT", "given up"));
}

TEST_F(Snapshots, NeedsRoomOnTheHost) {
    t.parts.agent.disk = {1000, 100, 100};
    const HttpReply reply = put(std::string(1024 * 1024, 'x'));
    EXPECT_EQ(summary_of(reply), "422 166/");
    EXPECT_THAT(opened(), ElementsAre("demo restore INCLUDE_GIT", "given up"));
}

// Half of the threads: the others stay for who asks for something else.
TEST_F(Snapshots, AreNotMoreAtOnceThanTheServerHasThreadsFor) {
    const auto most = static_cast<std::size_t>(t.parts.settings.rest.threads) * 8 / 2;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t begun = 0;
    bool may_go_on = false;
    t.parts.sessions.acts["snapshot"] = {"archive", "", 0, 0, [&] {
        std::unique_lock lock(mutex);
        ++begun;
        changed.notify_all();
        changed.wait(lock, [&] { return may_go_on; });
    }};
    std::atomic<std::size_t> whole = 0;
    std::vector<std::thread> others;
    for (std::size_t i = 0; i < most; ++i) {
        others.emplace_back([&] { whole += unchunked(raw("GET", "").body) == "archive (the end)" ? 1 : 0; });
    }
    {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(15), [&] { return begun == most; });
        EXPECT_EQ(begun, most);
    }
    for (const HttpReply& reply : {raw("GET", ""), put(std::string(200'000, 'x'))}) {
        EXPECT_EQ(reply.status, 503) << reply.body;
        EXPECT_EQ(reply.headers.at("retry-after"), "60");
        EXPECT_EQ(reply.headers.at("connection"), "close");
        EXPECT_EQ(reply.json()["messages"][0]["severity"], "error") << reply.body;
    }
    EXPECT_EQ(t.get("application/" + id).status, 200);
    {
        const std::lock_guard lock(mutex);
        may_go_on = true;
    }
    changed.notify_all();
    for (std::thread& other : others) {
        other.join();
    }
    EXPECT_EQ(whole, most);
    EXPECT_EQ(opened().size(), 2 * most) << "opened and finished; nothing of what was refused";
    EXPECT_EQ(put("archive").status, 200) << "a connection is closed when its place is free";
}

TEST_F(Snapshots, IsForEditorsOnly) {
    for (const auto& [role, status] : {std::pair("view", 403), {"edit", 200}}) {
        EXPECT_EQ(t.send("PATCH", "domain/d1/members", {{"login", "other"}, {"role", role}}).status, 200);
        t.parts.sessions.acts["snapshot"].output = "archive";
        HttpClient other(t.server.port());
        other.authorization = other_basic;
        EXPECT_EQ(other.get("/broker/rest/" + path).status, status) << role;
        EXPECT_EQ(other.request("PUT", "/broker/rest/" + path, "archive", "application/gzip").status, status) << role;
    }
    const Json token = t.send("POST", "user/authorizations", {{"scope", str("application/", id, "/view")}}).json();
    HttpClient viewer(t.server.port());
    viewer.authorization = "Bearer " + token["data"]["token"].get<std::string>();
    EXPECT_EQ(viewer.get("/broker/rest/application/" + id).status, 200);
    EXPECT_EQ(viewer.get("/broker/rest/" + path).status, 403);
    EXPECT_EQ(HttpClient(t.server.port()).request("PUT", "/broker/rest/" + path, "x").status, 401);
    EXPECT_EQ(t.get("application/0123456789abcdef01234567/snapshot").status, 404);
}

}  // namespace
}  // namespace gearbox::test
