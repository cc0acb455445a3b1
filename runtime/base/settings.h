// The daemon's settings: declared once in settings.cpp with default and documentation, loaded from
// TOML, printed by `gearboxd --dump-settings` and rendered to docs/settings.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace gearbox {

struct BrokerSettings {
    std::string cloud_domain;
    std::int64_t max_domains = 0;
    std::int64_t max_gears = 0;
    std::string default_gear_size;
    bool create_users = false;
    std::int64_t lock_wait_seconds = 0;
};

struct RestSettings {
    std::string listen_address;
    std::int64_t listen_port = 0;
    std::int64_t max_body_bytes = 0;
    std::int64_t threads = 0;
    std::string client_dir;
};

struct NodeSettings {
    std::string gear_base;
    std::string cartridge_dir;
    std::string import_dir;
    std::string quickstart_dir;
    std::string libexec_dir;
    std::string cgroup_parent;
    std::int64_t min_uid = 0;
    std::int64_t max_uid = 0;
    std::int64_t script_timeout_seconds = 0;
    std::int64_t watch_seconds = 0;
    std::int64_t reserve_mb = 0;
};

/// What every gear of one size gets.
struct GearSettings {
    std::int64_t memory_mb = 0;
    std::int64_t swap_mb = 0;
    std::int64_t pids = 0;
    std::int64_t cpu_percent = 0;
    std::int64_t cpu_weight = 0;
    std::int64_t io_weight = 0;
    std::int64_t tmp_mb = 0;
    std::int64_t open_files = 0;
    std::int64_t disk_mb = 0;
    std::int64_t files = 0;
    std::int64_t network_mbit = 0;
};

struct NetworkSettings {
    bool egress = false;
    std::vector<std::string> reachable;
    std::vector<std::string> host_ports;
};

struct MirrorSettings {
    bool enabled = false;
    std::string user;
    /// Addresses of registries, "" for none.
    std::string npm;
    std::string pip;
    std::string pip_files;
    std::string gem;
    std::string maven;
    std::string github;
    std::int64_t cache_mb = 0;
};

/// Some of them, by their keys in [gear].
using GearLimits = std::map<std::string, std::int64_t>;

/// Of users' own cartridges.
struct CartridgeSettings {
    bool by_url = false;
    std::vector<std::string> url_prefixes;
    std::int64_t url_mb = 0;
    std::int64_t url_files = 0;
    std::int64_t url_seconds = 0;
};

struct RouterSettings {
    std::string user;
    std::string map_file;
    std::string admin_socket;
};

struct PathSettings {
    std::string state_dir;
    std::string runtime_dir;
};

struct SecuritySettings {
    std::string policy;  ///< "selinux" or "none"
    std::string profile_dir;
};

struct TestingSettings {
    std::string crash_at;
};

struct Settings {
    PathSettings paths;
    BrokerSettings broker;
    RestSettings rest;
    NodeSettings node;
    GearSettings gear;  ///< of the size "small"
    std::map<std::string, GearSettings> more_sizes;
    NetworkSettings network;
    MirrorSettings mirror;
    CartridgeSettings cartridges;
    RouterSettings router;
    SecuritySettings security;
    TestingSettings testing;

    /// "small" first.
    std::vector<std::string> size_names() const;
    bool has_size(const std::string& name) const;
    /// That of "small" for a size that the file does not have any more.
    const GearSettings& size(const std::string& name) const;
    /// Of the allowed ones, that of an application that asks for none: the default if it is among them, else
    /// the first that the file has; "" if there is none.
    std::string size_offered(const std::vector<std::string>& allowed) const;
};

/// The size, with these limits instead of its own.
GearSettings with_limits(GearSettings size, const GearLimits& limits);

/// All defaults.
Settings make_default_settings();

/// Defaults overlaid by the file. Throws Error(invalid) naming file, line and column for broken
/// TOML, unknown keys (with the nearest known one) and values of the wrong type or range.
Settings load_settings(const std::filesystem::path& file);

/// The commented default file.
std::string dump_settings(const Settings& settings);

/// docs/settings.md.
std::string settings_markdown();

/// The candidate nearest to the word (edit distance at most a third of its length, plus one), or empty.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace gearbox
