// A client as plain as possible: what it sends is written in the test, byte by byte if need be.
#pragma once
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <map>
#include <string>

namespace gearbox::test {

struct HttpReply {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    Json json() const { return parse_json(body); }
};

class HttpClient {
public:
    explicit HttpClient(int port) : port_(port) {}
    std::string authorization;  ///< "Basic …", "Bearer …" or ""

    HttpReply get(const std::string& path) const { return request("GET", path, ""); }
    HttpReply request(const std::string& method, const std::string& path, const std::string& body,
                      const std::string& type = "application/json",
                      const std::string& more_headers = "") const {
        std::string text = method + " " + path + " HTTP/1.1\r\nHost: broker.test:8443\r\n" +
                           "X-Forwarded-Proto: https\r\nConnection: close\r\n" + more_headers;
        if (!authorization.empty()) {
            text += "Authorization: " + authorization + "\r\n";
        }
        if (!body.empty()) {
            text += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n";
        }
        return raw(text + "\r\n" + body);
    }

    /// Sends these bytes and reads until the other end closes, 20 s at most.
    HttpReply raw(const std::string& bytes) const {
        UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        check(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              "connecting");
        const timeval patience{20, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            // The server may answer and close before it has read everything (413).
            const auto n = ::send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (n <= 0) {
                break;
            }
            sent += static_cast<std::size_t>(n);
        }
        std::string text;
        char buffer[16384];
        for (;;) {
            const auto n = ::recv(fd.get(), buffer, sizeof buffer, 0);
            if (n <= 0) {
                break;
            }
            text.append(buffer, static_cast<std::size_t>(n));
            if (is_complete(text)) {
                break;
            }
        }
        return parse(text);
    }

private:
    static bool is_complete(const std::string& text) {
        const auto end = text.find("\r\n\r\n");
        if (end == std::string::npos) {
            return false;
        }
        const HttpReply reply = parse(text);
        const auto length = reply.headers.find("content-length");
        return length != reply.headers.end() &&
               reply.body.size() >= static_cast<std::size_t>(std::atol(length->second.c_str()));
    }
    static HttpReply parse(const std::string& text) {
        HttpReply reply;
        const auto end = text.find("\r\n\r\n");
        if (text.size() < 12 || end == std::string::npos) {
            return reply;
        }
        reply.status = std::atoi(text.c_str() + 9);
        std::size_t line = text.find("\r\n") + 2;
        while (line < end) {
            const auto stop = text.find("\r\n", line);
            const auto colon = text.find(':', line);
            if (colon < stop) {
                std::string name = text.substr(line, colon - line);
                for (char& c : name) {
                    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
                }
                reply.headers[name] = text.substr(colon + 2, stop - colon - 2);
            }
            line = stop + 2;
        }
        reply.body = text.substr(end + 4);
        return reply;
    }

    int port_;
};

}  // namespace gearbox::test
