#include "model/cartridge.h"

#include "base/error.h"
#include "model/manifest_shape.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gearbox {

namespace {

constexpr std::size_t max_manifest_bytes = 20480;  // broker's limit, contract 1.6

constexpr std::size_t most_items = 500;  // of a list

void add_items(const YAML::Node& node, int levels, std::vector<std::string>& out) {
    if (node && node.IsScalar() && !node.Scalar().empty()) {
        out.push_back(node.Scalar());
    } else if (node && node.IsSequence()) {
        if (levels == 0) {
            fail(ErrorKind::invalid, "manifest line ", node.Mark().line + 1, ": a list in a list in a list; 'any one of' takes two");
        }
        if (node.size() + out.size() > most_items) {
            fail(ErrorKind::invalid, "manifest line ", node.Mark().line + 1, ": a list of more than ", most_items, " items");
        }
        for (const auto& item : node) {
            add_items(item, levels - 1, out);
        }
    }
}

// A list of scalars, or one scalar; nested lists ("any one of") contribute their items.
std::vector<std::string> list_of(const YAML::Node& node) {
    std::vector<std::string> out;
    add_items(node, 2, out);
    return out;
}

// Items one after the other; a list among them is any one of its own.
std::vector<std::vector<std::string>> order_of(const YAML::Node& node) {
    std::vector<std::vector<std::string>> out;
    static_cast<void>(list_of(node));  // its bounds
    if (node && node.IsSequence()) {
        for (const auto& item : node) {
            if (auto words = list_of(item); !words.empty()) {
                out.push_back(std::move(words));
            }
        }
    }
    return out;
}

// Those that clients can show; a misspelt one is nobody's value, as it was in OpenShift.
std::vector<CartridgeValue> values_of(const YAML::Node& node) {
    std::vector<CartridgeValue> out;
    if (node && node.IsSequence()) {
        for (const auto& item : node) {
            if (is_cartridge_value(item)) {
                out.push_back({text_of(item["Key"]), text_of(item["Type"]) == "environment", text_of(item["Description"])});
            }
        }
    }
    return out;
}

// What `Deployment-Verbs` may name: the steps of a deployment at which the primary cartridge is asked (contract 14.2).
constexpr std::array deployment_steps = {"pre-repo-archive", "update-configuration", "pre-build",
                                         "build",            "deploy",               "post-deploy"};

std::optional<std::vector<std::string>> deployment_verbs_of(const YAML::Node& node) {
    if (!node) {
        return std::nullopt;
    }
    std::vector<std::string> verbs = list_of(node);
    for (const std::string& verb : verbs) {
        if (std::find(deployment_steps.begin(), deployment_steps.end(), verb) == deployment_steps.end()) {
            fail(ErrorKind::invalid, "Deployment-Verbs: '", verb,
                 "' is no step of a deployment; there are pre-repo-archive, update-configuration, pre-build, build, deploy and "
                 "post-deploy");
        }
    }
    return verbs;
}

std::string with_slash(std::string path) {
    return path.empty() || path.front() == '/' ? path : "/" + path;
}

constexpr const char* letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr const char* path_marks = "/._~-";
constexpr const char* address_marks = "/._~-:?&=%+,@";
constexpr int most_replaced_parts = 3;  // haproxy.cfg has a line for each

// "" or "/a/b": what stands in a line of the router's map, and names no other place.
std::string path_of(const YAML::Node& node, const char* key, const std::string& place) {
    std::string path = with_slash(text_of(node));
    while (path.ends_with('/')) {
        path.pop_back();
    }
    const std::string all = path + "/";
    const auto has = [&](const char* part) { return all.find(part) != std::string::npos; };
    if (path.find_first_not_of(str(letters_and_digits, path_marks)) != std::string::npos || has("//") || has("/./") || has("/../") || path.size() > 200) {
        fail(ErrorKind::invalid, place, ": ", key, " '", path,
             "' is no path of at most 200 letters, digits, '.', '_', '~' and '-' between slashes");
    }
    return path;
}

// The address of a redirect; the path of the others; what is never served leads nowhere.
std::string target_of(const YAML::Node& node, MappingKind kind, const std::string& place) {
    const std::string text = text_of(node);
    if (kind == MappingKind::nothing) {
        return "";  // a file of another machine
    }
    if (kind != MappingKind::redirect || (!text.starts_with("http://") && !text.starts_with("https://"))) {
        return path_of(node, "Backend", place);
    }
    if (text.size() > 500 || text.find_first_not_of(str(letters_and_digits, address_marks)) != std::string::npos) {
        fail(ErrorKind::invalid, place, ": Backend '", text, "' is no address of at most 500 of the characters A-Z, a-z, 0-9 and ",
             address_marks);
    }
    return text;
}

EndpointMapping parse_mapping(const YAML::Node& node, const std::string& place) {
    EndpointMapping out;
    const YAML::Node options = node["Options"];
    if (options && options.IsMap()) {
        out.websocket = is_true(options["websocket"]);
        for (const auto& option : options) {
            if (is_true(option.second) && out.kind == MappingKind::proxy) {
                out.kind = parse_mapping_kind(to_lower(text_of(option.first)));
            }
        }
    }
    out.frontend = path_of(node["Frontend"], "Frontend", place);
    out.backend = target_of(node["Backend"], out.kind, place);
    if (out.is_served() && out.frontend != out.backend &&
        std::count(out.frontend.begin(), out.frontend.end(), '/') > most_replaced_parts) {
        fail(ErrorKind::invalid, place, ": Frontend '", out.frontend, "' has more than ", most_replaced_parts,
             " parts, and its Backend is another");
    }
    return out;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return text;
}

// 0 if the manifest does not say: the variable is then 0, too, and nobody is led there.
int port_of(const YAML::Node& node, const char* key, const std::string& place) {
    const std::string text = text_of(node);
    int port = 0;
    if (text.empty()) {
        return port;
    }
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failed != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
        fail(ErrorKind::invalid, place, ": ", key, " must be 1 to 65535, not '", text, "'");
    }
    return port;
}

