// What every command works with: the remembered configuration, the broker, the terminal.
#pragma once
#include "cli/broker_client.h"
#include "cli/config.h"
#include "cli/terminal.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::cli {

/// Files in the place of a program's standard streams; "" keeps ours.
struct Redirection {
    std::string input;
    std::string output;  ///< made or emptied
};

/// The outside world, replaced in tests.
struct World {
    Streams streams;
    TransportFactory transport;
    /// Replaces this process by the program; returns only in tests.
    std::function<int(const std::vector<std::string>& argv)> execute;
    /// Runs the program to its end; its exit status, 128 + signal number when killed.
    std::function<int(const std::vector<std::string>& argv, const Redirection& files)> run;
    std::string home;             ///< directory of .ssh
    std::string environment_password;  ///< GEARBOX_PASSWORD
    /// Addresses of a host by this machine's resolver; none: not found.
    std::function<std::vector<std::string>(const std::string& host)> resolve = {};
};

class Session {
public:
    Session(const World& world, ServerList servers, bool json_output);

    Terminal& terminal() { return terminal_; }
    const World& world() const { return world_; }
    const ConfigStore& store() const { return store_; }
    const Config& config() const { return config_; }
    const ServerList& servers() const { return servers_; }
    /// Works with another server from here on; what is in use next time stays.
    void use_server(const std::string& name);
    void use_config(const Config& config);
    bool wants_json() const { return json_; }

    /// The broker with the stored token; asks for the password when there is none or it has
    /// expired and somebody can be asked. Throws Error telling to run setup.
    BrokerClient& broker();
    /// Another connection with the same token, for a second thread.
    BrokerClient second_broker() const;
    /// A connection with the given Authorization header ("" for none).
    BrokerClient connect(const std::string& authorization) const;

    /// Gets a session token with login and password and stores it.
    void log_in(const std::string& login, const std::string& password);
    /// Ends the session at the broker and forgets it. Fine when there is none.
    void log_out();

    /// -n, or the remembered domain, or the account's first. Throws ExitError(127).
    std::string domain(const std::string& asked);
    /// The application with its cartridges.
    Json application(const std::string& name, const std::string& asked_domain);

    /// Prints data as JSON if asked for; false if the caller has to print text.
    bool print_json(const Json& data);
    /// Result and warning messages of an answer, for people.
    void print_messages(const Reply& reply);

private:
    const World& world_;
    ServerList servers_;
    ConfigStore store_;
    Config config_;
    bool json_;
    Terminal terminal_;
    std::optional<BrokerClient> broker_;

    TransportOptions transport_options() const;
    std::string renew();  ///< asks for the password, logs in; the new Authorization header
};

/// The application's URL as this machine reaches it: the port is the one that was set up.
std::string url_of(const Json& application, const Config& config);
/// user@host of its gear; host is the server's own name where the application's is only local.
std::string ssh_target(const Json& application, const Config& config);
/// What to add to /etc/hosts when the application's name leads nowhere from here; "" if it does.
std::string hosts_hint(const Session& session, const Json& application);
std::string git_url(const Json& application, const Config& config);
/// "-p PORT -i KEY -o …": what reaches a gear from here.
std::vector<std::string> ssh_options(const Session& session);

}  // namespace gearbox::cli
