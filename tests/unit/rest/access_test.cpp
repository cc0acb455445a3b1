// Who may use which route: every route has a row here, for every kind of caller.
#include "rest/dispatcher.h"
#include "support/broker_fixture.h"

#include <map>
#include <set>

namespace gearbox::test {
namespace {

using rest::Dispatcher;
using rest::HttpRequest;
using rest::HttpResponse;
using rest::Route;

// The callers, in the order of the columns below. Tokens are the owner's.
const std::vector<std::string> callers = {
    "anonymous", "stranger", "viewer", "editor", "admin", "owner",
    "expired token", "userinfo", "read", "domain view", "domain edit", "domain admin",
    "application view", "application edit", "application admin", "other domain admin"};

// What the columns say for routes that are guarded alike. y: let through, n: 401, 403 or 404.
const std::map<std::string, std::string> kinds = {
    //               A S V E A O  x u r  v e a  v e a  o
    {"open",        "y y y y y y  y y y  y y y  y y y  y"},
    {"userinfo",    "n y y y y y  n y y  n n n  n n n  n"},
    {"account read", "n y y y y y  n n y  n n n  n n n  n"},
    {"account",     "n y y y y y  n n n  n n n  n n n  n"},
    {"list",        "n y y y y y  n n y  y y y  y y y  y"},
    {"domain view", "n n y y y y  n n y  y y y  n n n  n"},
    {"domain edit", "n n n y y y  n n n  n y y  n n n  n"},
    {"domain admin", "n n n n y y  n n n  n n y  n n n  n"},
    {"domain owner", "n n n n n y  n n n  n n n  n n n  n"},
    {"leave",       "n n y y y y  n n n  y y y  n n n  n"},
    {"team view",   "n n y y y y  n n y  n n n  n n n  n"},
    {"team owner",  "n n n n n y  n n n  n n n  n n n  n"},
    {"team leave",  "n n y y y y  n n n  n n n  n n n  n"},
    {"view",        "n n y y y y  n n y  y y y  y y y  n"},
    {"edit",        "n n n y y y  n n n  n y y  n y y  n"},
};

const std::map<std::string, std::string> rows = {
    {"GET api", "open"}, {"GET environment", "open"}, {"GET region|regions", "open"},
    {"GET quickstarts", "open"}, {"GET quickstart|quickstarts/:id", "open"},
    {"GET cartridges", "open"}, {"GET cartridge|cartridges/:name", "open"},
    {"GET @application/logs", "edit"},
    {"GET @application/snapshot", "edit"}, {"PUT @application/snapshot", "edit"},
    {"GET estimates", "account read"}, {"GET estimate|estimates/:object", "account read"},
    {"GET operation|operations/:request_id", "account read"},
    {"GET user", "userinfo"}, {"DELETE user", "account"},
    {"GET user/keys", "account read"}, {"POST user/keys", "account"},
    {"GET user/key|keys/:name", "account read"}, {"PUT user/key|keys/:name", "account"},
    {"DELETE user/key|keys/:name", "account"},
    {"GET user/authorizations", "account"}, {"POST user/authorizations", "account"},
    {"DELETE user/authorizations", "account"},
    {"GET user/authorization|authorizations/:id", "account"},
    {"PUT user/authorization|authorizations/:id", "account"},
    {"DELETE user/authorization|authorizations/:id", "account"},
    {"GET domains", "list"}, {"POST domains", "account"},
    {"GET domain|domains/:domain", "domain view"}, {"PUT domain|domains/:domain", "domain owner"},
    {"DELETE domain|domains/:domain", "domain owner"},
    {"GET domain|domains/:domain/members", "domain view"},
    {"PATCH domain|domains/:domain/members", "domain admin"},
    {"POST domain|domains/:domain/members", "domain admin"},
    {"DELETE domain|domains/:domain/members", "domain admin"},
    {"DELETE domain|domains/:domain/members/self", "leave"},
    {"GET domain|domains/:domain/member|members/:member", "domain view"},
    {"PUT domain|domains/:domain/member|members/:member", "domain admin"},
    {"DELETE domain|domains/:domain/member|members/:member", "domain admin"},
    {"GET domain|domains/:domain/applications", "domain view"},
    {"POST domain|domains/:domain/applications", "domain edit"},
    {"GET teams", "account read"}, {"POST teams", "account"},
    {"GET team|teams/:team", "team view"}, {"DELETE team|teams/:team", "team owner"},
    {"GET team|teams/:team/members", "team view"}, {"PATCH team|teams/:team/members", "team owner"},
    {"POST team|teams/:team/members", "team owner"}, {"DELETE team|teams/:team/members", "team owner"},
    {"DELETE team|teams/:team/members/self", "team leave"},
    {"GET team|teams/:team/member|members/:member", "team view"},
    {"PUT team|teams/:team/member|members/:member", "team owner"},
    {"DELETE team|teams/:team/member|members/:member", "team owner"},
    {"GET applications", "list"},
    {"GET @application", "view"}, {"PUT @application", "edit"}, {"DELETE @application", "edit"},
    {"POST @application/events", "edit"}, {"GET @application/descriptor", "view"},
    {"GET @application/dns_resolvable", "view"}, {"GET @application/members", "view"},
    {"GET @application/aliases", "view"}, {"POST @application/aliases", "edit"},
    {"GET @application/alias|aliases/:alias", "view"}, {"PUT @application/alias|aliases/:alias", "edit"},
    {"DELETE @application/alias|aliases/:alias", "edit"},
    {"GET @application/deployments", "view"}, {"POST @application/deployments", "edit"},
    {"GET @application/deployment|deployments/:deployment", "view"},
    {"GET @application/cartridges", "view"}, {"POST @application/cartridges", "edit"},
    {"GET @application/cartridge|cartridges/:cartridge", "view"},
    {"PUT @application/cartridge|cartridges/:cartridge", "edit"},
    {"DELETE @application/cartridge|cartridges/:cartridge", "edit"},
    {"POST @application/cartridge|cartridges/:cartridge/events", "edit"},
    {"GET @application/gears", "view"}, {"GET @application/gear_groups|gear-groups", "view"},
    {"GET @application/gear_group|gear-group|gear_groups|gear-groups/:group", "view"},
    {"GET @application/environment-variables|environment_variables", "view"},
    {"POST @application/environment-variables|environment_variables", "edit"},
    {"PATCH @application/environment-variables|environment_variables", "edit"},
    {"GET @application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", "view"},
    {"PUT @application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", "edit"},
    {"DELETE @application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", "edit"},
};

/// Ann's domain d1 with the application app1 and members of every role; a stranger with domain d2.
struct People {
    People() : dispatcher(*parts.broker) {
        for (const char* login : {"owner", "stranger", "viewer", "editor", "admin"}) {
            people.emplace(login, parts.user(login));
        }
        application = parts.create(people.at("owner"), "d1", "app1").application;
        parts.create(people.at("stranger"), "d2", "app2");
        other = *parts.store.find_domain("d2");
        parts.broker->members.change(people.at("owner"), domain(),
                                     {{"viewer", "", Role::view},
                                      {"editor", "", Role::edit},
                                      {"admin", "", Role::admin}});
        people.at("owner").user.max_teams = 1;
        team = parts.broker->teams.create(people.at("owner"), "ops");
        parts.broker->teams.change(people.at("owner"), team,
                                   {{"viewer", "", Role::view},
                                    {"editor", "", Role::view},
                                    {"admin", "", Role::view}});
    }