std::string variable_suffix(const YAML::Node& node, const std::string& key,
                            const std::string& place) {
    const std::string text = text_of(node);
    if (text.empty()) {
        fail(ErrorKind::invalid, place, ": ", key, " is missing");
    }
    if (!VariableName::parse(text)) {
        fail(ErrorKind::invalid, place, ": ", key, " '", text, "' is not a variable name");
    }
    return text;
}

Endpoint parse_endpoint(const YAML::Node& node, const std::string& place) {
    Endpoint endpoint;
    endpoint.ip_name = variable_suffix(node["Private-IP-Name"], "Private-IP-Name", place);
    endpoint.port_name = variable_suffix(node["Private-Port-Name"], "Private-Port-Name", place);
    endpoint.port = port_of(node["Private-Port"], "Private-Port", place);
    if (node["Public-Port-Name"]) {
        endpoint.public_port_name =
            variable_suffix(node["Public-Port-Name"], "Public-Port-Name", place);
    }
    if (node["WebSocket-Port-Name"]) {
        endpoint.websocket_port_name = variable_suffix(node["WebSocket-Port-Name"], "WebSocket-Port-Name", place);
        endpoint.websocket_port = port_of(node["WebSocket-Port"], "WebSocket-Port", place);
    }
    const YAML::Node options = node["Options"];
    endpoint.primary = options && options.IsMap() && is_true(options["primary"]);
    const YAML::Node mappings = node["Mappings"];
    if (mappings && mappings.IsSequence()) {
        for (const auto& item : mappings) {
            endpoint.mappings.push_back(parse_mapping(item, place));
        }
    }
    if (endpoint.port == 0 && !endpoint.mappings.empty()) {
        fail(ErrorKind::invalid, place, ": Private-Port is missing, and its Mappings lead there");
    }
    return endpoint;
}

