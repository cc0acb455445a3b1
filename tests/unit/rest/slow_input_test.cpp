// Requests that come slowly, in pieces, or not to their end: many at once, made from a seed.
#include "support/rest_fixture.h"

#include <future>
#include <random>

namespace gearbox::test {
namespace {

using std::chrono::steady_clock;

struct Slow {
    std::string bytes;     ///< sent at once
    std::string trickle;   ///< then one byte every 100 ms, again and again
    bool goes_on = true;   ///< without end; heads are the router's to limit (haproxy.cfg), so they stop
};

Slow make_slow(std::mt19937& random) {
    const auto pick = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    const char* methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    const char* paths[] = {"domains", "user/keys", "applications", "domain/d1/applications", "teams", "nowhere"};
    std::string head = str(methods[pick(4)], " /broker/rest/", paths[pick(6)], " HTTP/1.1\r\nHost: x\r\n");
    if (pick(2) == 0) {
        head += str("Authorization: ", demo_basic, "\r\n");
    }
    switch (pick(6)) {
        case 0:  // a head that never ends
            return {head.substr(0, 1 + pick(head.size())), "a", false};
        case 1:  // headers without end
            return {head, "X-A: b\r\n", false};
        case 2:  // a body shorter than it says
            return {head + "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"name\":", ""};
        case 3:  // one that trickles
            return {head + "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{", " "};
        case 4:  // chunks with wrong sizes
            return {head + "Transfer-Encoding: chunked\r\n\r\n" + (pick(2) == 0 ? "ffffffffffffffff\r\n{" : "zz\r\n{}"), "}"};
        default:  // chunks that trickle
            return {head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"};
    }
}

UniqueFd connect_to(int port) {
    UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "connecting");
    return fd;
}

// Until the server has had enough; how long that took.
std::chrono::milliseconds endure(int port, const Slow& slow) {
    const auto began = steady_clock::now();
    const UniqueFd fd = connect_to(port);
    const timeval pause{0, 100000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    ::send(fd.get(), slow.bytes.data(), slow.bytes.size(), MSG_NOSIGNAL);
    for (std::size_t i = 0; steady_clock::now() - began < std::chrono::seconds(30); ++i) {
        char buffer[4096];
        const auto got = ::recv(fd.get(), buffer, sizeof buffer, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            break;
        }
        const bool is_going_on = slow.goes_on || i < 40;
        if (!slow.trickle.empty() && is_going_on &&
            ::send(fd.get(), &slow.trickle[i % slow.trickle.size()], 1, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
}

TEST(SlowInput, IsGivenUpAndKeepsNobodyElseWaiting) {
    TestServer t;
    const std::string before = t.parts.store.dump();
    std::mt19937 random(20131127);
    std::atomic<long> longest = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 48; ++i) {
        threads.emplace_back([&, slow = make_slow(random)] {
            const long took = static_cast<long>(endure(t.server.port(), slow).count());
            for (long known = longest; took > known && !longest.compare_exchange_weak(known, took);) {
            }
        });
    }
    int answered = 0;
    for (int i = 0; i < 20; ++i) {
        answered += t.get("user").status == 200 ? 1 : 0;
    }
    EXPECT_EQ(answered, 20) << "while the others are slow";
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_LT(longest, 20000) << "ms until the last of them was given up";
    EXPECT_EQ(t.parts.store.dump(), before);
}

TEST(SlowInput, ATooLongBodyIsRefusedInChunksToo) {
    TestServer t;
    std::string chunks;
    for (int i = 0; i < 70; ++i) {
        chunks += "400\r\n" + std::string(0x400, ' ') + "\r\n";
    }
    const HttpReply reply = t.client.raw(str("POST /broker/rest/domains HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ",
                                             demo_basic, "\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, "0\r\n\r\n"));
    EXPECT_EQ(reply.status, 413) << reply.body;
}

TEST(SlowInput, ABodyIsNeverTakenForARequest) {
    TestServer t;
    const std::string head = str(" /broker/rest/domain/d1 HTTP/1.1\r\nHost: x\r\nAuthorization: ", demo_basic, "\r\n");
    const std::string smuggled = "GET /broker/rest/api HTTP/1.1\r\nHost: x\r\n\r\n";
    t.send("POST", "domains", {{"name", "d1"}});
    for (const std::string& request :
         {"GET" + head + str("Content-Length: ", smuggled.size(), "\r\n\r\n") + smuggled,
          "OPTIONS" + head + str("Content-Length: ", smuggled.size(), "\r\n\r\n") + smuggled,
          "GET" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
          "DELETE" + head + str("Transfer-Encoding: chunked\r\n\r\n2e\r\n", smuggled, "\r\n0\r\n\r\n")}) {
        const UniqueFd fd = connect_to(t.server.port());
        ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
        const std::string answers = read_all(fd.get());  // the server closes
        EXPECT_EQ(answers.rfind("HTTP/1.1 400", 0), 0u) << request << "\n" << answers;
        EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << request << "\n" << answers;
    }
    EXPECT_EQ(t.get("domain/d1").status, 200);
}

// A daemon that is told to end as soon as it has begun.
TEST(ServerEnd, ComesWheneverItIsAskedFor) {
    TestBroker parts;
    rest::Dispatcher dispatcher(*parts.broker);
    RestSettings settings = parts.settings.rest;
    settings.listen_port = 0;
    for (int i = 0; i < 50; ++i) {
        rest::Server server(dispatcher, settings);
        const auto serving = std::async(std::launch::async, [&server] { server.run(); });
        for (int turn = 0; turn < i; ++turn) {
            std::this_thread::yield();
        }
        server.stop();
        EXPECT_EQ(serving.wait_for(std::chrono::seconds(10)), std::future_status::ready) << i;
    }
    rest::Server never_served(dispatcher, settings);
    never_served.stop();
    never_served.run();
}

}  // namespace
}  // namespace gearbox::test
