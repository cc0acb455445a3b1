#include "cli/session.h"

#include "base/percent.h"

#include <algorithm>

namespace gearbox::cli {

namespace {

bool is_local_name(const std::string& host) {
    const std::string end = ".localhost";
    return host == "localhost" ||
           (host.size() > end.size() && host.compare(host.size() - end.size(), end.size(), end) == 0);
}

// ssh://USER@HOST[:PORT][/…] taken apart.
struct SshUrl {
    std::string user;
    std::string host;
};

SshUrl parse_ssh_url(const std::string& url) {
    const std::string scheme = "ssh://";
    const auto at = url.find('@');
    if (url.rfind(scheme, 0) != 0 || at == std::string::npos) {
        throw ExitError(exit_status::garbled, str("the broker's ssh address '", url, "' is none"));
    }
    const auto end = url.find_first_of(":/", at);
    return {url.substr(scheme.size(), at - scheme.size()),
            url.substr(at + 1, end == std::string::npos ? end : end - at - 1)};
}

// Of "scheme://HOST[:PORT][/…]".
std::string host_in(const std::string& url) {
    const auto scheme = url.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    const auto end = url.find_first_of(":/", begin);
    return url.substr(begin, end == std::string::npos ? end : end - begin);
}

std::string ssh_host(const std::string& application_host, const Config& config) {
    if (!is_local_name(application_host)) {
        return application_host;
    }
    // A name below localhost means this machine, which may forward a port to the appliance, and ssh
    // cannot resolve it everywhere: use what the broker is reached by.
    const std::string host = Server::parse(config.server).host;
    return is_local_name(host) ? "localhost" : host;
}

}  // namespace

Session::Session(const World& world, ServerList servers, bool json_output)
    : world_(world),
      servers_(std::move(servers)),
      store_(servers_.store(servers_.current())),
      config_(store_.load()),
      json_(json_output),
      terminal_(world.streams) {}

void Session::use_server(const std::string& name) {
    store_ = servers_.store(name);
    use_config(store_.load());
}

void Session::use_config(const Config& config) {
    config_ = config;
    broker_.reset();
}

TransportOptions Session::transport_options() const {
    if (config_.server.empty()) {
        fail(ErrorKind::invalid, "no server is set up yet; run 'gearbox setup'");
    }
    return {Server::parse(config_.server), config_.ca_file, true};
}

BrokerClient Session::connect(const std::string& authorization) const {
    return BrokerClient(world_.transport(transport_options()), authorization);
}

BrokerClient& Session::broker() {
    if (!broker_) {
        const auto token = store_.find_token();
        const std::string authorization = token ? bearer_authorization(*token) : renew();
        broker_.emplace(world_.transport(transport_options()), authorization,
                        [this] { return renew(); });
    }
    return *broker_;
}

std::string Session::renew() {
    store_.remove_token();
    if (config_.server.empty() || config_.login.empty()) {
        fail(ErrorKind::invalid, "no server is set up yet; run 'gearbox setup'");
    }
    const std::string password =
        !world_.environment_password.empty()
            ? world_.environment_password
            : terminal_.ask_secret(str("Password of ", config_.login, " at ", config_.server),
                                   "GEARBOX_PASSWORD or 'gearbox setup --password-stdin'");
    log_in(config_.login, password);
    return bearer_authorization(store_.find_token().value_or(""));
}

BrokerClient Session::second_broker() const {
    return connect(bearer_authorization(store_.find_token().value_or("")));
}

void Session::log_in(const std::string& login, const std::string& password) {
    BrokerClient basic = connect(basic_authorization(login, password));
    const Reply reply = basic.post(
        "/user/authorizations", {{"scope", "session"}, {"note", "gearbox client"}, {"reuse", true}});
    store_.save_token(take<std::string>(reply.data, "token"));
}

void Session::log_out() {
    const auto token = store_.find_token();
    if (!token) {
        return;
    }
    try {
        second_broker().remove("/user/authorization/" + percent_encode(*token));
    } catch (const BrokerError& error) {
        if (error.status() != 401) {  // already ended there
            throw;
        }
    }
    store_.remove_token();
    broker_.reset();
}

std::string Session::domain(const std::string& asked) {
    if (!asked.empty()) {
        return asked;
    }
    if (!config_.domain.empty()) {
        return config_.domain;
    }
    const Reply reply = broker().get("/domains");
    if (!reply.data.is_array() || reply.data.empty()) {
        throw ExitError(exit_status::no_domain,
                        "you have no domain yet; make one with 'gearbox domain create NAME'");
    }
    return take<std::string>(reply.data.front(), "name");
}

Json Session::application(const std::string& name, const std::string& asked_domain) {
    if (name.empty()) {
        throw ExitError(exit_status::usage, "name the application: NAME, or -a NAME");
    }
    const std::string path = str("/domain/", percent_encode(domain(asked_domain)), "/application/",
                                 percent_encode(name), "?include=cartridges");
    return broker().get(path).data;
}

bool Session::print_json(const Json& data) {
    if (json_) {
        terminal_.json(data);
    }
    return json_;
}

void Session::print_messages(const Reply& reply) {
    for (const std::string& text : reply.texts("warning")) {
        terminal_.note("warning: " + text);
    }
    for (const std::string& text : reply.texts("result")) {
        terminal_.line(text);
    }
}

std::string url_of(const Json& application, const Config& config) {
    const std::string url = take<std::string>(application, "app_url");
    const std::string host = host_in(url);
    const Server server = Server::parse(config.server);
    if (config.http_port != 0) {
        return str("http://", host, config.http_port == 80 ? "" : str(":", config.http_port), "/");
    }
    // Only the forwarded TLS port is known: the router serves applications there as well.
    return server.tls && !server.has_standard_port() ? str("https://", host, ":", server.port, "/")
                                                     : url;
}

std::string ssh_target(const Json& application, const Config& config) {
    const SshUrl url = parse_ssh_url(take<std::string>(application, "ssh_url"));
    return str(url.user, "@", ssh_host(url.host, config));
}

std::string hosts_hint(const Session& session, const Json& application) {
    const std::string host = host_in(take<std::string>(application, "app_url"));
    const std::string server = Server::parse(session.config().server).host;
    const auto& resolve = session.world().resolve;
    // Names below localhost are found by what opens them, not by the resolver.
    const bool is_here = is_local_name(host) && (is_local_name(server) || server == "127.0.0.1");
    if (!resolve || is_here) {
        return "";
    }
    const auto found = resolve(host);
    auto addresses = resolve(server);
    const bool leads_there = std::any_of(found.begin(), found.end(), [&](const std::string& address) {
        return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    });
    if (leads_there || addresses.empty()) {
        return "";
    }
    // An IPv6 address of the link is of no use in /etc/hosts.
    std::stable_partition(addresses.begin(), addresses.end(), [](const std::string& address) {
        return address.find(':') == std::string::npos;
    });
    return str("'", host, "' does not lead to the server from here; in /etc/hosts this does it:\n  ",
               addresses.front(), "  ", host);
}

std::string git_url(const Json& application, const Config& config) {
    const SshUrl url = parse_ssh_url(take<std::string>(application, "ssh_url"));
    return str("ssh://", url.user, "@", ssh_host(url.host, config),
               config.ssh_port == 22 ? "" : str(":", config.ssh_port), "/~/git/",
               take<std::string>(application, "name"), ".git/");
}

std::vector<std::string> ssh_options(const Session& session) {
    const Config& config = session.config();
    std::vector<std::string> out;
    if (config.ssh_port != 22) {
        out.insert(out.end(), {"-p", std::to_string(config.ssh_port)});
    }
    if (!config.ssh_key.empty()) {
        out.insert(out.end(), {"-i", config.ssh_key, "-o", "IdentitiesOnly=yes"});
    }
    // A file of our own: an appliance made anew on the same forwarded port must not leave a
    // conflicting entry in the person's own known_hosts.
    out.insert(out.end(),
               {"-o", "UserKnownHostsFile=" + session.store().path("known_hosts").native(), "-o",
                "StrictHostKeyChecking=accept-new"});
    return out;
}

}  // namespace gearbox::cli
