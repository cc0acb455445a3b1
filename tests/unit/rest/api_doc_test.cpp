// The documents agree with the route table.
#include "rest/api_doc.h"

#include "base/file.h"
#include "rest/routes.h"
#include "support/rest_fixture.h"
#include "support/paths.h"

namespace gearbox::test {
namespace {

TEST(ApiDoc, ThePageIsCurrent) {
    EXPECT_EQ(read_file(source_path("docs/api.md")), rest::api_markdown())
        << "make it again: gearboxd --api-doc >docs/api.md";
}

TEST(ApiDoc, EveryRouteIsServedAsOpenApi) {
    TestServer t;
    t.client.authorization = "";
    const HttpReply reply = t.client.get("/broker/rest/openapi.json");
    ASSERT_EQ(reply.status, 200);
    const Json api = reply.json();
    EXPECT_EQ(api["openapi"], "3.0.3");
    std::size_t operations = 0;
    for (const auto& [path, methods] : api["paths"].items()) {
        operations += methods.size();
        for (const auto& [method, operation] : methods.items()) {
            EXPECT_FALSE(operation["summary"].get<std::string>().empty()) << path;
            const auto braces = std::count(path.begin(), path.end(), '{');
            EXPECT_EQ(operation["parameters"].size(), static_cast<std::size_t>(braces)) << path;
        }
    }
    EXPECT_EQ(operations, rest::routes().size());
    EXPECT_TRUE(api["paths"]["/applications/{application}/aliases/{alias}"].contains("put"));
    EXPECT_TRUE(api["paths"]["/api"]["get"]["security"].empty());
    EXPECT_EQ(api["paths"]["/domains/{domain}"]["delete"]["description"], "Needs: role owner, scope session.");
}

}  // namespace
}  // namespace gearbox::test
