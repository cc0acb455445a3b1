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
    EXPECT_TRUE(parse_manifest(str(php, "Publishes: [odd]\n")).front().publishes.empty());
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
    EXPECT_EQ(message("- a\n- b\n"), "the manifest is not a YAML mapping");
    EXPECT_EQ(message("a: [1\n").rfind("manifest line ", 0), 0u);
    EXPECT_EQ(message(std::string(30000, ' ')), "the manifest is larger than 20480 bytes");
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
    EXPECT_TRUE(with_keys("db", "Cart-Data: odd").values.empty());
    EXPECT_THROW(with_keys("db", "Cart-Data: [{Type: environment}]"), Error);
    EXPECT_THROW(with_keys("db", "Cart-Data: [{Key: a, Type: file}]"), Error);
}

TEST(Manifest, ComponentsOfTheOlderFormHaveConnectors) {
    const Cartridge cartridge = with_keys("db", "Publishes: {url: {Type: 'STRING:top'}}\nComponents:\n  one: {Publishes: {url: {Type: 'STRING:own'}, info: {Type: 'ENV:db'}}}\n"
                                                "  two: {Subscribes: {set-env: {Type: 'ENV:*'}}, Scaling: {Min: 1}}\nConnections: {a: {Components: [one, two]}}");
    ASSERT_EQ(cartridge.publishes.size(), 2u);
    EXPECT_EQ(cartridge.publishes[0].type, "STRING:top") << "the cartridge's own goes before";
    EXPECT_EQ(cartridge.publishes[1].hook, "info");
    EXPECT_EQ(cartridge.subscribes.at(0).type, "ENV:*");
    EXPECT_TRUE(with_keys("db", "Components: [odd]").publishes.empty());
    EXPECT_THROW(with_keys("db", "Components: {one: {Publishes: {../x: {Type: a}}}}"), Error);
}

}  // namespace
}  // namespace gearbox
