// What the client remembers between runs: ~/.config/gearbox/config.toml, and the session token beside it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::cli {

struct Config {
    std::string server;   ///< "" until `gearbox setup` has run
    std::string login;
    std::string ca_file;  ///< certificate that the user trusted; "": the system's
    std::string domain;   ///< used when -n is not given; "": the first of the account
    std::string ssh_key;  ///< private key; "": ssh's own choice
    int ssh_port = 22;
    int http_port = 0;    ///< port at which this machine reaches the router's 80; 0: not known
    bool operator==(const Config&) const = default;
};

/// The directory's files; each knows its own name and mode.
class ConfigStore {
public:
    explicit ConfigStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// Defaults if there is no file. Throws Error(invalid) with file:line for a broken one.
    Config load() const;
    void save(const Config& config) const;

    std::optional<std::string> find_token() const;
    /// Readable by the owner only.
    void save_token(const std::string& token) const;
    void remove_token() const;
    std::filesystem::path save_ca(const std::string& pem) const;

    std::filesystem::path path(const std::string& name) const { return directory_ / name; }
    /// Creates it (0700) if needed.
    void ensure_directory() const;

private:
    std::filesystem::path directory_;
};

/// Several servers: the first one's files are in the directory itself, those of NAME in servers/NAME.
/// The file "current" has the name of the one in use.
class ServerList {
public:
    explicit ServerList(std::filesystem::path directory) : directory_(std::move(directory)) {}

    static constexpr const char* first = "default";
    /// Throws Error(invalid) for what is not [A-Za-z0-9_-] and at most 64 characters.
    ConfigStore store(const std::string& name) const;
    std::string current() const;
    bool has(const std::string& name) const;
    /// Throws ExitError(166) if there is none of that name.
    void check_known(const std::string& name) const;
    std::vector<std::string> names() const;  ///< first, then by name
    void use(const std::string& name) const;
    void remove(const std::string& name) const;

private:
    std::filesystem::path directory_;
};

/// GEARBOX_CONFIG_DIR, or $XDG_CONFIG_HOME/gearbox, or ~/.config/gearbox.
std::filesystem::path default_config_directory();

}  // namespace gearbox::cli
