#include "control/control_client.h"
#include "control/control_server.h"

#include "base/error.h"
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gearbox::test {

namespace {

class ControlTest : public ::testing::Test {
protected:
    ControlTest() : socket(directory.path() / "control.sock"), server(socket) {
        server.add_verb("double", [](const Json& args, const Peer& peer) {
            return Json{{"value", 2 * take<int>(args, "value")}, {"uid", peer.uid}};
        });
        server.add_verb("large",
                        [](const Json&, const Peer&) { return Json(std::string(100'000, 'x')); });
        server.add_conversation("pipe",
                                [](const Json&, const Peer&, ControlConnection& connection) {
                                    const Pipe pipe = make_pipe();
                                    connection.send(Json{{"result", true}}, {pipe.read.get()});
                                    write_all(pipe.write.get(), "through the pipe");
                                    connection.send(Json{{"exit", 5}});
                                });
        server.start();
    }
    TempDir directory;
    std::string socket;
    ControlServer server;
};

ErrorKind kind_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.kind();
    }
    ADD_FAILURE() << "must throw";
    return ErrorKind::internal;
}

TEST_F(ControlTest, AnswersRootOnly) {
    if (::geteuid() != 0) {
        EXPECT_EQ(kind_of([&] { call(socket, "double", {{"value", 21}}); }), ErrorKind::forbidden);
        return;
    }
    const Json reply = call(socket, "double", {{"value", 21}});
    EXPECT_EQ(reply.at("value"), 42);
    EXPECT_EQ(reply.at("uid"), ::geteuid());
}

TEST_F(ControlTest, ReturnsErrorsWithTheirKind) {
    if (::geteuid() == 0) {
        EXPECT_EQ(kind_of([&] { call(socket, "double", {{"value", "x"}}); }), ErrorKind::invalid);
        EXPECT_EQ(kind_of([&] { call(socket, "large"); }), ErrorKind::invalid);
    }
    EXPECT_EQ(kind_of([&] { call(socket, "nothing"); }), ErrorKind::not_found);
    EXPECT_EQ(kind_of([&] { call("/nowhere", "x"); }), ErrorKind::unavailable);
}

TEST_F(ControlTest, PassesDescriptorsAndSeveralReplies) {
    const UniqueFd connection = connect_control(socket);
    send_control(connection.get(), "pipe", Json::object());
    const ControlReply first = receive_control(connection.get());
    ASSERT_EQ(first.descriptors.size(), 1u);
    EXPECT_EQ(take<int>(receive_control(connection.get()).message, "exit"), 5);
    EXPECT_EQ(read_all(first.descriptors[0].get()), "through the pipe");
    EXPECT_EQ(kind_of([&] { receive_control(connection.get()); }), ErrorKind::unavailable);
}

TEST_F(ControlTest, SurvivesNonsense) {
    for (const std::string& packet : {std::string("x"), std::string("[]"), std::string(60'000, '['),
                                      std::string("{\"verb\":1}")}) {
        const UniqueFd connection = connect_control(socket);
        ASSERT_GT(::send(connection.get(), packet.data(), packet.size(), MSG_NOSIGNAL), 0);
        EXPECT_EQ(kind_of([&] { receive_control(connection.get()); }), ErrorKind::invalid);
    }
    { const UniqueFd gone = connect_control(socket); }
    EXPECT_EQ(kind_of([&] { call(socket, "nothing"); }), ErrorKind::not_found);
}

TEST_F(ControlTest, StopsWhileClientsWait) {
    server.stop();
    EXPECT_EQ(kind_of([&] { call(socket, "nothing"); }), ErrorKind::unavailable);
}

}  // namespace

}  // namespace gearbox::test
