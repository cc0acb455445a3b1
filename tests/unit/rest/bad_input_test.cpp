// Every bad input gets a clear 4xx in the envelope and changes nothing.
#include "support/rest_fixture.h"

namespace gearbox::test {
namespace {

struct Row {
    const char* method;
    const char* path;
    std::string body;
    const char* expected;
    const char* type = "application/json";
};

std::string nested(int depth) {
    return "{\"name\":" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
}

std::vector<Row> bad_rows() {
    const char* apps = "domain/d1/applications";
    return {
        // broken bodies
        {"POST", "domains", "{", "400 1/"},
        {"POST", "domains", "[]", "400 1/"},
        {"POST", "domains", "\"text\"", "400 1/"},
        {"POST", "domains", "null", "400 1/"},
        {"POST", "domains", "{} {}", "400 1/"},
        {"POST", "domains", "{'name':'x'}", "400 1/"},
        {"POST", "domains", "{\"name\":\"\xff\xfe\"}", "400 1/"},
        {"POST", "domains", "{\"name\":\"\\ud800\"}", "400 1/"},
        {"POST", "domains", "{\"name\":1e999}", "400 1/"},
        {"POST", "domains", nested(100), "400 1/"},
        {"POST", "domains", nested(20000), "400 1/"},
        {"POST", "domains", "name=%", "400 1/", "application/x-www-form-urlencoded"},
        {"POST", "domains", "name[=x", "400 1/", "application/x-www-form-urlencoded"},
        {"POST", "domains", "name=%ff", "400 1/", "application/x-www-form-urlencoded"},
        {"POST", "domains", "<domain/>", "415 1/", "application/xml"},
        {"POST", "domains", "x", "415 1/", "text/plain"},
        {"POST", "domains", "{\"name\":\"" + std::string(70000, 'a') + "\"}", "413 1/"},
        {"GET", "domains?name=%zz", "", "400 1/"},
        // wrong types and nulls
        {"POST", "domains", R"({})", "422 106/name"},
        {"POST", "domains", R"({"name":null})", "422 106/name"},
        {"POST", "domains", R"({"name":1})", "422 106/name"},
        {"POST", "domains", R"({"name":["d2"]})", "422 106/name"},
        {"POST", "domains", R"({"name":{"a":1}})", "422 106/name"},
        {"POST", "domains", R"({"name":true})", "422 106/name"},
        {"POST", "domains", R"({"name":"d2\u0000"})", "422 106/name"},
        {"POST", "domains", "{\"name\":\"d\xc3\xbc\"}", "422 106/name"},
        {"POST", "domains", R"({"name":"d 2"})", "422 106/name"},
        {"POST", "domains", R"({"name":"broker"})", "403 106/name"},
        {"POST", "domains", R"({"name":"d2","allowed_gear_sizes":"small"})", "422 110/allowed_gear_sizes"},
        {"POST", "domains", R"({"name":"d2","allowed_gear_sizes":[1]})", "422 110/allowed_gear_sizes"},
        {"POST", "domains", R"({"name":"d2","allowed_gear_sizes":["x"]})", "422 110/allowed_gear_sizes"},
        {"POST", "domains", R"({"name":"d1"})", "422 103/id"},
        {"PUT", "domain/d1", R"({})", "422 133/"},
        {"PUT", "domain/d1", R"({"name":"x y"})", "422 106/name"},
        {"PUT", "domain/nosuch", R"({"name":"x"})", "404 127/"},
        {"DELETE", "domain/d1", R"({"force":"perhaps"})", "422 167/force"},
        {"DELETE", "domain/d1", R"({"force":1})", "422 167/force"},
        {"DELETE", "domain/d1", R"({})", "422 128/"},
        // keys
        {"POST", "user/keys", R"({})", "422 117/name 116/type 108/content"},
        {"POST", "user/keys", R"({"name":1,"type":2,"content":3})", "422 117/name 116/type 108/content"},
        {"POST", "user/keys", R"({"name":"../k","type":"ssh-rsa","content":"AAAA"})", "422 117/name"},
        {"POST", "user/keys", R"({"name":"k\ncommand=\"x\"","type":"ssh-rsa","content":"AAAA"})", "422 117/name"},
        {"POST", "user/keys", R"({"name":"k","type":"ssh-rsa","content":"AAAA\nssh-rsa BBBB"})", "422 108/content"},
        {"POST", "user/keys", R"({"name":"k","type":"ssh-rsa command=x","content":"AAAA"})", "422 116/type"},
        {"POST", "user/keys", "{\"name\":\"k\",\"type\":\"ssh-rsa\",\"content\":\"" + std::string(20000, 'A') + "\"}",
         "422 108/content"},
        {"POST", "user/keys", R"({"name":"default","type":"ssh-rsa","content":"CCCC"})", "409 120/name"},
        {"POST", "user/keys", R"({"name":"k","type":"ssh-rsa","content":"XYZ1"})", "409 121/content"},
        {"PUT", "user/keys/nosuch", R"({"type":"ssh-rsa","content":"AAAA"})", "404 118/"},
        {"PUT", "user/keys/default", R"({"type":"x","content":"-"})", "422 116/type 108/content"},
        // authorizations
        {"POST", "user/authorizations", R"({"scope":"root"})", "422 1/scopes"},
        {"POST", "user/authorizations", R"({"scope":7})", "422 1/scope"},
        {"POST", "user/authorizations", R"({"expires_in":"soon"})", "422 1/expires_in"},
        {"POST", "user/authorizations", "{\"note\":\"" + std::string(5000, 'n') + "\"}", "422 1/note"},
        {"GET", "user/authorization/nosuch", "", "404 129/"},
        // applications
        {"POST", apps, R"({})", "422 105/name 109/cartridge"},
        {"POST", apps, R"({"name":"a"})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[]})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":"nosuch"})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[null]})", "422 109/cartridge 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[["php"]]})", "422 109/cartridge 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[{}]})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[{"name":1}]})", "422 109/name 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":[{"name":"php","url":"http://x"}]})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":7})", "422 109/cartridge 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":["php","php-8.2"]})", "422 109/cartridge 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":["mysql"]})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"a","cartridges":["php;reboot"]})", "422 109/cartridge"},
        {"POST", apps, R"({"name":"bad_name","cartridges":["php"]})", "422 105/name"},
        {"POST", apps, R"x({"name":"$(reboot)","cartridges":["php"]})x", "422 105/name"},
        {"POST", apps, R"({"name":"taken","cartridges":["php"]})", "422 100/name"},
        {"POST", apps, R"({"name":"gearbox","cartridges":["php"]})", "403 105/name"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"scale":"x"})", "422 167/scale"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"scale":true})", "422 1/scale"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"gear_profile":"xl"})", "422 134/gear_size"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"initial_git_url":"x"})", "422 216/initial_git_url"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"initial_git_url":["x"]})", "422 216/initial_git_url"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"initial_git_url":"file:///etc/passwd"})",
         "422 216/initial_git_url"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"initial_git_url":"--upload-pack=x"})",
         "422 216/initial_git_url"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"environment_variables":"A=1"})",
         "422 186/environment_variables"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"environment_variables":[{"name":"A"}]})",
         "422 190/environment_variables"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"environment_variables":[{"name":"A=B","value":""}]})",
         "422 188/environment_variables"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"config":[]})", "422 1/config"},
        {"POST", apps, R"({"name":"a","cartridges":["php"],"region":"moon"})", "422 1/region"},
        {"POST", "domain/../applications", R"({"name":"a","cartridges":["php"]})", "422 106/name"},
        {"POST", "domain/%2e%2e/applications", R"({"name":"a","cartridges":["php"]})", "422 106/name"},
        {"POST", "domain/other/applications", R"({"name":"a","cartridges":["php"]})", "404 127/"},
        {"GET", "application/000000000000000000000000", "", "404 101/"},
        {"GET", "application/%00", "", "404 101/"},
        {"GET", "application/'%20OR%201=1--", "", "404 101/"},
        {"DELETE", "domain/d1/application/nosuch", "{}", "404 101/"},
        {"POST", "domain/d1/application/taken/events", R"({"event":"explode"})", "422 126/event"},
        {"POST", "domain/d1/application/taken/cartridges", R"({})", "422 109/cartridge"},
        {"POST", "domain/d1/application/taken/cartridges", R"({"name":"nosuch"})", "422 109/cartridge"},
        {"POST", "domain/d1/application/taken/cartridges", R"({"cartridge":"mysql"})", "422 136/"},
        {"DELETE", "domain/d1/application/taken/cartridge/php-8.4", "{}", "422 137/"},
    };
}

