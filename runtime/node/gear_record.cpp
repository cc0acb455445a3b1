#include "node/gear_record.h"

#include "base/error.h"

#include <algorithm>

namespace gearbox {

namespace {

Json endpoint_json(const PlacedEndpoint& e) {
    Json mappings = Json::array();
    for (const EndpointMapping& mapping : e.mappings) {
        mappings.push_back({{"frontend", mapping.frontend}, {"backend", mapping.backend}, {"kind", name_of(mapping.kind)}});
    }
    return {{"ip_variable", e.ip_variable},     {"port_variable", e.port_variable},
            {"address", e.address},             {"port", e.port},
            {"proxy_port", e.proxy_port},       {"mappings", std::move(mappings)},
            {"primary", e.primary},             {"public_port_variable", e.public_port_variable},
            {"websocket_port", e.websocket_port}, {"websocket_port_variable", e.websocket_port_variable}};
}

std::vector<EndpointMapping> parse_mappings(const Json& endpoint) {
    std::vector<EndpointMapping> out;
    if (find<bool>(endpoint, "web").value_or(false)) {  // written before mappings were kept
        out.emplace_back();
    }
    for (const Json& mapping : find<Json>(endpoint, "mappings").value_or(Json::array())) {
        out.push_back({take<std::string>(mapping, "frontend"), take<std::string>(mapping, "backend"), false,
                       parse_mapping_kind(take<std::string>(mapping, "kind"))});
    }
    return out;
}

PlacedEndpoint parse_endpoint(const Json& json) {
    return {take<std::string>(json, "ip_variable"),
            take<std::string>(json, "port_variable"),
            take<std::string>(json, "address"),
            take<int>(json, "port"),
            take<int>(json, "proxy_port"),
            parse_mappings(json),
            take<bool>(json, "primary"),
            find<std::string>(json, "public_port_variable").value_or(""),
            find<std::string>(json, "websocket_port_variable").value_or(""),
            find<int>(json, "websocket_port").value_or(0)};
}

Json connectors_json(const std::vector<Connector>& connectors) {
    Json out = Json::array();
    for (const Connector& connector : connectors) {
        out.push_back({{"hook", connector.hook}, {"type", connector.type}, {"required", connector.required}});
    }
    return out;
}

// Absent from records that were written before they were kept.
std::vector<Connector> parse_connectors(const Json& cartridge, const char* key) {
    std::vector<Connector> out;
    for (const Json& connector : find<Json>(cartridge, key).value_or(Json::array())) {
        out.push_back({take<std::string>(connector, "hook"), take<std::string>(connector, "type"), take<bool>(connector, "required")});
    }
    return out;
}

Json cartridge_json(const RecordedCartridge& c) {
    Json endpoints = Json::array();
    for (const PlacedEndpoint& endpoint : c.endpoints) {
        endpoints.push_back(endpoint_json(endpoint));
    }
    Json out = {{"name", c.name},
            {"short_name", c.short_name},
            {"version", c.version},
            {"full_name", c.full_name},
            {"web_framework", c.web_framework},
            {"install_build_required", c.install_build_required},
            {"endpoints", endpoints},
            {"database", c.database},
            {"own", c.own},
            {"cartridge_version", c.cartridge_version},
            {"publishes", connectors_json(c.publishes)},
            {"subscribes", connectors_json(c.subscribes)},
            {"ci_builder", c.ci_builder}};
    if (c.deployment_verbs) {
        out["deployment_verbs"] = *c.deployment_verbs;
    }
    return out;
}

RecordedCartridge parse_cartridge(const Json& json) {
    RecordedCartridge out;
    out.name = take<std::string>(json, "name");
    out.short_name = take<std::string>(json, "short_name");
    out.version = take<std::string>(json, "version");
    out.full_name = take<std::string>(json, "full_name");
    out.web_framework = take<bool>(json, "web_framework");
    out.install_build_required = take<bool>(json, "install_build_required");
    for (const Json& endpoint : take<Json>(json, "endpoints")) {
        out.endpoints.push_back(parse_endpoint(endpoint));
    }
    // Written before there was this word: a service like any other.
    out.database = find<bool>(json, "database").value_or(false);
    out.own = find<bool>(json, "own").value_or(false);
    out.cartridge_version = find<std::string>(json, "cartridge_version").value_or("");
    out.deployment_verbs = find<std::vector<std::string>>(json, "deployment_verbs");
    out.publishes = parse_connectors(json, "publishes");
    out.subscribes = parse_connectors(json, "subscribes");
    out.ci_builder = find<bool>(json, "ci_builder").value_or(false);
    return out;
}

Json spec_json(const GearSpec& s) {
    Json variables = Json::array();
    for (const EnvironmentVariable& variable : s.user_variables) {
        variables.push_back({variable.name, variable.value});
    }
    return {{"id", s.id.text()},
            {"application", s.application.text()},
            {"uid", s.uid},
            {"application_name", s.application_name.text()},
            {"domain", s.domain.text()},
            {"dns", s.dns},
            {"login", s.login},
            {"secret_token", s.secret_token},
            {"size", s.resources.size},
            {"extra_gb", s.resources.extra_gb},
            {"user_variables", variables},
            {"deployment",
             {{"auto_deploy", s.deployment.auto_deploy},
              {"branch", s.deployment.branch},
              {"keep", s.deployment.keep},
              {"type", s.deployment.type}}}};
}

template <typename Name>
Name name_at(const Json& json, const char* key) {
    const auto name = Name::parse(take<std::string>(json, key));
    if (!name) {
        fail(ErrorKind::invalid, "'/", key, "' is not a valid name");
    }
    return *name;
}

GearSpec parse_spec(const Json& json) {
    GearSpec out;
    out.id = GearId(take<std::string>(json, "id"));
    out.application = ApplicationId(take<std::string>(json, "application"));
    out.uid = take<uid_t>(json, "uid");
    out.application_name = name_at<ApplicationName>(json, "application_name");
    out.domain = name_at<Namespace>(json, "domain");
    out.dns = take<std::string>(json, "dns");
    out.login = take<std::string>(json, "login");
    out.secret_token = take<std::string>(json, "secret_token");
    for (const Json& pair : take<Json>(json, "user_variables")) {
        out.user_variables.push_back(
            {pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
    }
    const Json deployment = take<Json>(json, "deployment");
    out.deployment = {take<bool>(deployment, "auto_deploy"),
                      take<std::string>(deployment, "branch"), take<int>(deployment, "keep"),
                      take<std::string>(deployment, "type")};
    // Records of before there were sizes lack both.
    out.resources.size = find<std::string>(json, "size").value_or(out.resources.size);
    out.resources.extra_gb = find<std::int64_t>(json, "extra_gb").value_or(0);
    return out;
}

}  // namespace

bool PlacedEndpoint::is_web() const {
    return std::any_of(mappings.begin(), mappings.end(),
                       [](const EndpointMapping& mapping) { return mapping.frontend.empty() && mapping.is_served(); });
}

const RecordedCartridge* GearRecord::find_cartridge(const std::string& name) const {
    for (const RecordedCartridge& cartridge : cartridges) {
        if (cartridge.name == name || cartridge.full_name == name) {
            return &cartridge;
        }
    }
    return nullptr;
}

const RecordedCartridge* GearRecord::find_builder() const {
    const auto found = std::find_if(cartridges.begin(), cartridges.end(), [](const auto& cartridge) { return cartridge.ci_builder; });
    return found == cartridges.end() ? nullptr : &*found;
}

const PlacedEndpoint* GearRecord::find_web_endpoint() const {
    const PlacedEndpoint* found = nullptr;
    for (const RecordedCartridge& cartridge : cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            if (endpoint.is_web() && (found == nullptr || (endpoint.primary && !found->primary))) {
                found = &endpoint;
            }
        }
    }
    return found;
}

Json to_json(const GearRecord& record) {
    Json cartridges = Json::array();
    for (const RecordedCartridge& cartridge : record.cartridges) {
        cartridges.push_back(cartridge_json(cartridge));
    }
    return {{"spec", spec_json(record.spec)},        {"cartridges", cartridges},
            {"state", name_of(record.state)},        {"hosts", record.hosts},
            {"initial_build", record.initial_build}, {"init_pid", record.init_pid},
            {"init_start", record.init_start}};
}

GearRecord parse_gear_record(const Json& json) {
    GearRecord out;
    out.spec = parse_spec(take<Json>(json, "spec"));
    for (const Json& cartridge : take<Json>(json, "cartridges")) {
        out.cartridges.push_back(parse_cartridge(cartridge));
    }
    out.state = parse_gear_state(take<std::string>(json, "state"));
    out.hosts = take<std::vector<std::string>>(json, "hosts");
    out.initial_build = take<bool>(json, "initial_build");
    out.init_pid = take<pid_t>(json, "init_pid");
    out.init_start = take<std::uint64_t>(json, "init_start");
    return out;
}

}  // namespace gearbox
