#include "rest/problem.h"

#include "base/log.h"
#include "rest/params.h"

namespace gearbox::rest {

namespace {

// THE mapping from what went wrong to a status.
int status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
        case ErrorKind::quota:
            return 422;
        case ErrorKind::unauthenticated:
            return 401;
        case ErrorKind::forbidden:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::internal:
            return 500;
    }
    return 500;
}

}  // namespace

Reply make_error_reply(int status, std::string text, std::optional<int> exit_code) {
    Reply reply;
    reply.status = status;
    reply.messages.push_back({"error", std::move(text), exit_code, ""});
    return reply;
}

Reply make_problem_reply(const std::exception& error, const std::string& request_id) {
    if (const auto* http = dynamic_cast<const HttpError*>(&error)) {
        return make_error_reply(http->status, http->text(), http->message_code);
    }
    if (const auto* request = dynamic_cast<const RequestError*>(&error)) {
        Reply reply;
        reply.status = status_of(request->kind());
        for (const Problem& problem : request->problems()) {
            reply.messages.push_back({"error", problem.text, problem.exit_code, problem.field});
        }
        return reply;
    }
    if (const auto* script = dynamic_cast<const ScriptError*>(&error)) {
        log::warning("a cartridge failed: ", script->what(), log::field("request", request_id));
        return make_error_reply(status_of(script->kind()), script->text(), script->status());
    }
    const auto* known = dynamic_cast<const Error*>(&error);
    if (known != nullptr && known->kind() != ErrorKind::internal) {
        return make_error_reply(status_of(known->kind()), known->text());
    }
    log::error("request failed: ", error.what(), log::field("request", request_id));
    return make_error_reply(500, str("Unable to complete the requested operation due to an internal"
                                     " error. Reference ID: ",
                                     request_id));
}

}  // namespace gearbox::rest
