#include "model/cartridge.h"

#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace gearbox {
namespace {

constexpr const char* php = R"(
Name: php
Cartridge-Short-Name: Php
Version: '8.4'
Versions: ['8.4', '8.2']
Cartridge-Vendor: redhat
Display-Name: PHP 8
Categories: [service, php, web_framework]
Provides: [php]
Native-Requires: [libapache2-mod-php8.4]
Version-Overrides:
  '8.2':
    Display-Name: PHP 8.2
    Native-Requires: [libapache2-mod-php8.2]
Endpoints:
  - Private-IP-Name: IP
    Private-Port-Name: PORT
    Private-Port: 8080
    Public-Port-Name: PROXY_PORT
    WebSocket-Port-Name: WS_PORT
    WebSocket-Port: 8000
    Options: {primary: true}
    Mappings:
      - {Frontend: "", Backend: "", Options: {websocket: 1}}
      - {Frontend: "health", Backend: "", Options: {health: true}}
Help-Topics: [odd, but, seen]
Namespace: ignored
)";

TEST(Manifest, OneCartridgeAVersionNewestFirst) {
    const auto found = parse_manifest(php);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].full_name(), "php-8.4");
    EXPECT_EQ(found[0].short_name, "PHP");
    EXPECT_EQ(found[0].display_name, "PHP 8");
    EXPECT_EQ(found[1].full_name(), "php-8.2");
    EXPECT_EQ(found[1].display_name, "PHP 8.2");
    EXPECT_EQ(found[1].native_requires, std::vector<std::string>{"libapache2-mod-php8.2"});
    EXPECT_TRUE(found[0].is_web_framework());
    EXPECT_TRUE(found[0].answers_to("php"));
    EXPECT_TRUE(found[0].answers_to("php-8.4"));
    EXPECT_FALSE(found[0].answers_to("php-8.2"));
}

TEST(Manifest, Connectors) {
    EXPECT_TRUE(parse_manifest(php).front().publishes.empty());
    const Cartridge found = parse_manifest(str(php, "Publishes:\n  publish-x: {Type: 'ENV:x', Required: true}\n"
                                                    "Subscribes:\n  set-env: {Type: 'ENV:*'}\n  set-jobs: {Type: 'STRING:jobs'}\n"))
                                .front();
    EXPECT_EQ(found.publishes, (std::vector<Connector>{{"publish-x", "ENV:x", true}}));
    EXPECT_EQ(found.subscribes, (std::vector<Connector>{{"set-env", "ENV:*", false}, {"set-jobs", "STRING:jobs", false}}));
    const auto complaint = [](const char* connectors) {
        try {
            parse_manifest(str(php, connectors));
        } catch (const Error& error) {
            return error.text();
        }
        return std::string("taken");
    };
    EXPECT_EQ(complaint("Subscribes:\n  ../bin/control: {Type: a}\n"),
              "Subscribes: '../bin/control' is no name of a script: letters, digits, '.', '_' and '-', at most 64");
    EXPECT_EQ(complaint("Publishes:\n  some-hook: {Required: true}\n"), "Publishes: some-hook has no Type of at most 200 characters");
}

TEST(Manifest, DeploymentVerbs) {
    EXPECT_FALSE(parse_manifest(php).front().deployment_verbs);
    const auto verbs = [](const char* list) { return parse_manifest(str(php, "Deployment-Verbs: ", list, "\n")).front().deployment_verbs; };
    EXPECT_EQ(verbs("[]"), std::vector<std::string>{});
    EXPECT_EQ(verbs("[build, deploy]"), (std::vector<std::string>{"build", "deploy"}));
    try {
        verbs("[build, start]");
        FAIL() << "start is no step of a deployment";
    } catch (const Error& error) {
        EXPECT_THAT(error.text(), testing::StartsWith("Deployment-Verbs: 'start' is no step of a deployment; there are"));
    }
}

TEST(Manifest, EndpointsAndMappings) {
    const Cartridge cartridge = parse_manifest(php).front();
    ASSERT_EQ(cartridge.endpoints.size(), 1u);
    const Endpoint& endpoint = cartridge.endpoints[0];
    EXPECT_EQ(endpoint.websocket_port_name, "WS_PORT");
    EXPECT_EQ(endpoint.websocket_port, 8000);
    EXPECT_EQ(endpoint.port, 8080);
    EXPECT_TRUE(endpoint.primary);
    ASSERT_EQ(endpoint.mappings.size(), 2u);
    EXPECT_EQ(endpoint.mappings[0].frontend, "");
    EXPECT_TRUE(endpoint.mappings[0].websocket);
    EXPECT_EQ(endpoint.mappings[1].frontend, "/health");
}

