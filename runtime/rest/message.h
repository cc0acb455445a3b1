// What goes through the REST layer, independent of the HTTP library.
#pragma once
#include "base/json.h"
#include "broker/broker.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gearbox::rest {

/// As it came from the wire.
struct HttpRequest {
    std::string method;
    std::string path;   ///< percent-decoded
    std::string query;  ///< as sent, without "?"
    std::multimap<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    /// The first one of that name, "" if none.
    std::string header(const std::string& lower_case_name) const;
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string file = {};  ///< the path of what is sent instead of the body; "" = none
    Pieces pieces = {};     ///< what is sent instead of the body, of unknown length; empty = nothing such
};

/// One entry of "messages" in the envelope (broker contract, 4).
struct Message {
    std::string severity;  ///< debug info warning error result
    std::string text;
    std::optional<int> exit_code = 0;
    std::string field = "";  ///< "" = null
};

/// What a handler answers; the dispatcher puts it in the envelope.
struct Reply {
    int status = 200;
    std::string type;  ///< "" = null
    Json data;
    std::vector<Message> messages;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string ready = {};      ///< the whole body, if it was made before
    std::string cache_key = {};  ///< under which the body may be kept; "" = not at all
    std::int64_t store_version = 0;
    Pieces pieces = {};               ///< what is sent instead of an envelope; empty = nothing such
    std::string content_type = {};    ///< of the pieces
};

/// How things are shown to this caller.
struct View {
    std::string base;       ///< "https://host:port/broker/rest"
    std::string app_scheme = "http";
    std::string app_port;   ///< ":8443" when the caller came through an unusual port
    const Settings* settings = nullptr;
    bool links = true;

    const std::string& cloud_domain() const { return settings->broker.cloud_domain; }
};

/// A decoded request, as handlers get it.
struct Call {
    Broker& broker;
    Principal who;  ///< meaningless on open routes
    std::map<std::string, std::string> path;  ///< ":name" parts
    Json params;                              ///< query and body in one object
    View view;
    const PieceReader& upload;                ///< the body, for routes that take it as it comes

    const std::string& part(const std::string& name) const { return path.at(name); }
    /// The comma-separated "include" parameter has this word.
    bool includes(const std::string& word) const;
};

}  // namespace gearbox::rest
