// Request parameters: JSON bodies, forms and query strings become one JSON object.
#pragma once
#include "rest/message.h"

#include <string>

namespace gearbox::rest {

/// A request that HTTP itself refuses, before any rule of the broker: 400, 406, 413, 415.
struct HttpError : Error {
    HttpError(int http_status, std::string text, int code = exit_code::unspecified)
        : Error(ErrorKind::invalid, std::move(text)), status(http_status), message_code(code) {}
    int status;
    int message_code;  ///< of the message, see exit_code
};

/// "a=1&b[]=x&c[][name]=php&d[e]=f" as Rails reads it: {"a":"1","b":["x"],"c":[{"name":"php"}],
/// "d":{"e":"f"}}. Values are texts. Throws HttpError 400 for bad escapes, bytes that are not UTF-8
/// and names that contradict each other; nesting and count are bounded.
Json parse_form(const std::string& text);

/// Query and body together; the body's wins. Throws HttpError 400 and 415.
Json decode_params(const HttpRequest& request);

bool is_utf8(const std::string& text);

/// A parameter of a media type: parameter("application/json;version=1.7", "version") = "1.7".
std::optional<std::string> media_parameter(const std::string& header, const std::string& name);

}  // namespace gearbox::rest