TEST(Manifest, MappingsAreReadByTheirRules) {
    const auto mapping = [](const std::string& text) {
        return parse_manifest("Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [web_framework]\nEndpoints:\n"
                              "- {Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 8080, Mappings: [{" + text + "}]}\n")
            .front().endpoints.at(0).mappings.at(0);
    };
    EXPECT_EQ(mapping("Frontend: a/b/, Backend: /"), (EndpointMapping{"/a/b", "", false, MappingKind::proxy}));
    EXPECT_EQ(mapping("Frontend: '', Backend: '', Options: {websocket: 1, connections: -1}"), (EndpointMapping{"", "", true, MappingKind::proxy}));
    EXPECT_EQ(mapping("Frontend: '', Options: {toHTTPS: true, websocket: true}"), (EndpointMapping{"", "", true, MappingKind::tohttps}));
    EXPECT_EQ(mapping("Frontend: /x, Options: {gone: 'true'}").kind, MappingKind::gone);
    EXPECT_EQ(mapping("Frontend: /x, Options: {gone: false}").kind, MappingKind::proxy);
    EXPECT_EQ(mapping("Frontend: /x, Options: {file: 1}").kind, MappingKind::nothing);
    EXPECT_EQ(mapping("Frontend: /up, Backend: /$OPENSHIFT_REPO_DIR/up.html, Options: {file: 1}"), (EndpointMapping{"/up", "", false, MappingKind::nothing}));
    EXPECT_EQ(mapping("Frontend: /x, Options: {health: 1}").kind, MappingKind::health);
    EXPECT_EQ(mapping("Frontend: /x, Backend: 'https://a.example:8443/y?z=1', Options: {redirect: true}").backend, "https://a.example:8443/y?z=1");
    const std::string no_path = "' is no path of at most 200 letters, digits, '.', '_', '~' and '-' between slashes";
    for (const auto& [text, complaint] : std::map<std::string, std::string>{
             {"Frontend: '/a b'", "Endpoints[0]: Frontend '/a b" + no_path},
             {"Frontend: /a/../b", "Endpoints[0]: Frontend '/a/../b" + no_path},
             {"Frontend: /a//b", "Endpoints[0]: Frontend '/a//b" + no_path},
             {"Frontend: /a, Backend: '/b;del map x'", "Endpoints[0]: Backend '/b;del map x" + no_path},
             {"Frontend: /a, Backend: 'http://b/'", "Endpoints[0]: Backend '/http://b" + no_path},
             {"Frontend: /a, Backend: 'http://b/;c', Options: {redirect: true}",
              "Endpoints[0]: Backend 'http://b/;c' is no address of at most 500 of the characters A-Z, a-z, 0-9 and /._~-:?&=%+,@"},
             {"Frontend: /a/b/c/d, Backend: /b", "Endpoints[0]: Frontend '/a/b/c/d' has more than 3 parts, and its Backend is another"}}) {
        try {
            mapping(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.text(), complaint);
        }
    }
}

TEST(Manifest, OfARepeatedKeyTheLastCounts) {
    const auto found = parse_manifest("Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [plugin]\nProvides: [a]\nProvides: [b]\nProvides: [c]\n"
                                      "Endpoints:\n- {Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 8090, Private-Port: 9090}\n");
    EXPECT_EQ(found.front().provides, std::vector<std::string>{"c"});
    EXPECT_EQ(found.front().endpoints.at(0).port, 9090);
}

TEST(Manifest, AnEndpointMayLeaveItsPortOpen) {
    const std::string base = "Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [plugin]\nEndpoints:\n- {Private-IP-Name: HOST, Private-Port-Name: PORT";
    EXPECT_EQ(parse_manifest(base + "}\n").front().endpoints.at(0).port, 0);
    EXPECT_THROW(parse_manifest(base + ", Private-Port: 0}\n"), Error);
    EXPECT_THROW(parse_manifest(base + ", Mappings: [{Frontend: /x}]}\n"), Error);
    EXPECT_THROW(parse_manifest("Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [plugin]\nEndpoints:\n- {Private-Ip-Name: IP, Private-Port: 80}\n"), Error);
}