bool is_hook_name(const std::string& name) {
    return !name.empty() && name.size() <= 64 && name.front() != '.' &&
           name.find_first_not_of(str(letters_and_digits, "._-")) == std::string::npos;
}

// Publishes or Subscribes: hook → {Type, Required}.
std::vector<Connector> connectors_of(const YAML::Node& node, const char* key) {
    std::vector<Connector> out;
    if (!node || !node.IsMap()) {
        return out;
    }
    for (const auto& entry : node) {
        const Connector connector{text_of(entry.first), entry.second.IsMap() ? text_of(entry.second["Type"]) : "",
                                  entry.second.IsMap() && is_true(entry.second["Required"])};
        if (!is_hook_name(connector.hook)) {
            fail(ErrorKind::invalid, key, ": '", connector.hook.substr(0, 64), "' is no name of a script: letters, digits, '.', '_' and '-', at most 64");
        }
        if (connector.type.empty() || connector.type.size() > 200) {
            fail(ErrorKind::invalid, key, ": ", connector.hook, " has no Type of at most 200 characters");
        }
        out.push_back(connector);
    }
    return out;
}

// Those that are not there yet.
void add_connectors(const YAML::Node& node, const char* key, std::vector<Connector>& to) {
    for (const Connector& connector : connectors_of(node, key)) {
        if (std::none_of(to.begin(), to.end(), [&](const Connector& there) { return there.hook == connector.hook; })) {
            to.push_back(connector);
        }
    }
}

// A shorter one would compare less of the sum.
std::string digest_of(const YAML::Node& node, const char* key, std::size_t digits) {
    const std::string text = to_lower(text_of(node));
    if (!text.empty() &&
        (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos)) {
        fail(ErrorKind::invalid, key, " must be ", digits, " hex digits, not '", text, "'");
    }
    return text;
}

bool is_cartridge_word(const std::string& name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), fits) &&
           name.front() != '.' && name.front() != '-' && name.front() != '_' &&
           name != "app-root" && name != "git" && name != "app-deployments";
}

// It is the name of a directory on the node.
bool is_packaging_version(const std::string& text) {
    return text.size() <= 32 && text.front() >= '0' && text.front() <= '9' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      std::string_view(".-_+").find(c) != std::string_view::npos;
           });
}

// "Acme Inc" is acmeinc, as OpenShift had it.
std::string vendor_of(const YAML::Node& node) {
    std::string text = to_lower(text_of(node));
    std::erase(text, ' ');
    if (text.size() > 32 || text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != std::string::npos) {
        fail(ErrorKind::invalid, "Cartridge-Vendor '", text, "' must be letters, digits and '_', at most 32");
    }
    return text;
}

std::string software_version(const std::string& text) {
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || c == '.';
    });
    return plain ? text : "0.0.0";
}

// The manifest's key, or the version's own from Version-Overrides: a shallow merge.
class Manifest {
public:
    Manifest(YAML::Node top, const std::string& version) : top_(std::move(top)) {
        const YAML::Node overrides = top_["Version-Overrides"];
        if (overrides && overrides.IsMap() && overrides[version] && overrides[version].IsMap()) {
            override_ = YAML::Clone(overrides[version]);
        }
    }
    YAML::Node operator[](const char* key) const {
        // Through const nodes: a look-up in another one would insert the key.
        const YAML::Node& own = override_;
        return own.IsMap() && own[key] ? own[key] : top_[key];
    }

private:
    const YAML::Node top_;
    YAML::Node override_;  ///< null if this version has none
};

void check_categories(const Cartridge& cartridge) {
    const bool known = std::any_of(cartridge.categories.begin(), cartridge.categories.end(), is_system_category);
    if (!known) {
        fail(ErrorKind::invalid, "Categories must hold one of web_framework, plugin, embedded, "
                                 "service, web_proxy, ci_builder, ci, external");
    }
}

