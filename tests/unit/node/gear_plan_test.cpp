// Records, addresses and launch plans of gears.
#include "base/error.h"
#include "base/file.h"
#include "node/endpoints.h"
#include "node/routes.h"
#include "node/isolators/isolators.h"
#include "node/launcher.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace gearbox::test {

namespace {

GearRecord make_record() {
    GearRecord record;
    record.spec.id = GearId("5f0000000000000000000101");
    record.spec.application = ApplicationId("5f0000000000000000000101");
    record.spec.uid = 1001;
    record.spec.application_name = *ApplicationName::parse("shop");
    record.spec.domain = *Namespace::parse("acme");
    record.spec.dns = "shop-acme.gearbox.localhost";
    record.spec.login = "demo";
    record.spec.secret_token = "token";
    record.spec.user_variables = {{"A", "b=c\n"}};
    record.spec.deployment = {false, "main", 3, "git"};
    record.hosts = {"shop-acme.localhost"};
    record.state = GearState::started;
    record.init_pid = 42;
    record.init_start = 123456789012;
    return record;
}

Cartridge make_cartridge(const std::string& name, std::vector<Endpoint> endpoints) {
    Cartridge out;
    out.name = name;
    out.short_name = name == "web" ? "WEB" : "DB";
    out.version = "1.0";
    out.endpoints = std::move(endpoints);
    return out;
}

const Endpoint web_endpoint = {"IP", "PORT", 8080, "PROXY_PORT", {{"", "", false, MappingKind::proxy}}, true};
const Endpoint second_port = {"IP", "PORT2", 8081, "", {{"/admin", "", false, MappingKind::proxy}}, false};
const Endpoint database = {"HOST", "PORT", 3306, "PROXY_PORT", {}, false};

TEST(Endpoints, GetTheLowestFreeAddress) {
    GearRecord record = make_record();
    const auto web = plan_endpoints(record, make_cartridge("web", {web_endpoint, second_port}));
    ASSERT_EQ(web.size(), 2u);
    EXPECT_EQ(web[0].address, loopback_address(1001, 1));
    EXPECT_EQ(web[1].address, web[0].address);
    EXPECT_EQ(web[0].proxy_port, 38036);
    EXPECT_EQ(web[1].proxy_port, 38037);
    EXPECT_TRUE(web[0].is_web());
    EXPECT_FALSE(web[1].is_web());
    EXPECT_EQ(web[0].ip_variable, "OPENSHIFT_WEB_IP");
    record.cartridges.push_back({"web", "WEB", "1.0", "web-1.0", true, false, web});
    const auto db = plan_endpoints(record, make_cartridge("db", {database}));
    EXPECT_EQ(db[0].address, loopback_address(1001, 2));
    EXPECT_EQ(db[0].proxy_port, 38038) << "where port forwarding of ssh leads to";
    EXPECT_EQ(record.find_web_endpoint()->proxy_port, 38036);
    EXPECT_EQ(forwardings_of(record).size(), 2u);
    const auto many =
        plan_endpoints(record, make_cartridge("many", std::vector<Endpoint>(4, database)));
    EXPECT_EQ(many[2].proxy_port, 38040);
    EXPECT_EQ(many[3].proxy_port, 0) << "a sixth one is reached inside of the gear only";
}

TEST(Routes, AreOneForEachHostAndFrontend) {
    GearRecord record = make_record();
    const auto place = [&](std::vector<EndpointMapping> mappings, bool primary) {
        const auto placed = plan_endpoints(record, make_cartridge("db", {{"IP", "PORT", 8080, "", std::move(mappings), primary}}));
        record.cartridges.push_back({"db", "DB", "1.0", "db-1.0", false, false, placed});
    };
    place({{"", "", true, MappingKind::proxy}, {"/health", "", false, MappingKind::health}, {"/a", "/b", false, MappingKind::proxy}}, false);
    place({{"", "/x", false, MappingKind::tohttps}, {"/a/b", "", false, MappingKind::proxy}, {"/gone", "", false, MappingKind::gone}}, true);
    place({{"", "", false, MappingKind::proxy}, {"/a", "/a", false, MappingKind::proxy},
           {"/else", "https://example.org/", false, MappingKind::redirect}}, false);
    const std::string gear = link_addresses(1001).gear;
    const Routes expected = {{"shop-acme.localhost/", gear + ":38037:tohttps:0:/x"},
                             {"shop-acme.localhost/health/", gear + ":38036:health::"},
                             {"shop-acme.localhost/a/", gear + ":38036:proxy:1:/b"},
                             {"shop-acme.localhost/a/b/", gear + ":38037:proxy:2:"},
                             {"shop-acme.localhost/gone/", gear + ":38037:gone::"},
                             {"shop-acme.localhost/else/", gear + ":38038:redirect::https://example.org/"}};
    EXPECT_EQ(routes_of(record), expected);
    EXPECT_EQ(routes_of(parse_gear_record(to_json(record))), expected);
    record.hosts.clear();
    EXPECT_TRUE(routes_of(record).empty());
}

TEST(GearRecord, OfBeforeMappingsWereKeptAnswersForTheApplication) {
    Json json = to_json(make_record());
    json["cartridges"] = Json::array({{{"name", "web"}, {"short_name", "WEB"}, {"version", "1"}, {"full_name", "web-1"},
        {"web_framework", true}, {"install_build_required", false},
        {"endpoints", Json::array({{{"ip_variable", "A"}, {"port_variable", "B"}, {"address", "127.0.0.1"}, {"port", 8080},
                                    {"proxy_port", 38036}, {"web", true}, {"primary", true}}})}}});
    const GearRecord record = parse_gear_record(json);
    ASSERT_NE(record.find_web_endpoint(), nullptr);
    EXPECT_EQ(routes_of(record), (Routes{{"shop-acme.localhost/", link_addresses(1001).gear + ":38036"}}));
}

TEST(Endpoints, AreFiveFromOutside) {
    EXPECT_THROW(plan_endpoints(make_record(),
                                make_cartridge("web", std::vector<Endpoint>(6, web_endpoint))),
                 Error);
}

TEST(GearRecord, SurvivesItsFile) {
    GearRecord record = make_record();
    record.cartridges.push_back({"web", "WEB", "1.0", "web-1.0", true, true,
                                 plan_endpoints(record, make_cartridge("web", {web_endpoint}))});
    const Json json = to_json(record);
    EXPECT_EQ(to_json(parse_gear_record(parse_json(to_text(json)))), json);
    EXPECT_THROW(parse_gear_record(Json::object()), Error);
    EXPECT_NE(record.find_cartridge("web-1.0"), nullptr);
    EXPECT_EQ(record.find_cartridge("other"), nullptr);
}

TEST(GearRecord, OfAnEarlierReleaseHasNoDatabases) {
    GearRecord record = make_record();
    record.cartridges.push_back({"db", "DB", "1.0", "db-1.0", false, false, {}, true});
    Json json = to_json(record);
    EXPECT_TRUE(parse_gear_record(json).cartridges[0].database);
    json["cartridges"][0].erase("database");
    EXPECT_FALSE(parse_gear_record(json).cartridges[0].database);
}

TEST(SecurityPolicy, HasALabelForEachPurposeAndKindOfFile) {
    const std::string level = ":" + mcs_level(1001);
    const std::vector<std::pair<Purpose, std::string>> domains = {
        {Purpose::git, "gear_git_t"},     {Purpose::init, "gear_init_t"},
        {Purpose::service, "gear_t"},     {Purpose::database, "gear_db_t"},
        {Purpose::build, "gear_build_t"}, {Purpose::session, "gear_session_t"}};
    for (const auto& [purpose, type] : domains) {
        EXPECT_EQ(selinux_label(1001, purpose), "system_u:system_r:" + type + level);
    }
    const std::vector<std::pair<FileKind, std::string>> kinds = {
        {FileKind::home, "gear_file_t"},
        {FileKind::repository, "gear_repository_t"},
        {FileKind::log, "gear_log_t"},
        {FileKind::cartridge, "gear_cartridge_t"},
        {FileKind::database, "gear_db_file_t"}};
    for (const auto& [kind, type] : kinds) {
        EXPECT_EQ(selinux_label(1001, kind), "system_u:object_r:" + type + level);
    }
}

class FixedPolicy final : public SecurityPolicy {
public:
    std::string process_label(uid_t uid, Purpose purpose) const override {
        return selinux_label(uid, purpose);
    }
    std::string file_label(uid_t uid, FileKind kind) const override {
        return selinux_label(uid, kind);
    }
};

std::string printed_plan() {
    Settings settings = make_default_settings();
    settings.security.profile_dir = "/nonexistent";
    const Paths paths(settings);
    const FixedPolicy policy;
    const Profiles profiles(settings, policy);
    Isolators isolators;
    isolators.push_back(make_network_isolator(settings, profiles, paths));
    isolators.push_back(make_filesystem_isolator(settings, profiles, paths));
    isolators.push_back(make_privilege_isolator(profiles, policy));
    const LaunchPlan plan = make_launch_plan(make_record(), isolators);
    EXPECT_EQ(parse_launch_plan(to_json(plan)), plan);
    return to_json(plan).dump(1) + "\n";
}

TEST(LaunchPlan, IsAsReviewed) {
    const std::string golden = test_data("plans/launch.json");
    const std::string actual = printed_plan();
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        write_file_atomically(golden, actual);
        GTEST_SKIP() << "wrote " << golden;
    }
    EXPECT_EQ(find_file(golden).value_or(""), actual) << "UPDATE_GOLDEN=1 rewrites the file";
}

TEST(EnterPlan, SurvivesItsText) {
    EnterPlan plan;
    plan.argv = {"/bin/bash", "-c", "echo"};
    plan.environment = {"A=b"};
    plan.directory = "/x";
    plan.privileges.limits = {{"nofile", 10}};
    plan.privileges.capabilities = {"net_raw"};
    plan.privileges.filter = "standard -ptrace";
    EXPECT_EQ(parse_enter_plan(parse_json(to_text(to_json(plan)))), plan);
    Json broken = to_json(plan);
    broken["argv"] = Json::array();
    EXPECT_THROW(parse_enter_plan(broken), Error);
}

}  // namespace

}  // namespace gearbox::test