TEST(Manifest, AMinimalOneIsEnough) {
    const auto found = parse_manifest(
        "Name: X\nCartridge-Short-Name: X\nVersion: 3.10\nCategories: plugin\nlocked_files:\n");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].full_name(), "x-3.10");
    EXPECT_TRUE(found[0].endpoints.empty());
}

TEST(Manifest, AnotherVendorIsPartOfTheName) {
    const auto found = parse_manifest(
        "Name: redis\nCartridge-Short-Name: REDIS\nVersion: '2.6'\nCartridge-Vendor: "
        "smarterclayton\nCategories: [service]\n");
    EXPECT_EQ(found.front().full_name(), "smarterclayton-redis-2.6");
}

TEST(Manifest, WhatCannotBeUsedIsNamed) {
    const auto message = [](const std::string& yaml) {
        try {
            parse_manifest(yaml);
        } catch (const Error& error) {
            return error.text();
        }
        return std::string("accepted");
    };
    const std::string base = "Cartridge-Short-Name: X\nVersion: '1'\nCategories: [plugin]\n";
    EXPECT_NE(message("Name: ../x\n" + base).find("Name '../x' must match"), std::string::npos);
    EXPECT_NE(message("Name: git\n" + base).find("not 'app-root' or 'git'"), std::string::npos);
    EXPECT_NE(message("Name: x\nCartridge-Short-Name: A-B\nVersion: '1'\n").find("Short-Name"),
              std::string::npos);
    EXPECT_NE(message("Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [fun]\n")
                  .find("Categories must hold"),
              std::string::npos);
    EXPECT_NE(message("Name: x\n" + base +
                      "Endpoints:\n  - {Private-IP-Name: IP, Private-Port-Name: PORT, "
                      "Private-Port: 99999}\n")
                  .find("Endpoints[0]: Private-Port must be 1 to 65535, not '99999'"),
              std::string::npos);
    EXPECT_EQ(message("Name: x\nCartridge-Short-Name: X\nCategories: [plugin]\n"), "Version is missing: the version of the software, such as '1.0'");
    EXPECT_EQ(message("- a\n- b\n"), "the manifest is not a YAML mapping");
    EXPECT_EQ(message("a: [1\n").rfind("manifest line ", 0), 0u);
    EXPECT_EQ(message(std::string(30000, ' ')), "the manifest is larger than 20480 bytes");
}

