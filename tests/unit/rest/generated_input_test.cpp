// Thousands of generated requests a family of routes, the same in every run: none may crash the
// broker or make it fail, and what is refused changes nothing.
#include "rest/dispatcher.h"
#include "support/broker_fixture.h"

#include <random>

namespace gearbox::test {
namespace {

using rest::Dispatcher;
using rest::HttpRequest;
using rest::HttpResponse;
using rest::Route;

constexpr int requests_a_family = 2000;
constexpr std::size_t most_bytes_of_reply = 512 * 1024;

class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }
    bool once_in(std::size_t times) { return below(times) == 0; }
    template <typename List>
    const auto& one_of(const List& list) {
        return list[below(std::size(list))];
    }

    std::string text() {
        static const std::vector<std::string> texts = {
            "", "app1", "d1", "php-8.4", "demo", "start", "true", "1", "-1", "null", "small", "session", "master",
            "www.example.org", "../../etc/passwd", "..%2f..", "a/b", "<script>", "'; DROP TABLE users; --",
            "$(reboot)", "`id`", "\r\nX-Injected: 1", "%00", std::string(1, '\0'), "\xff\xfe", "\xc3\x28",
            "\xf0\x9f\x92\xa9", "\xe2\x80\xae", "9223372036854775808", "1e400", "0x10", "NaN", "[]", "{}",
            std::string(300, 'a'), std::string(5000, 'x'), "--upload-pack=x", "ssh-rsa", "AAAA", "view", "@self",
            "domain/000000000000000000000002/admin", "git://example.org/x.git#y", "https://u:p@example.org/x.git"};
        return one_of(texts);
    }

    Json value(int depth = 0) {
        switch (below(depth > 3 ? 7 : 9)) {
            case 0: return nullptr;
            case 1: return once_in(2);
            case 2: return static_cast<std::int64_t>(random_()) - static_cast<std::int64_t>(random_());
            case 3: return 1.5e308 * (once_in(2) ? 1 : -1);
            case 4: return INT64_MIN;
            case 5: return UINT64_MAX;
            case 6: return valid_utf8(text());
            case 7: {
                Json list = Json::array();
                for (std::size_t i = below(4); i > 0; --i) {
                    list.push_back(value(depth + 1));
                }
                return list;
            }
            default: return object(depth + 1);
        }
    }

    Json object(int depth = 0) {
        static const std::vector<std::string> names = {
            "name", "id", "namespace", "login", "role", "type", "members", "content", "event", "alias", "cartridge",
            "cartridges", "url", "scale", "ha", "gear_size", "gear_profile", "initial_git_url", "initial_git_branch",
            "environment_variables", "value", "region", "config", "include", "force", "scope", "note", "expires_in",
            "reuse", "ref", "artifact_url", "hot_deploy", "deployment_id", "keep_deployments", "auto_deploy",
            "deployment_branch", "scales_from", "scales_to", "additional_gear_storage", "ssl_certificate",
            "private_key", "pass_phrase", "allowed_gear_sizes", "owner", "nolinks", "category", "features"};
        Json out = Json::object();
        for (std::size_t i = below(6); i > 0; --i) {
            out[once_in(20) ? valid_utf8(text()) : one_of(names)] = value(depth);
        }
        return out;
    }

    std::string body() {
        if (once_in(12)) {
            static const std::vector<std::string> broken = {
                "{", "[", "nul", "{\"a\":}", "{\"a\":1}x", "\"text\"", "[1,2]", "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}",
                std::string(20000, '['), std::string(3000, '{'), "{\"name\":\"a\",\"name\":\"b\"}", "<xml/>",
                std::string(5, '\0')};
            return one_of(broken);
        }
        return to_text(object());
    }

    std::string form() {
        std::string out;
        static const std::vector<std::string> names = {"name", "cartridges[]", "cartridges[][name]", "a[b][c]", "a[",
                                                       "a]b", "[]", "event", "a[][][]", "id", "members[][login]"};
        for (std::size_t i = below(6); i > 0; --i) {
            out += one_of(names) + "=" + text() + "&";
        }
        return out;
    }

private:
    // JSON texts of the generator itself are valid; invalid ones come from body().
    static std::string valid_utf8(const std::string& text) {
        return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
    }
    std::mt19937 random_;
};

struct World {
    World() : dispatcher(*parts.broker) {
        demo = parts.user("demo");
        application = parts.create(demo, "d1", "app1", {"php-8.4", "mysql-8.0"}).application;
        token = parts.broker->authorizations.add(demo, {"session", "", {}, false}).token;
        parts.agent.before = [this](const std::string&) { is_gear_touched = true; };
    }
    TestBroker parts;
    Dispatcher dispatcher;
    Principal demo;
    Application application;
    std::string token;
    bool is_gear_touched = false;
};

