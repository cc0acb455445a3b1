#include "cli/broker_client.h"

#include "base/base64.h"

#include <algorithm>

namespace gearbox::cli {

namespace {

std::vector<Message> messages_of(const Json& envelope) {
    std::vector<Message> out;
    const auto found = envelope.find("messages");
    if (found == envelope.end() || !found->is_array()) {
        return out;
    }
    for (const Json& item : *found) {
        out.push_back({find<std::string>(item, "severity").value_or("info"),
                       find<std::string>(item, "text").value_or(""),
                       find<std::string>(item, "field").value_or(""),
                       find<int>(item, "exit_code").value_or(0)});
    }
    return out;
}

std::string error_text(int status, const std::vector<Message>& messages) {
    std::string out;
    for (const Message& message : messages) {
        if (message.severity == "error") {
            out += (out.empty() ? "" : "\n") + message.text;
        }
    }
    if (!out.empty()) {
        return out;
    }
    return status == 401 ? "the login or password is not right, or the session has ended"
                         : str("the broker answered with status ", status);
}

ErrorKind kind_of(int status) {
    switch (status) {
        case 401: return ErrorKind::unauthenticated;
        case 403: return ErrorKind::forbidden;
        case 404: return ErrorKind::not_found;
        case 409: return ErrorKind::conflict;
        default: return status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
    }
}

}  // namespace

std::vector<std::string> Reply::texts(const std::string& severity) const {
    std::vector<std::string> out;
    for (const Message& message : messages) {
        if (message.severity == severity) {
            out.push_back(message.text);
        }
    }
    return out;
}

BrokerError::BrokerError(int status, std::vector<Message> messages)
    : Error(kind_of(status), error_text(status, messages)),
      status_(status),
      messages_(std::move(messages)) {}

int BrokerError::exit_code() const {
    constexpr int passed_on[] = {exit_status::no_application, exit_status::no_domain,
                                 exit_status::no_key};
    for (const Message& message : messages_) {
        const bool known = std::find(std::begin(passed_on), std::end(passed_on),
                                     message.exit_code) != std::end(passed_on);
        if (status_ == 404 && known) {
            return message.exit_code;
        }
    }
    return exit_status::error;
}

Reply BrokerClient::call(const std::string& method, const std::string& path, const Json& body,
                         const std::string& request_id) {
    HttpRequest request{method, "/broker/rest" + path, {}, ""};
    request.headers.emplace_back("Accept", "application/json;version=1.7");
    request.headers.emplace_back("User-Agent", "gearbox/" GEARBOX_VERSION);
    if (!request_id.empty()) {
        request.headers.emplace_back("X-Request-Id", request_id);
    }
    if (!body.is_null()) {
        request.headers.emplace_back("Content-Type", "application/json;version=1.7");
        request.body = to_text(body);
    }
    const auto send = [&] {
        HttpRequest with_login = request;
        if (!authorization_.empty()) {
            with_login.headers.emplace_back("Authorization", authorization_);
        }
        return transport_->send(with_login);
    };
    HttpResponse response = send();
    if (response.status == 401 && renew_) {
        authorization_ = renew_();
        response = send();
    }
    Json envelope;
    try {
        envelope = parse_json(response.body);
    } catch (const Error&) {
        if (response.status >= 400) {
            throw BrokerError(response.status, {});
        }
        throw ExitError(exit_status::garbled,
                        str("the answer to ", method, " '", request.path,
                            "' is no JSON; is there a Gearbox broker at this address?"));
    }
    if (response.status >= 400) {
        throw BrokerError(response.status, messages_of(envelope));
    }
    Reply reply{response.status, nullptr, messages_of(envelope)};
    if (envelope.is_object() && envelope.contains("data")) {
        reply.data = envelope.at("data");
    }
    return reply;
}

std::string basic_authorization(const std::string& login, const std::string& password) {
    return "Basic " + encode_base64(str(login, ":", password));
}

std::string bearer_authorization(const std::string& token) { return "Bearer " + token; }

}  // namespace gearbox::cli