TEST(BadInput, GetsAClear4xxAndChangesNothing) {
    TestServer t;
    t.make_application("d1", "taken");
    t.send("POST", "user/keys", {{"name", "default"}, {"type", "ssh-rsa"}, {"content", "XYZ1"}});
    t.client.authorization = other_basic;
    t.send("POST", "domains", {{"id", "other"}});
    t.client.authorization = demo_basic;
    const std::string before = t.parts.store.dump();
    const auto calls = t.parts.agent.calls();
    for (const Row& row : bad_rows()) {
        const HttpReply reply =
            t.client.request(row.method, str("/broker/rest/", row.path), row.body, row.type);
        ASSERT_NE(reply.status, 0) << row.path << " " << row.body.substr(0, 100);
        EXPECT_EQ(summary_of(reply), row.expected)
            << row.method << " " << row.path << " " << row.body.substr(0, 100) << "\n"
            << reply.body.substr(0, 500);
        const Json json = reply.json();
        for (const Json& message : json["messages"]) {
            EXPECT_FALSE(message["text"].get<std::string>().empty());
            EXPECT_LT(message["text"].get<std::string>().size(), 500u);
        }
    }
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_EQ(t.parts.agent.calls(), calls);
}

TEST(BadInput, OnTheWireIsRefusedToo) {
    TestServer t;
    const std::string before = t.parts.store.dump();
    const std::string host = "Host: broker.test\r\nConnection: close\r\n";
    std::string many_headers;
    for (int i = 0; i < 200; ++i) {
        many_headers += str("X-", i, ": y\r\n");
    }
    const std::string basic = str("Authorization: ", demo_basic, "\r\n");
    const std::string requests[] = {
        "GARBAGE\r\n\r\n",
        "GET\r\n\r\n",
        "FROB /broker/rest/api HTTP/1.1\r\n" + host + "\r\n",
        "GET /broker/rest/api HTTP/9.9\r\n" + host + "\r\n",
        "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n",
        "GET /broker/rest/api HTTP/1.1\r\n" + host + many_headers + "\r\n",
        "GET /broker/rest/user HTTP/1.1\r\nConnection: close\r\n" + basic + "\r\n",
        "GET /broker/rest/user HTTP/1.1\r\nHost: evil\"><script>\r\nConnection: close\r\n" + basic + "\r\n",
        "POST /broker/rest/domains HTTP/1.1\r\n" + host + basic + "Content-Length: 99999999999\r\n\r\n{}",
        "POST /broker/rest/domains HTTP/1.1\r\n" + host + basic + "Content-Length: -5\r\n\r\n{}",
    };
    for (const std::string& request : requests) {
        const HttpReply reply = t.client.raw(request);
        EXPECT_GE(reply.status, 400) << request.substr(0, 80);
        EXPECT_LT(reply.status, 500) << request.substr(0, 80);
        EXPECT_EQ(reply.json()["messages"][0]["severity"], "error") << request.substr(0, 80);
    }
    EXPECT_EQ(t.parts.store.dump(), before);
    EXPECT_EQ(t.get("user").status, 200);
}

TEST(Deletes, WorkWithoutABody) {
    TestServer t;
    const std::string app = t.make_application("d1", "app1");
    EXPECT_EQ(t.client.request("DELETE", "/broker/rest/application/" + app, "").status, 200);
}

}  // namespace
}  // namespace gearbox::test