TEST(Manifest, AKeyOfAnotherShapeIsNamed) {
    const std::string base = "Name: x\nCartridge-Short-Name: X\nVersion: '1'\nCategories: [plugin]\n";
    const auto message = [&](const std::string& keys) {
        try {
            parse_manifest(base + keys);
        } catch (const Error& error) {
            return error.text();
        }
        return std::string("taken");
    };
    const auto endpoint = [](const std::string& more) {
        return "Endpoints: [{Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 8080, " + more + "}]";
    };
    for (const auto& [keys, expected] : std::map<std::string, std::string>{
             {"Group-Overrides: web_framework", "Group-Overrides must be a list, not 'web_framework'"},
             {"Group-Overrides: {components: [x, y]}", "Group-Overrides must be a list, not a map"},
             {"Group-Overrides: [[x, y]]", "Group-Overrides[0] must be a map with 'components', not a list"},
             {"Group-Overrides: [{components: {x: y}}]", "Group-Overrides[0].components must be a list, not a map"},
             {"Connections: [x, y]", "Connections must be a map, not a list"},
             {"Connections: {auto: [x, y]}", "Connections.auto must be a map, not a list"},
             {"Connections: {auto: {Components: {x: y}}}", "Connections.auto.Components must be a list of words, not a map"},
             {"Components: [odd]", "Components must be a map, not a list"},
             {"Components: {one: odd}", "Components.one must be a map, not 'odd'"},
             {"Scaling: none", "Scaling must be a map, not 'none'"},
             {"Scaling: {Min: 1, Max: many}", "Scaling.Max must be a whole number, not 'many'"},
             {"Scaling: {Required: perhaps}", "Scaling.Required must be true or false, not 'perhaps'"},
             {"Publishes: [odd]", "Publishes must be a map, not a list"},
             {"Subscribes: {set-env: 'ENV:*'}", "Subscribes.set-env must be a map, not 'ENV:*'"},
             {"Subscribes: {set-env: {Type: 'ENV:*', Required: [true]}}", "Subscribes.set-env.Required must be true or false, not a list"},
             {"Cart-Data: odd", "Cart-Data must be a list, not 'odd'"},
             {"Provides: {x: y}", "Provides must be a list of words, not a map"},
             {"Requires: [{x: y}]", "Requires must be a list of words, not a list of maps"},
             {"Metrics: {x: y}", "Metrics must be a list of words, not a map"},
             {"Obsolete: soon", "Obsolete must be true or false, not 'soon'"},
             {"Source-Url: [x]", "Source-Url must be a word, not a list"},
             {"Version-Overrides: ['1']", "Version-Overrides must be a map, not a list"},
             {"Version-Overrides: {'1': {Group-Overrides: x}}", "Group-Overrides must be a list, not 'x'"},
             {"Version-Overrides: {'1': x}", "Version-Overrides.1 must be a map, not 'x'"},
             {"Endpoints: {Private-IP-Name: IP}", "Endpoints must be a list, not a map"},
             {"Endpoints: [IP]", "Endpoints[0] must be a map, not 'IP'"},
             {endpoint("Options: primary"), "Endpoints[0]: Options must be a map, not 'primary'"},
             {endpoint("Options: {ssl_to_gear: always}"), "Endpoints[0]: Options.ssl_to_gear must be true or false, not 'always'"},
             {endpoint("Protocols: {tcp: true}"), "Endpoints[0]: Protocols must be a list of words, not a map"},
             {endpoint("WebSocket-Port: 70000, WebSocket-Port-Name: W"), "Endpoints[0]: WebSocket-Port must be 1 to 65535, not '70000'"},
             {endpoint("WebSocket-Port-Name: A-B"), "Endpoints[0]: WebSocket-Port-Name 'A-B' is not a variable name"},
             {endpoint("WebSocket-Port: x"), "Endpoints[0]: WebSocket-Port must be a whole number, not 'x'"},
             {endpoint("Mappings: /"), "Endpoints[0]: Mappings must be a list, not '/'"},
             {endpoint("Mappings: [/]"), "Endpoints[0]: Mappings[0] must be a map, not '/'"},
             {endpoint("Mappings: [{Frontend: [x]}]"), "Endpoints[0]: Mappings[0]: Frontend must be a word, not a list"},
             {endpoint("Mappings: [{Options: [websocket]}]"), "Endpoints[0]: Mappings[0]: Options must be a map, not a list"},
             {endpoint("Mappings: [{Options: {ssl_to_gear: {}, gone: maybe}}]"), "Endpoints[0]: Mappings[0]: Options.gone must be true or false, not 'maybe'"},
             {endpoint("Mappings: [{Options: {connections: few}}]"), "Endpoints[0]: Mappings[0]: Options.connections must be a whole number, not 'few'"},
             {"Cartridge-Vendor: ac/me", "Cartridge-Vendor 'ac/me' must be letters, digits and '_', at most 32"}}) {
        EXPECT_EQ(message(keys), expected) << keys;
    }
    for (const std::string& keys : {std::string("Group-Overrides: [{components: [web-proxy, {comp: a, cart: b}]}, {components: }, mock]"),
                                    std::string("Scaling:\nMin: 1\nMax: -1\nComponents: {one: }\nPublishes: []\nEndpoints: {}"),
                                    std::string("Connections: {auto: {Components: [x, y]}}\nCartridge-Vendor: Unit Test\nDescription: [odd]"),
                                    endpoint("Protocols: tcp, Options: {ssl_to_gear: yes}, Mappings: [{Options: {ssl_to_gear: 1, websocket: 1, mine: odd}}]")}) {
        EXPECT_EQ(message(keys), "taken") << keys;
    }
    EXPECT_EQ(parse_manifest(base + "Cartridge-Vendor: Unit Test").front().full_name(), "unittest-x-1");
    EXPECT_EQ(parse_manifest("Name: x.y\n" + base.substr(8)).front().full_name(), "x.y-1");
    EXPECT_EQ(message("x: &x {y: *x}"), "the manifest has more than 10000 values, or more than 20 levels");
}

TEST(Versions, CompareByNumber) {
    EXPECT_GT(compare_versions("8.10", "8.9"), 0);
    EXPECT_LT(compare_versions("5.5", "11.8"), 0);
    EXPECT_EQ(compare_versions("1.0", "1"), 0);
}

