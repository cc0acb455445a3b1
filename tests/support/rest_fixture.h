// A broker over a FakeAgent, served on a real socket, with the users demo and other.
#pragma once
#include "rest/dispatcher.h"
#include "rest/server.h"
#include "support/broker_fixture.h"
#include "support/http_client.h"

#include <thread>

namespace gearbox::test {

// "demo:secret" and "other:secret" in base64.
constexpr const char* demo_basic = "Basic ZGVtbzpzZWNyZXQ=";
constexpr const char* other_basic = "Basic b3RoZXI6c2VjcmV0";

class TestServer {
public:
    TestServer() : dispatcher(*parts.broker), server(dispatcher, listener(), std::chrono::seconds(1)), client(server.port()) {
        parts.broker->users.create("demo", "secret");
        parts.broker->users.create("other", "secret");
        client.authorization = demo_basic;
        thread_ = std::thread([this] { server.run(); });
        client.get("/broker/rest/api");  // it serves
    }
    ~TestServer() {
        server.stop();
        thread_.join();
    }

    HttpReply get(const std::string& path) { return client.get("/broker/rest/" + path); }
    HttpReply send(const std::string& method, const std::string& path, const Json& body) {
        return client.request(method, "/broker/rest/" + path, to_text(body));
    }
    /// An application of demo's, by its id.
    std::string make_application(const std::string& domain, const std::string& name) {
        const HttpReply reply = send("POST", "domain/" + domain + "/applications",
                                     {{"name", name}, {"cartridges", {"php", "mysql"}}});
        EXPECT_EQ(reply.status, 201) << reply.body;
        return reply.json()["data"].value("id", "");
    }

    TestBroker parts;
    rest::Dispatcher dispatcher;
    rest::Server server;
    HttpClient client;

private:
    RestSettings listener() {
        RestSettings settings = parts.settings.rest;
        settings.listen_port = 0;
        settings.max_body_bytes = 65536;
        return settings;
    }
    std::thread thread_;
};

/// "422 100/name 109/cartridge" of a reply.
inline std::string summary_of(const HttpReply& reply) {
    std::string out = std::to_string(reply.status);
    const Json json = reply.json();
    for (const Json& message : json["messages"]) {
        if (message["severity"] == "error") {
            out += str(" ", to_text(message["exit_code"]), "/",
                       message["field"].is_null() ? "" : message["field"].get<std::string>());
        }
    }
    return out;
}

}  // namespace gearbox::test