    Domain domain() const { return *parts.store.find_domain("d1"); }

    std::string token(const std::string& login, const std::string& scopes) {
        return parts.broker->authorizations.add(people.at(login), {scopes, "", {}, false}).token;
    }

    std::string token_of(const std::string& caller) {
        if (people.contains(caller)) {
            return token(caller, "session");
        }
        if (caller == "expired token") {
            const std::string expired = token("owner", "session");
            parts.clock.seconds += 8 * 24 * 3600;
            return expired;
        }
        const auto blank = caller.rfind(' ');
        const std::string level = caller.substr(blank + 1);
        if (caller.starts_with("domain")) {
            return token("owner", str("domain/", domain().id.text(), "/", level));
        }
        if (caller.starts_with("application")) {
            return token("owner", str("application/", application.id.text(), "/", level));
        }
        return caller.starts_with("other") ? token("owner", str("domain/", other.id.text(), "/admin"))
                                           : token("owner", caller);
    }

    HttpResponse ask(const Route& route, const std::string& caller) {
        HttpRequest request;
        request.method = route.method;
        request.path = "/broker/rest/" + path_of(route);
        request.headers.emplace("host", "localhost");
        request.headers.emplace("content-type", "application/json");
        request.body = "{}";
        if (caller != "anonymous") {
            request.headers.emplace("authorization", "Bearer " + token_of(caller));
        }
        before = parts.store.dump();
        parts.agent.before = [&](const std::string&) { is_gear_touched = true; };
        return dispatcher.handle(request);
    }

