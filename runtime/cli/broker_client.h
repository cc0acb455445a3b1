// The broker's REST interface as calls: envelope in, data out, errors as exceptions with rc codes.
#pragma once
#include "base/json.h"
#include "cli/transport.h"

#include <string>
#include <vector>

namespace gearbox::cli {

struct Message {
    std::string severity;  ///< info, warning, result, error, debug
    std::string text;
    std::string field;
    int exit_code = 0;
};

struct Reply {
    int status = 0;
    Json data;
    std::vector<Message> messages;

    /// What the user must see: generated passwords and the like.
    std::vector<std::string> texts(const std::string& severity) const;
};

/// The broker refused. what() is the text of its error messages, one a line.
class BrokerError : public Error {
public:
    BrokerError(int status, std::vector<Message> messages);
    int status() const { return status_; }
    const std::vector<Message>& messages() const { return messages_; }
    /// Process status as rhc's: 101 and 127 for what is not there, 118 for a key, else 1.
    int exit_code() const;

private:
    int status_;
    std::vector<Message> messages_;
};

/// Not thread-safe: one per thread.
class BrokerClient {
public:
    /// Logs in again; the new Authorization header.
    using Renew = std::function<std::string()>;

    /// authorization is the header's value, or "". renew is called once per request that is
    /// answered with 401, and the request repeated.
    BrokerClient(std::unique_ptr<Transport> transport, std::string authorization, Renew renew = {})
        : transport_(std::move(transport)),
          authorization_(std::move(authorization)),
          renew_(std::move(renew)) {}

    /// Paths are below /broker/rest, with a leading slash. All throw BrokerError for status >= 400
    /// and Error(unavailable) for what is no answer of a broker.
    Reply get(const std::string& path) { return call("GET", path, nullptr); }
    Reply post(const std::string& path, const Json& body, const std::string& request_id = {}) {
        return call("POST", path, body, request_id);
    }
    Reply put(const std::string& path, const Json& body) { return call("PUT", path, body); }
    Reply patch(const std::string& path, const Json& body) { return call("PATCH", path, body); }
    Reply remove(const std::string& path, const Json& body = Json::object()) {
        return call("DELETE", path, body);
    }

private:
    Reply call(const std::string& method, const std::string& path, const Json& body,
               const std::string& request_id = {});

    std::unique_ptr<Transport> transport_;
    std::string authorization_;
    Renew renew_;
};

std::string basic_authorization(const std::string& login, const std::string& password);
std::string bearer_authorization(const std::string& token);

/// Exit statuses that rhc's users know (broker contract, 5).
namespace exit_status {
constexpr int error = 1;
constexpr int usage = 2;
constexpr int no_application = 101;
constexpr int nothing_to_forward = 102;
constexpr int no_key = 118;
constexpr int no_domain = 127;
constexpr int bad_key_file = 128;
constexpr int garbled = 129;
constexpr int snapshot_failed = 130;
constexpr int no_deployment = 131;
constexpr int remote_failed = 133;
constexpr int no_ha = 135;
constexpr int no_cartridge = 154;
constexpr int many_cartridges = 155;
constexpr int no_variable = 157;
constexpr int no_teams = 161;
constexpr int no_team = 162;
constexpr int no_server = 166;
constexpr int no_regions = 168;
}  // namespace exit_status

/// An error of the client's own with a process status of its own.
class ExitError : public Error {
public:
    ExitError(int status, std::string text)
        : Error(ErrorKind::invalid, std::move(text)), status_(status) {}
    int status() const { return status_; }

private:
    int status_;
};

}  // namespace gearbox::cli
