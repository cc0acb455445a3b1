#include "cli/config.h"

#include "base/error.h"
#include "base/file.h"
#include "cli/broker_client.h"

#include <toml++/toml.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace gearbox::cli {

namespace {

struct Row {
    const char* key;
    std::string Config::* text;
    int Config::* number;
};

constexpr Row rows[] = {
    {"server", &Config::server, nullptr},   {"login", &Config::login, nullptr},
    {"ca_file", &Config::ca_file, nullptr}, {"domain", &Config::domain, nullptr},
    {"ssh_key", &Config::ssh_key, nullptr}, {"ssh_port", nullptr, &Config::ssh_port},
    {"http_port", nullptr, &Config::http_port},
};

void read_row(const Row& row, const toml::table& table, Config& config, const std::string& file) {
    const toml::node* const node = table.get(row.key);
    if (node == nullptr) {
        return;
    }
    if (row.text != nullptr) {
        if (const auto value = node->value_exact<std::string>()) {
            config.*row.text = *value;
            return;
        }
        fail(ErrorKind::invalid, file, ":", node->source().begin.line, ": '", row.key, "' must be a string");
    }
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > 65535) {
        fail(ErrorKind::invalid, file, ":", node->source().begin.line, ": '", row.key, "' must be a port");
    }
    config.*row.number = static_cast<int>(*value);
}

}  // namespace

Config ConfigStore::load() const {
    Config config;
    const auto file = path("config.toml");
    const auto text = find_file(file);
    if (!text) {
        return config;
    }
    try {
        const toml::table table = toml::parse(*text, file.native());
        for (const Row& row : rows) {
            read_row(row, table, config, file.native());
        }
    } catch (const toml::parse_error& error) {
        fail(ErrorKind::invalid, file.native(), ":", error.source().begin.line, ": ",
             error.description());
    }
    return config;
}

void ConfigStore::save(const Config& config) const {
    toml::table table;
    for (const Row& row : rows) {
        if (row.text != nullptr) {
            table.insert(row.key, config.*row.text);
        } else {
            table.insert(row.key, config.*row.number);
        }
    }
    std::ostringstream out;
    out << "# Written by 'gearbox setup'.\n" << table << "\n";
    ensure_directory();
    write_file_atomically(path("config.toml"), out.str(), 0600);
}

std::optional<std::string> ConfigStore::find_token() const {
    auto token = find_file(path("token"));
    while (token && !token->empty() && token->back() == '\n') {
        token->pop_back();
    }
    return token && !token->empty() ? token : std::nullopt;
}

void ConfigStore::save_token(const std::string& token) const {
    ensure_directory();
    write_file_atomically(path("token"), token + "\n", 0600);
}

void ConfigStore::remove_token() const { std::filesystem::remove(path("token")); }

std::filesystem::path ConfigStore::save_ca(const std::string& pem) const {
    ensure_directory();
    const auto file = std::filesystem::absolute(path("ca.crt"));
    write_file_atomically(file, pem, 0644);
    return file;
}

void ConfigStore::ensure_directory() const {
    if (std::filesystem::exists(directory_)) {
        return;
    }
    std::filesystem::create_directories(directory_);
    check(::chmod(directory_.c_str(), 0700), "setting the mode of '", directory_.native(), "'");
}

ConfigStore ServerList::store(const std::string& name) const {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (name.empty() || name.size() > 64 || name.find_first_not_of(allowed) != std::string::npos) {
        fail(ErrorKind::invalid, "'", name, "' is no name for a server; use letters, digits, _ and -");
    }
    return ConfigStore(name == first ? directory_ : directory_ / "servers" / name);
}

std::string ServerList::current() const {
    std::string name = find_file(directory_ / "current").value_or(first);
    while (!name.empty() && name.back() == '\n') {
        name.pop_back();
    }
    return has(name) ? name : first;
}

bool ServerList::has(const std::string& name) const {
    return name == first || std::filesystem::exists(store(name).path("config.toml"));
}

void ServerList::check_known(const std::string& name) const {
    if (!has(name)) {
        throw ExitError(exit_status::no_server,
                        str("there is no server '", name, "'; see 'gearbox server list'"));
    }
}

std::vector<std::string> ServerList::names() const {
    std::vector<std::string> out;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "servers", absent)) {
        out.push_back(entry.path().filename());
    }
    std::sort(out.begin(), out.end());
    out.insert(out.begin(), first);
    return out;
}

void ServerList::use(const std::string& name) const {
    ConfigStore(directory_).ensure_directory();
    write_file_atomically(directory_ / "current", name + "\n", 0600);
}

void ServerList::remove(const std::string& name) const {
    std::filesystem::remove_all(store(name).path(""));
}

std::filesystem::path default_config_directory() {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    if (const std::string own = variable("GEARBOX_CONFIG_DIR"); !own.empty()) {
        return own;
    }
    if (const std::string xdg = variable("XDG_CONFIG_HOME"); !xdg.empty()) {
        return std::filesystem::path(xdg) / "gearbox";
    }
    const std::string home = variable("HOME");
    if (home.empty()) {
        fail(ErrorKind::invalid, "HOME is not set; name a directory with --config");
    }
    return std::filesystem::path(home) / ".config" / "gearbox";
}

}  // namespace gearbox::cli
