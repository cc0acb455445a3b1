// From an HTTP request to an HTTP response: versions, authentication, routing, the envelope.
// Knows nothing of sockets, so that tests and fuzzers call it directly.
#pragma once
#include "rest/message.h"
#include "rest/reply_cache.h"
#include "rest/routes.h"

namespace gearbox::rest {

class Dispatcher {
public:
    explicit Dispatcher(Broker& broker) : broker_(broker) {}

    /// Thread-safe; never throws for anything that a request can contain.
    /// upload: the body for routes that take it as it comes; absent: request.body has it.
    HttpResponse handle(const HttpRequest& request, const PieceReader* upload = nullptr);
    /// What the route of this request sends or takes.
    static Archive archive_of(const HttpRequest& request);

    /// The envelope of an error that happened before a request was complete (too large, broken).
    static HttpResponse refuse_early(int status);

private:
    struct Version {
        double number = 1.7;
        bool is_without_links = false;
    };

    Reply respond(const Route& route, const HttpRequest& request, Call& call);
    Reply answer(const HttpRequest& request, const std::string& request_id, const Version& version,
                 const PieceReader* upload);
    std::optional<Principal> authenticate(const HttpRequest& request, Reply& challenge);
    View view_of(const HttpRequest& request, const Version& version) const;

    Broker& broker_;
    ReplyCache replies_;
};

}  // namespace gearbox::rest