Cartridge parse_version(const YAML::Node& top, const std::string& version) {
    const Manifest manifest(top, version);
    Cartridge out;
    out.name = to_lower(text_of(manifest["Name"]));
    if (!is_cartridge_word(out.name)) {
        fail(ErrorKind::invalid, "Name '", out.name,
             "' must match [a-z0-9][-._a-z0-9]*, at most 32 characters, not 'app-root' or 'git'");
    }
    out.short_name = upper(text_of(manifest["Cartridge-Short-Name"]));
    if (!VariableName::parse(out.short_name)) {
        fail(ErrorKind::invalid, "Cartridge-Short-Name '", out.short_name,
             "' must be letters, digits and '_'");
    }
    if (version.empty()) {
        fail(ErrorKind::invalid, "Version is missing: the version of the software, such as '1.0'");
    }
    out.version = software_version(version);
    out.cartridge_version = text_of(manifest["Cartridge-Version"]);
    if (out.cartridge_version.empty()) {
        out.cartridge_version = "0.0.0";
    }
    if (!is_packaging_version(out.cartridge_version)) {
        fail(ErrorKind::invalid, "Cartridge-Version '", out.cartridge_version,
             "' must be a version such as 1.0.2: at most 32 letters, digits and .-_+, with a digit first");
    }
    out.compatible_versions = list_of(manifest["Compatible-Versions"]);
    out.vendor = vendor_of(manifest["Cartridge-Vendor"]);
    out.display_name = text_of(manifest["Display-Name"]);
    out.description = text_of(manifest["Description"]);
    out.license = text_of(manifest["License"]);
    out.license_url = text_of(manifest["License-Url"]);
    out.website = text_of(manifest["Website"]);
    if (const YAML::Node topics = manifest["Help-Topics"]; topics && topics.IsMap()) {
        for (const auto& topic : topics) {
            out.help_topics[text_of(topic.first)] = text_of(topic.second);
        }
    }
    out.additional_actions = list_of(manifest["Additional-Control-Actions"]);
    out.obsolete = is_true(manifest["Obsolete"]);
    out.categories = list_of(manifest["Categories"]);
    out.provides = list_of(manifest["Provides"]);
    out.requires_features = list_of(manifest["Requires"]);
    out.native_requires = list_of(manifest["Native-Requires"]);
    out.conflicts = list_of(manifest["Conflicts"]);
    out.configure_order = order_of(manifest["Configure-Order"]);
    out.values = values_of(manifest["Cart-Data"]);
    for (const char* key : {"Suggests", "Metrics"}) {
        static_cast<void>(list_of(manifest[key]));  // means nothing here, but is a list
    }
    out.install_build_required = is_true(manifest["Install-Build-Required"]);
    out.deployment_verbs = deployment_verbs_of(manifest["Deployment-Verbs"]);
    out.source_url = text_of(manifest["Source-Url"]);
    out.source_md5 = digest_of(manifest["Source-Md5"], "Source-Md5", 32);
    out.source_sha256 = digest_of(manifest["Source-Sha256"], "Source-Sha256", 64);
    out.publishes = connectors_of(manifest["Publishes"], "Publishes");
    out.subscribes = connectors_of(manifest["Subscribes"], "Subscribes");
    // The older form has them by component; all are in one gear.
    if (const YAML::Node components = manifest["Components"]; components && components.IsMap()) {
        for (const auto& component : components) {
            if (component.second.IsMap()) {
                add_connectors(component.second["Publishes"], "Publishes", out.publishes);
                add_connectors(component.second["Subscribes"], "Subscribes", out.subscribes);
            }
        }
    }
    check_categories(out);
    const YAML::Node endpoints = manifest["Endpoints"];
    if (endpoints && endpoints.IsSequence()) {
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            out.endpoints.push_back(parse_endpoint(endpoints[i], str("Endpoints[", i, "]")));
            for (std::size_t j = 0; j < i; ++j) {
                if (out.endpoints[j].port_name == out.endpoints[i].port_name) {
                    fail(ErrorKind::invalid, "Endpoints[", i, "]: Private-Port-Name '", out.endpoints[i].port_name,
                         "' is the variable of Endpoints[", j, "] already: give it another name");
                }
            }
        }
    }
    if (!CartridgeName::parse(out.full_name())) {
        fail(ErrorKind::invalid, "'", out.full_name(), "' is not a usable cartridge name");
    }
    return out;
}

