// XML replies: who gets them, and what hostile text becomes in them.
#include "rest/xml.h"
#include "support/rest_fixture.h"

#include <pugixml.hpp>

namespace gearbox::test {
namespace {

using rest::HttpRequest;

pugi::xml_document parsed(const std::string& text) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(text.c_str())) << text;
    return document;
}

struct XmlTest : testing::Test {
    HttpReply get(const std::string& path, const std::string& accept) {
        return t.client.request("GET", "/broker/rest/" + path, "", "application/json",
                                "Accept: " + accept + "\r\n");
    }
    TestServer t;
};

TEST_F(XmlTest, IsGivenToThoseWhoAskForIt) {
    t.make_application("d1", "app1");
    const HttpReply reply = get("domain/d1", "application/xml;version=1.7");
    EXPECT_EQ(reply.headers.at("content-type"), "application/xml; charset=utf-8");
    const auto document = parsed(reply.body);
    const auto response = document.child("response");
    EXPECT_STREQ(response.child_value("status"), "ok");
    EXPECT_STREQ(response.child_value("type"), "domain");
    const auto domain = response.child("data").child("domain");
    EXPECT_STREQ(domain.child_value("name"), "d1");
    EXPECT_STREQ(domain.child("allowed-gear-sizes").child_value("allowed-gear-size"), "small");
    EXPECT_STREQ(domain.child("members").child("member").child_value("login"), "demo");
    EXPECT_STREQ(domain.child("links").child("ADD-APPLICATION").child_value("method"), "POST");
    const auto list = parsed(t.client.get("/broker/rest/domain/d1/applications.xml").body);
    EXPECT_STREQ(list.child("response").child("data").child("application").child_value("framework"), "php-8.4");
    EXPECT_STREQ(list.child("response").child("supported-api-versions").child_value("supported-api-version"), "1.0");
}

TEST_F(XmlTest, IsForErrorsToo) {
    const auto document = parsed(get("domain/none", "text/xml").body);
    const auto message = document.child("response").child("messages").child("message");
    EXPECT_STREQ(message.child_value("exit-code"), "127");
    EXPECT_STREQ(message.child_value("severity"), "error");
    EXPECT_STREQ(message.child("field").attribute("nil").value(), "true");
    const HttpReply made = t.client.request("POST", "/broker/rest/domains.xml", R"({"name":"d1"})");
    EXPECT_EQ(made.status, 201);
    EXPECT_STREQ(parsed(made.body).child("response").child_value("status"), "created");
}

TEST(Xml, IsPreferredAsAcceptSays) {
    const auto prefers = [](const std::string& accept, const std::string& path = "/broker/rest/api") {
        HttpRequest request;
        request.path = path;
        request.headers.emplace("accept", accept);
        return rest::prefers_xml(request);
    };
    EXPECT_TRUE(prefers("application/xml"));
    EXPECT_TRUE(prefers("application/json;q=0.5, application/xml;q=0.9"));
    EXPECT_TRUE(prefers("application/json", "/broker/rest/domains.xml"));
    EXPECT_FALSE(prefers("application/xml", "/broker/rest/domains.json"));
    EXPECT_FALSE(prefers("application/json, application/xml"));
    EXPECT_FALSE(prefers("application/xml;q=0"));
    EXPECT_FALSE(prefers("*/*"));
    EXPECT_FALSE(prefers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    EXPECT_FALSE(prefers(""));
    EXPECT_FALSE(prefers(";;;,,,q=,application/xml;q=x"));
}

TEST(Xml, StaysWholeWhateverTheTextsAre) {
    const std::string hostile = "a\x01\x1f</data>&<![CDATA[ ]]> \xc3\xa4 \"'";
    const Json envelope = {{"status", "ok"},
                           {"type", "descriptor"},
                           {"data", {{"x", hostile}, {hostile, 1}, {"", nullptr}, {"1a", true}, {"a:b", {1, 2}}}},
                           {"messages", Json::array({{{"text", hostile}}})}};
    const auto document = parsed(rest::to_xml(envelope));
    const auto data = document.child("response").child("data").child("descriptor");
    EXPECT_STREQ(data.child_value("x"), "a??</data>&<![CDATA[ ]]> \xc3\xa4 \"'");
    EXPECT_EQ(std::distance(data.begin(), data.end()), 5);
    EXPECT_EQ(document.child("response").next_sibling(), pugi::xml_node());
}

}  // namespace
}  // namespace gearbox::test