TEST(Manifest, IsAskedForWithAndWithoutVendorAndVersion) {
    Cartridge cartridge;
    cartridge.name = "redis";
    cartridge.version = "2.6";
    cartridge.vendor = "acme";
    for (const char* word : {"redis", "acme-redis", "acme-redis-2.6"}) {
        EXPECT_TRUE(cartridge.answers_to(word)) << word;
    }
    EXPECT_FALSE(cartridge.answers_to("redis-2.6"));
}

Cartridge with_keys(const std::string& name, const std::string& keys) {
    return parse_manifest(str("Name: ", name, "\nCartridge-Short-Name: X\nVersion: '1.0'\nCategories: [service]\nProvides: [", name, "-1]\n", keys)).front();
}

TEST(Manifest, ConfigureOrderSaysWhatMustBeThereBefore) {
    const Cartridge mysql = with_keys("mysql", "");
    const Cartridge mariadb = with_keys("mariadb", "");
    const auto missing = [](const std::string& order, const std::vector<Cartridge>& others) {
        return with_keys("admin", "Configure-Order: " + order).missing_before(others);
    };
    EXPECT_EQ(missing("[[mysql, mariadb], admin]", {}), "mysql or mariadb");
    EXPECT_EQ(missing("[[mysql, mariadb], admin]", {mariadb}), "");
    EXPECT_EQ(missing("[mysql-1, admin]", {mariadb}), "mysql-1");
    EXPECT_EQ(missing("[mysql, mariadb]", {mysql}), "mariadb") << "one after the other";
    EXPECT_EQ(missing("[admin, mysql]", {}), "") << "what comes later may be absent";
    EXPECT_EQ(missing("[web_framework, web_proxy, service]", {}), "") << "categories only order";
    EXPECT_EQ(missing("mysql", {}), "") << "no list";
    EXPECT_THROW(missing("[[[[deep]]]]", {}), Error);
}

TEST(Manifest, ConflictsHoldInBothDirections) {
    const Cartridge nginx = with_keys("nginx", "Conflicts: [apache-1]");
    const Cartridge apache = with_keys("apache", "");
    EXPECT_EQ(nginx.conflict_with(apache), "apache-1");
    EXPECT_EQ(apache.conflict_with(nginx), "apache-1");
    EXPECT_EQ(apache.conflict_with(apache), "");
    const Cartridge only = with_keys("only", "Conflicts: only-1");
    EXPECT_EQ(only.conflict_with(with_keys("only", "")), "") << "what it is itself";
}

TEST(Manifest, CartDataIsWhatClientsShow) {
    const Cartridge cartridge = with_keys("db", "Cart-Data:\n- {Key: OPENSHIFT_X_USER, Type: environment, Description: Who}\n- {Key: password, Type: cart_data}");
    ASSERT_EQ(cartridge.values.size(), 2u);
    EXPECT_TRUE(cartridge.values[0].is_variable);
    EXPECT_EQ(cartridge.values[0].description, "Who");
    EXPECT_EQ(cartridge.values[1].key, "password");
    EXPECT_FALSE(cartridge.values[1].is_variable);
    EXPECT_TRUE(with_keys("db", "Cart-Data: {}").values.empty());
    // A slip is nobody's value, and no reason to refuse the cartridge: OpenShift did not look.
    EXPECT_EQ(with_keys("db", "Cart-Data: [{Type: environment}, {Key: a, Type: enviroment}, word, {Key: b}]").values.size(), 1u);
}

TEST(Manifest, ComponentsOfTheOlderFormHaveConnectors) {
    const Cartridge cartridge = with_keys("db", "Publishes: {url: {Type: 'STRING:top'}}\nComponents:\n  one: {Publishes: {url: {Type: 'STRING:own'}, info: {Type: 'ENV:db'}}}\n"
                                                "  two: {Subscribes: {set-env: {Type: 'ENV:*'}}, Scaling: {Min: 1}}\nConnections: {a: {Components: [one, two]}}");
    ASSERT_EQ(cartridge.publishes.size(), 2u);
    EXPECT_EQ(cartridge.publishes[0].type, "STRING:top") << "the cartridge's own goes before";
    EXPECT_EQ(cartridge.publishes[1].hook, "info");
    EXPECT_EQ(cartridge.subscribes.at(0).type, "ENV:*");
    EXPECT_THROW(with_keys("db", "Components: {one: {Publishes: {../x: {Type: a}}}}"), Error);
}

}  // namespace
}  // namespace gearbox
