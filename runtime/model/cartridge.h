// A cartridge: metadata/manifest.yml in OpenShift v2 format, parsed (cartridge contract, 1).
#pragma once
#include "model/names.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// What the router does with requests below a frontend (cartridge contract 1.4). nothing is for `noproxy` and `file`: the
/// node has no files for visitors.
enum class MappingKind { proxy, tohttps, redirect, gone, forbidden, nothing, health };

std::string name_of(MappingKind kind);
/// The words of manifests and records; an unknown one is proxy.
MappingKind parse_mapping_kind(const std::string& name);

struct EndpointMapping {
    std::string frontend;  ///< "" or "/path", which stands for all below it
    std::string backend;   ///< likewise, in its place; of a redirect where to, a path or an address
    bool websocket = false;
    MappingKind kind = MappingKind::proxy;
    /// Requests reach the endpoint.
    bool is_served() const { return kind == MappingKind::proxy || kind == MappingKind::tohttps; }
    bool operator==(const EndpointMapping&) const = default;
};

/// A private address and port that the cartridge listens on.
struct Endpoint {
    std::string ip_name;           ///< variable suffix, e.g. "IP" → OPENSHIFT_PHP_IP
    std::string port_name;         ///< variable suffix, e.g. "PORT"
    int port = 0;                  ///< 1..65535; 0 if the manifest leaves it to the cartridge
    std::string public_port_name;  ///< "" if none
    std::vector<EndpointMapping> mappings;
    bool primary = false;
    std::string websocket_port_name = {};  ///< "" if none
    int websocket_port = 0;                ///< likewise 0
};

/// What a cartridge has for others of its application, or wants of them (contract 8).
struct Connector {
    std::string hook;  ///< script in hooks/
    std::string type;  ///< compared as it is; "ENV:*" of a subscriber stands for every one that begins with "ENV:"
    bool required = false;  ///< without it the cartridge cannot be there
    bool operator==(const Connector&) const = default;
};

/// A value that clients show (contract 1.3).
struct CartridgeValue {
    std::string key;
    bool is_variable = false;  ///< an environment variable; else what a script says by CART_DATA
    std::string description;
};

/// One version of one cartridge as offered by the catalogue.
struct Cartridge {
    std::string name;        ///< manifest Name, lower case: directory in the gear
    std::string short_name;  ///< upper case, prefix of variables: OPENSHIFT_<SHORT>_…
    std::string version;     ///< software version
    std::string cartridge_version;
    std::vector<std::string> compatible_versions;  ///< of the packaging: an upgrade from these needs no script and no restart
    std::string vendor;      ///< Cartridge-Vendor; "" and "redhat" have no prefix
    std::string display_name;
    std::string description;
    std::string license;
    std::string license_url;
    std::string website;
    std::map<std::string, std::string> help_topics;   ///< label → URL
    std::vector<std::string> additional_actions;      ///< control verbs beyond the usual, "threaddump"
    bool obsolete = false;
    std::vector<std::string> categories;
    std::vector<std::string> provides;
    std::vector<std::string> requires_features;
    std::vector<std::string> native_requires;  ///< Debian packages
    std::vector<std::string> conflicts;        ///< features that must not be in the same application
    std::vector<std::vector<std::string>> configure_order;  ///< one after the other; of each any one
    std::vector<CartridgeValue> values;
    std::vector<Endpoint> endpoints;
    std::vector<Connector> publishes;
    std::vector<Connector> subscribes;
    bool install_build_required = false;
    /// The steps of a deployment that bin/control does something at (not of OpenShift); nothing: it is asked at each.
    std::optional<std::vector<std::string>> deployment_verbs;
    std::string source_url;  ///< where its files are to be had; ""
    std::string source_md5;     ///< of the archive there, 32 hex digits; ""
    std::string source_sha256;  ///< the same, 64 hex digits (not of OpenShift); ""
    std::string source;  ///< directory of the cartridge's files; of an own one below the gear's home
    std::string url;       ///< of a user's own: where the user has it from; "" for those of the catalogue
    std::string manifest;  ///< of a user's own: the text that counts; ""

    /// "php-8.4"; with another vendor "vendor-name-1.0".
    std::string full_name() const;
    /// The same without the version.
    std::string base_name() const;
    /// "vendor:name:version:packaging", as OPENSHIFT_<SHORT>_IDENT tells it (contract 1.1).
    std::string ident() const;
    bool has_category(std::string_view category) const;
    bool is_web_framework() const { return has_category("web_framework"); }
    /// It belongs to one application (contract 1.6): nothing that is said of the catalogue holds for it.
    bool is_own() const { return !url.empty(); }
    /// What has to be in the application before it and is not among these, "mysql or mariadb"; "" if nothing is missing.
    /// Categories are no such thing: they only say in which order.
    std::string missing_before(const std::vector<Cartridge>& others) const;
    /// The word for which the other one must not be in its application, of either of them; "" if they get along.
    std::string conflict_with(const Cartridge& other) const;
    /// The word names this cartridge: full name, with or without version and vendor, or one of its Provides.
    bool answers_to(std::string_view word) const;
};

/// One Cartridge per entry of Versions, Version-Overrides applied, newest first. Lenient as the
/// contract's section 22 asks; throws Error(invalid) naming the key for what cannot be used.
std::vector<Cartridge> parse_manifest(std::string_view yaml);

/// The keys at its top, of a manifest that parse_manifest() takes.
std::vector<std::string> manifest_keys(std::string_view yaml);

/// A user's own cartridge, its newest version, or the one of that full name. Throws Error(invalid): also for what
/// claims to be the platform's.
Cartridge parse_own_cartridge(const std::string& manifest, const std::string& url, const std::string& full_name = "");

/// Categories that mean something to the platform; others are tags (contract 1.2).
bool is_system_category(const std::string& word);

/// Whose cartridges have plain names: nobody else's may say that it is theirs (contract 1.1).
bool is_reserved_vendor(std::string_view vendor);

/// Compares dotted versions number by number: negative, 0 or positive.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace gearbox