int number_at(std::string_view& rest) {
    int value = 0;
    const auto dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    std::from_chars(part.data(), part.data() + part.size(), value);
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    return value;
}

constexpr std::array<std::pair<MappingKind, const char*>, 8> mapping_kinds = {{{MappingKind::tohttps, "tohttps"},
                                                                               {MappingKind::redirect, "redirect"},
                                                                               {MappingKind::gone, "gone"},
                                                                               {MappingKind::forbidden, "forbidden"},
                                                                               {MappingKind::nothing, "noproxy"},
                                                                               {MappingKind::nothing, "file"},
                                                                               {MappingKind::health, "health"},
                                                                               {MappingKind::proxy, "proxy"}}};

}  // namespace

std::string name_of(MappingKind kind) {
    return std::find_if(mapping_kinds.begin(), mapping_kinds.end(), [&](const auto& row) { return row.first == kind; })->second;
}

MappingKind parse_mapping_kind(const std::string& name) {
    const auto found = std::find_if(mapping_kinds.begin(), mapping_kinds.end(), [&](const auto& row) { return name == row.second; });
    return found == mapping_kinds.end() ? MappingKind::proxy : found->first;
}

Cartridge parse_own_cartridge(const std::string& manifest, const std::string& url, const std::string& full_name) {
    std::vector<Cartridge> versions = parse_manifest(manifest);
    const auto found = std::find_if(versions.begin(), versions.end(), [&](const Cartridge& version) {
        return full_name.empty() || version.full_name() == full_name;
    });
    if (found == versions.end()) {
        fail(ErrorKind::invalid, "the manifest has no version '", full_name, "'");
    }
    if (found->vendor.empty() || is_reserved_vendor(found->vendor)) {
        fail(ErrorKind::invalid, "Cartridge-Vendor must name who has made it, and not '", found->vendor,
             "': plain names are those of this appliance's own cartridges");
    }
    if (found->has_category("external") || found->has_category("domain_scope") || found->has_category("web_proxy")) {
        fail(ErrorKind::invalid, "the categories external, domain_scope and web_proxy are for the operator's cartridges");
    }
    found->url = url;
    found->manifest = manifest;
    return *found;
}

int compare_versions(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        const int x = number_at(a);
        const int y = number_at(b);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

std::vector<std::string> manifest_keys(std::string_view yaml) {
    std::vector<std::string> out;
    for (const auto& row : YAML::Load(std::string(yaml))) {
        out.push_back(text_of(row.first));
    }
    return out;
}

std::vector<Cartridge> parse_manifest(std::string_view yaml) {
    if (yaml.size() > max_manifest_bytes) {
        fail(ErrorKind::invalid, "the manifest is larger than ", max_manifest_bytes, " bytes");
    }
    try {
        const YAML::Node top = YAML::Load(std::string(yaml));
        if (!top.IsMap()) {
            fail(ErrorKind::invalid, "the manifest is not a YAML mapping");
        }
        check_shape(top);
        std::vector<std::string> versions = list_of(top["Versions"]);
        const std::string main_version = text_of(top["Version"]);
        if (std::find(versions.begin(), versions.end(), main_version) == versions.end()) {
            versions.push_back(main_version);
        }
        std::vector<Cartridge> out;
        for (const std::string& version : versions) {
            out.push_back(parse_version(top, version));
        }
        std::stable_sort(out.begin(), out.end(), [](const Cartridge& a, const Cartridge& b) {
            return compare_versions(a.version, b.version) > 0;
        });
        return out;
    } catch (const YAML::Exception& error) {
        fail(ErrorKind::invalid, "manifest line ", error.mark.line + 1, ": ", error.msg);
    }
}

}  // namespace gearbox
