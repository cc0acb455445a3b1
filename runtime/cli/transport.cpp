#include "cli/transport.h"

#include <httplib.h>

#include <charconv>

namespace gearbox::cli {

namespace {

constexpr int connect_seconds = 15;
// Creating an application is answered when it runs; the broker has its own deadline.
constexpr int answer_seconds = 3700;

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_this_machine(const std::string& host) {
    return host == "localhost" || ends_with(host, ".localhost") || host == "127.0.0.1" ||
           host == "::1";
}

template <typename Client>
class HttplibTransport final : public Transport {
public:
    HttplibTransport(std::unique_ptr<Client> client, Server server)
        : client_(std::move(client)), server_(std::move(server)) {
        client_->set_connection_timeout(connect_seconds);
        client_->set_read_timeout(answer_seconds);
        client_->set_write_timeout(answer_seconds);
        client_->set_keep_alive(true);
        client_->set_tcp_nodelay(true);
        // RFC 6761: names below localhost are this machine; glibc alone does not resolve them.
        if (ends_with(server_.host, ".localhost")) {
            client_->set_hostname_addr_map({{server_.host, "127.0.0.1"}});
        }
    }

    HttpResponse send(const HttpRequest& request) override {
        httplib::Request out;
        out.method = request.method;
        out.path = request.path;
        for (const auto& [name, value] : request.headers) {
            out.headers.emplace(name, value);
        }
        out.body = request.body;
        const httplib::Result result = client_->send(out);
        if (result) {
            return {result->status, result->body};
        }
        if (result.error() == httplib::Error::SSLServerVerification) {
            throw UntrustedError(str("the certificate of '", server_.url(),
                                     "' is not signed by a trusted authority or is for another "
                                     "name; 'gearbox setup' asks whether to trust it"));
        }
        const std::string why = httplib::to_string(result.error());
        fail(ErrorKind::unavailable, "no answer from '", server_.url(), "' (", why,
             "); is the appliance running and the port right?");
    }

private:
    std::unique_ptr<Client> client_;
    Server server_;
};

}  // namespace

Server Server::parse(const std::string& text) {
    Server server;
    std::string rest = text;
    if (rest.rfind("https://", 0) == 0) {
        rest.erase(0, 8);
    } else if (rest.rfind("http://", 0) == 0) {
        rest.erase(0, 7);
        server.tls = false;
        server.port = 80;
    }
    rest = rest.substr(0, rest.find('/'));
    const auto colon = rest.rfind(':');
    const bool bare_v6 = !rest.empty() && rest.front() != '[' && rest.find(':') != colon;
    if (colon != std::string::npos && !bare_v6 && rest.back() != ']') {
        const char* const first = rest.data() + colon + 1;
        const char* const last = rest.data() + rest.size();
        const auto [end, error] = std::from_chars(first, last, server.port);
        if (error != std::errc() || end != last || server.port < 1 || server.port > 65535) {
            fail(ErrorKind::invalid, "the port of the server '", text, "' must be from 1 to 65535");
        }
        rest.erase(colon);
    }
    if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') {
        rest = rest.substr(1, rest.size() - 2);
    }
    server.host = rest;
    if (rest.empty() || rest.find_first_of(" \t\r\n@?#") != std::string::npos) {
        fail(ErrorKind::invalid, "'", text, "' is no server; write HOST, HOST:PORT or https://HOST:PORT");
    }
    if (!server.tls && !is_this_machine(server.host)) {
        fail(ErrorKind::invalid, "'", text,
             "' would send the password unencrypted; plain http is for this machine only");
    }
    return server;
}

std::string Server::url() const {
    const std::string name = host.find(':') == std::string::npos ? host : str("[", host, "]");
    return str(tls ? "https://" : "http://", name, has_standard_port() ? "" : str(":", port));
}

std::unique_ptr<Transport> make_transport(const TransportOptions& options) {
    const Server& server = options.server;
    if (!server.tls) {
        return std::make_unique<HttplibTransport<httplib::Client>>(
            std::make_unique<httplib::Client>(server.host, server.port), server);
    }
    auto client = std::make_unique<httplib::SSLClient>(server.host, server.port);
    if (!options.ca_file.empty()) {
        client->set_ca_cert_path(options.ca_file);
    }
    client->enable_server_certificate_verification(options.verify);
    return std::make_unique<HttplibTransport<httplib::SSLClient>>(std::move(client), server);
}

}  // namespace gearbox::cli