    std::string path_of(const Route& route) const {
        std::string pattern = route.pattern;
        const auto put = [&](const std::string& word, const std::string& value) {
            if (const auto at = pattern.find(word); at != std::string::npos) {
                pattern.replace(at, word.size(), value);
            }
        };
        put("@application", "application/" + application.id.text());
        put(":domain", "d1");
        put(":team", team.id.text());
        put(":member", "viewer");
        put(":cartridge", "php-8.4");
        put(":group", application.id.text());
        put(":deployment", "0123abcd");
        std::string out;
        // The first of several words, anything for other parts.
        for (std::size_t begin = 0; begin < pattern.size();) {
            const auto end = std::min(pattern.find('/', begin), pattern.size());
            const std::string piece = pattern.substr(begin, end - begin);
            out += (out.empty() ? "" : "/") + (piece.front() == ':' ? "x" : piece.substr(0, piece.find('|')));
            begin = end + 1;
        }
        return out;
    }

    TestBroker parts;
    Dispatcher dispatcher;
    std::map<std::string, Principal> people;
    Application application;
    Domain other;
    Team team;
    std::string before;
    bool is_gear_touched = false;
};

// 404 with these exit codes is how strangers are kept out.
bool is_denied(const HttpResponse& response) {
    const Json messages = parse_json(response.body)["messages"];
    const Json code = messages.empty() ? Json(nullptr) : messages[0]["exit_code"];
    return response.status == 401 || response.status == 403 ||
           (response.status == 404 && (code == 101 || code == 127 || (code == 132 && messages[0]["field"] == "id")));
}

std::string text_of(const Route& route) { return str(route.method, " ", route.pattern); }

TEST(Access, IsAsTheTableSaysForEveryRouteAndCaller) {
    for (const Route& route : rest::routes()) {
        const auto row = rows.find(text_of(route));
        if (row == rows.end()) {
            ADD_FAILURE() << "no row for " << text_of(route);
            continue;
        }
        std::string columns = kinds.at(row->second);
        std::erase(columns, ' ');
        ASSERT_EQ(columns.size(), callers.size()) << row->second;
        for (std::size_t i = 0; i < callers.size(); ++i) {
            People world;
            const HttpResponse response = world.ask(route, callers[i]);
            const bool is_refusal_to_all = text_of(route) == "DELETE user" && columns[i] == 'y';
            EXPECT_EQ(is_denied(response) && !is_refusal_to_all, columns[i] == 'n')
                << text_of(route) << " as " << callers[i] << ": " << response.status << " " << response.body;
            EXPECT_LT(response.status, 500) << text_of(route) << ": " << response.body;
            if (columns[i] == 'n') {
                EXPECT_EQ(world.parts.store.dump(), world.before) << text_of(route) << " as " << callers[i];
                EXPECT_FALSE(world.is_gear_touched) << text_of(route) << " as " << callers[i];
            }
        }
    }
}

TEST(Access, EveryRowIsOfARoute) {
    std::set<std::string> known;
    for (const Route& route : rest::routes()) {
        known.insert(text_of(route));
    }
    for (const auto& [row, kind] : rows) {
        EXPECT_TRUE(known.contains(row)) << row;
    }
}

TEST(Access, ListsShowWhatTheTokenIsFor) {
    People world;
    const auto names = [&](const std::string& path, const std::string& token) {
        HttpRequest request;
        request.method = "GET";
        request.path = "/broker/rest/" + path;
        request.headers.emplace("host", "localhost");
        request.headers.emplace("authorization", "Bearer " + token);
        std::string out;
        const Json reply = parse_json(world.dispatcher.handle(request).body);
        for (const Json& entry : reply["data"]) {
            out += entry["name"].get<std::string>() + " ";
        }
        return out;
    };
    world.parts.create(world.people.at("owner"), "d3", "app3");
    EXPECT_EQ(names("domains", world.token("owner", "session")), "d1 d3 ");
    EXPECT_EQ(names("domains", world.token_of("domain view")), "d1 ");
    EXPECT_EQ(names("applications", world.token_of("application view")), "app1 ");
    EXPECT_EQ(names("applications", world.token_of("domain view")), "app1 ");
    EXPECT_EQ(names("domains", world.token("viewer", "session")), "d1 ");
    EXPECT_EQ(names("applications", world.token("stranger", "session")), "app2 ");
}

}  // namespace
}  // namespace gearbox::test
