// One HTTP exchange as data, and the interface that carries it: the network stays in transport.cpp.
#pragma once
#include "base/error.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gearbox::cli {

/// Where the broker is: "HOST[:PORT]" or a URL. Plain http is accepted for this machine only,
/// because passwords and tokens travel on it.
struct Server {
    bool tls = true;
    std::string host;
    int port = 443;

    /// Throws Error(invalid).
    static Server parse(const std::string& text);
    std::string url() const;
    bool has_standard_port() const { return port == (tls ? 443 : 80); }
};

struct HttpRequest {
    std::string method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

struct HttpResponse {
    int status = 0;
    std::string body;
};

struct TransportOptions {
    Server server;
    std::string ca_file;  ///< "": the system's certificates
    bool verify = true;   ///< false only to fetch the certificate that will be shown and asked about
};

/// The server's certificate is not signed by anybody we trust, or is for another name.
class UntrustedError : public Error {
public:
    explicit UntrustedError(std::string text) : Error(ErrorKind::unavailable, std::move(text)) {}
};

class Transport {
public:
    virtual ~Transport() = default;
    /// Throws UntrustedError, or Error(unavailable) when no answer comes.
    virtual HttpResponse send(const HttpRequest& request) = 0;
};

using TransportFactory = std::function<std::unique_ptr<Transport>(const TransportOptions&)>;

std::unique_ptr<Transport> make_transport(const TransportOptions& options);

}  // namespace gearbox::cli
