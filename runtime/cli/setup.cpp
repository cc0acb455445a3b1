// setup: one short conversation that ends with a working configuration. Every question has an option
// that answers it, so that it also runs unattended.
#include "base/file.h"
#include "cli/command.h"
#include "cli/trust.h"

#include <algorithm>
#include <memory>

namespace gearbox::cli {

namespace {

struct SetupArguments {
    std::string server;
    std::string login;
    std::string ca_file;
    std::string key;
    std::string key_name;
    std::string domain;
    int ssh_port = 0;
    int http_port = 0;
    bool trust = false;
    bool password_stdin = false;
    bool no_key = false;
};

// Whether the server's certificate is fine with what we have.
bool is_trusted(const World& world, const TransportOptions& options) {
    try {
        world.transport(options)->send({"GET", "/broker/rest/api", {}, ""});
        return true;
    } catch (const UntrustedError&) {
        return false;
    }
}

// Trust on first use: shows the appliance's own authority and keeps it when the person agrees.
std::string learn_authority(Session& session, const Server& server, bool trust) {
    const HttpResponse response =
        session.world().transport({server, "", false})->send({"GET", "/client/ca.crt", {}, ""});
    if (response.status != 200) {
        fail(ErrorKind::unavailable, "'", server.url(),
             "' has an unknown certificate and shows no authority at /client/ca.crt");
    }
    const std::string fingerprint = certificate_fingerprint(response.body);
    Terminal& terminal = session.terminal();
    terminal.note(str("The appliance at ", server.url(),
                      " has an authority of its own, with SHA-256 fingerprint\n  ", fingerprint,
                      "\nIts console shows the same one."));
    if (!trust && !terminal.confirm("Trust it?", "--trust or --ca-file")) {
        fail(ErrorKind::invalid, "the certificate is not trusted; nothing was set up");
    }
    return session.store().save_ca(response.body).native();
}

void ensure_trust(Session& session, Config& config, const SetupArguments& arguments) {
    const Server server = Server::parse(config.server);
    if (!arguments.ca_file.empty()) {
        config.ca_file = std::filesystem::absolute(arguments.ca_file).native();
    }
    if (!server.tls || is_trusted(session.world(), {server, config.ca_file, true})) {
        return;
    }
    if (!arguments.ca_file.empty()) {
        fail(ErrorKind::invalid, "the certificate of '", config.server, "' is not signed by '",
             config.ca_file, "', or is for another name");
    }
    config.ca_file = learn_authority(session, server, arguments.trust);
    if (!is_trusted(session.world(), {server, config.ca_file, true})) {
        fail(ErrorKind::invalid, "the certificate of '", config.server,
             "' is for another name; use the name on the appliance's console");
    }
}

std::string password_of(Session& session, const Config& config, bool from_stdin) {
    if (from_stdin) {
        return session.terminal().read_line();
    }
    if (!session.world().environment_password.empty()) {
        return session.world().environment_password;
    }
    return session.terminal().ask_secret(str("Password of ", config.login),
                                         "--password-stdin or GEARBOX_PASSWORD");
}

// The private key to use, made if there is none.
std::filesystem::path ensure_key(Session& session, const SetupArguments& arguments) {
    std::filesystem::path key = arguments.key;
    if (key.empty()) {
        if (const auto own = find_default_key(session.world().home)) {
            return *own;
        }
        key = session.store().path("id_ed25519");
    }
    key = std::filesystem::absolute(key.extension() == ".pub" ? key.replace_extension() : key);
    if (!std::filesystem::exists(key)) {
        session.store().ensure_directory();
        create_key(key, "gearbox " + session.config().login);
        session.terminal().note(str("Made the ssh key ", key.native()));
    }
    return key;
}

void upload_key(Session& session, const SetupArguments& arguments, const std::filesystem::path& key) {
    const SshPublicKey mine = load_public_key(key.native() + ".pub");
    const Json keys = session.broker().get("/user/keys").data;
    std::string name = arguments.key_name.empty() ? "default" : arguments.key_name;
    const auto has_name = [&](const std::string& wanted) {
        return std::any_of(keys.begin(), keys.end(), [&](const Json& existing) {
            return take<std::string>(existing, "name") == wanted;
        });
    };
    for (const Json& existing : keys) {
        if (take<std::string>(existing, "content") == mine.content) {
            return;
        }
    }
    for (int i = 2; arguments.key_name.empty() && has_name(name); ++i) {
        name = str("default-", i);
    }
    session.broker().post("/user/keys",
                          {{"name", name}, {"type", mine.type}, {"content", mine.content}});
    session.terminal().note(str("Uploaded the ssh key as '", name, "'"));
}

// The domain to use from now on; "" when the person wants none yet.
std::string ensure_domain(Session& session, const std::string& wanted) {
    const Json domains = session.broker().get("/domains").data;
    for (const Json& domain : domains) {
        const auto name = take<std::string>(domain, "name");
        if (wanted.empty() || name == wanted) {
            return name;
        }
    }
    std::string name = wanted;
    if (name.empty() && session.terminal().is_interactive()) {
        name = session.terminal().ask("Name of your first domain (letters and digits, in every URL)",
                                      session.config().login, "--domain");
    }
    if (name.empty()) {
        return "";
    }
    const Reply reply = session.broker().post("/domains", {{"name", name}});
    return take<std::string>(reply.data, "name");
}

int set_up(Session& session, const SetupArguments& arguments) {
    Terminal& terminal = session.terminal();
    Config config = session.config();
    if (arguments.server.empty()) {
        config.server = terminal.ask("Server (HOST or HOST:PORT)",
                                     config.server.empty() ? "gearbox.localhost" : config.server,
                                     "--server");
    } else {
        config.server = arguments.server;
    }
    config.server = Server::parse(config.server).url();
    config.ssh_port = arguments.ssh_port != 0 ? arguments.ssh_port : config.ssh_port;
    config.http_port = arguments.http_port != 0 ? arguments.http_port : config.http_port;
    ensure_trust(session, config, arguments);
    config.login = arguments.login.empty() ? terminal.ask("Login", config.login, "--login")
                                           : arguments.login;
    session.use_config(config);
    session.log_in(config.login, password_of(session, config, arguments.password_stdin));
    session.store().save(config);
    if (!arguments.no_key) {
        const std::filesystem::path key = ensure_key(session, arguments);
        config.ssh_key = key.native();
        upload_key(session, arguments, key);
    }
    config.domain = ensure_domain(session, arguments.domain);
    session.store().save(config);
    if (!session.print_json({{"server", config.server},
                             {"login", config.login},
                             {"domain", config.domain},
                             {"ssh_key", config.ssh_key}})) {
        terminal.line(str("Set up for ", config.login, " at ", config.server,
                          config.domain.empty() ? "" : str(", domain '", config.domain, "'")));
        terminal.line("Next:  gearbox app create blog --from-code wordpress");
    }
    return 0;
}

std::shared_ptr<SetupArguments> add_setup_arguments(CLI::App& parser) {
    const auto a = std::make_shared<SetupArguments>();
    parser.add_option("--server,SERVER", a->server, "HOST, HOST:PORT or URL of the appliance")
        ->envname("GEARBOX_SERVER");
    parser.add_option("-l,--login", a->login, "your login")->envname("GEARBOX_LOGIN");
    parser.add_flag("--password-stdin", a->password_stdin, "read the password from standard input");
    parser.add_flag("--trust", a->trust, "trust the appliance's certificate without asking");
    parser.add_option("--ca-file", a->ca_file, "certificate to trust instead (PEM)");
    parser.add_option("--ssh-key", a->key, "private key to use; made if it does not exist");
    parser.add_option("--ssh-key-name", a->key_name, "what to call it at the broker");
    parser.add_flag("--no-ssh-key", a->no_key, "upload no key");
    parser.add_option("--ssh-port", a->ssh_port, "port that leads to the appliance's ssh")
        ->check(CLI::Range(1, 65535));
    parser.add_option("--http-port", a->http_port, "port that leads to the appliance's http")
        ->check(CLI::Range(1, 65535));
    parser.add_option("--domain", a->domain, "domain to use; made if you do not have it");
    return a;
}

}  // namespace

Runner declare_setup(CLI::App& parser) {
    const auto arguments = add_setup_arguments(parser);
    return [arguments](Session& session) { return set_up(session, *arguments); };
}

Runner declare_server_add(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name, "what to call it here")->required();
    const auto arguments = add_setup_arguments(parser);
    return [name, arguments](Session& session) {
        if (session.servers().has(*name)) {
            fail(ErrorKind::invalid, "there is a server '", *name, "' already");
        }
        session.use_server(*name);
        try {
            set_up(session, *arguments);
        } catch (...) {
            session.servers().remove(*name);
            throw;
        }
        session.servers().use(*name);
        return 0;
    };
}

}  // namespace gearbox::cli