std::string path_of(const Route& route, const World& world, Generator& make) {
    std::string pattern = route.pattern;
    if (pattern.starts_with("@application")) {
        pattern.replace(0, 12, make.once_in(2) ? "applications/:application" : "domain/:domain/application/:name");
    }
    std::string out = "/broker/rest";
    for (std::size_t begin = 0; begin < pattern.size();) {
        const auto end = std::min(pattern.find('/', begin), pattern.size());
        const std::string piece = pattern.substr(begin, end - begin);
        begin = end + 1;
        std::string word = piece.substr(0, piece.find('|'));
        if (piece == ":application" && !make.once_in(8)) {
            word = world.application.id.text();
        } else if (piece == ":domain" && !make.once_in(8)) {
            word = "d1";
        } else if (piece == ":name" && !make.once_in(8)) {
            word = "app1";
        } else if (piece.front() == ':') {
            word = make.text();
        }
        out += "/" + word;
    }
    return out + (make.once_in(15) ? ".xml" : make.once_in(15) ? ".json" : "");
}

HttpRequest request_for(const Route& route, const World& world, Generator& make) {
    HttpRequest request;
    request.method = make.once_in(25) ? "TRACE" : route.method;
    request.path = path_of(route, world, make);
    request.query = make.once_in(4) ? make.form() : "";
    request.headers.emplace("host", make.once_in(30) ? make.text() : "gearbox.localhost");
    static const std::vector<std::string> types = {"application/json", "application/json;version=1.7",
                                                   "application/x-www-form-urlencoded", "text/plain",
                                                   "application/json;version=9", ";;;", "multipart/form-data"};
    const std::string& type = make.once_in(3) ? make.one_of(types) : types[0];
    request.headers.emplace("content-type", type);
    request.body = type == types[2] ? make.form() : make.body();
    if (make.once_in(5)) {
        static const std::vector<std::string> names = {"accept", "x-forwarded-for", "x-forwarded-proto",
                                                       "x-forwarded-host", "x-request-id", "user-agent"};
        request.headers.emplace(make.one_of(names), make.text());
    }
    request.headers.emplace("authorization", make.once_in(20) ? make.text() : "Bearer " + world.token);
    return request;
}

struct Family {
    const char* name;
    std::vector<std::string> beginnings;  ///< of the patterns
};

class GeneratedInput : public testing::TestWithParam<Family> {};

TEST_P(GeneratedInput, NeverBreaksTheBroker) {
    std::vector<const Route*> routes;
    for (const Route& route : rest::routes()) {
        for (const std::string& beginning : GetParam().beginnings) {
            if (std::string_view(route.pattern).starts_with(beginning)) {
                routes.push_back(&route);
            }
        }
    }
    ASSERT_FALSE(routes.empty());
    Generator make(20260101);
    auto world = std::make_unique<World>();
    for (int i = 0; i < requests_a_family; ++i) {
        if (!world->parts.store.find_application(world->application.id.text()) ||
            !world->parts.broker->authorizations.authenticate(world->token)) {
            world = std::make_unique<World>();
        }
        const Route& route = *make.one_of(routes);
        const HttpRequest request = request_for(route, *world, make);
        const std::string before = world->parts.store.dump();
        world->is_gear_touched = false;
        const HttpResponse response = world->dispatcher.handle(request);
        const std::string what = str(request.method, " ", request.path, " ", request.body.substr(0, 500));
        ASSERT_LT(response.status, 500) << i << ": " << what << "\n" << response.body;
        ASSERT_LT(response.body.size(), most_bytes_of_reply) << what;
        if (response.status >= 400) {
            ASSERT_EQ(world->parts.store.dump(), before) << i << ": " << what << "\n" << response.body;
            ASSERT_FALSE(world->is_gear_touched) << i << ": " << what << "\n" << response.body;
            ASSERT_NE(response.body.find("essage"), std::string::npos) << what << response.body;
        }
        for (const auto& [name, value] : response.headers) {
            ASSERT_EQ(value.find_first_of("\r\n"), std::string::npos) << what << ": " << name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Routes, GeneratedInput,
    testing::Values(Family{"open", {"api", "environment", "region", "quickstart", "cartridge", "operation"}},
                    Family{"user", {"user"}}, Family{"domains", {"domain"}},
                    Family{"applications", {"applications", "@application"}},
                    Family{"parts", {"@application/cartridge", "@application/alias", "@application/gear"}},
                    Family{"values", {"@application/environment", "@application/deployment", "@application/events"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace gearbox::test
