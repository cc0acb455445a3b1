#include "rest/params.h"

#include <algorithm>

namespace gearbox::rest {

namespace {

constexpr std::size_t most_parameters = 1000;
constexpr std::size_t deepest_name = 8;

[[noreturn]] void bad_request(std::string text) { throw HttpError(400, std::move(text)); }

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                bad_request("a percent escape in the parameters is broken");
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    if (!is_utf8(out)) {
        bad_request("a parameter is not valid UTF-8");
    }
    return out;
}

// "cartridges[][name]" → {"cartridges", "", "name"}.
std::vector<std::string> split_name(const std::string& name) {
    std::vector<std::string> parts;
    auto open = name.find('[');
    parts.push_back(name.substr(0, open));
    while (open != std::string::npos && open < name.size()) {
        const auto close = name.find(']', open);
        if (close == std::string::npos || parts.size() >= deepest_name) {
            bad_request("a parameter's name is broken or too deep");
        }
        parts.push_back(name.substr(open + 1, close - open - 1));
        open = close + 1;
        if (open < name.size() && name[open] != '[') {
            bad_request("a parameter's name is broken");
        }
    }
    return parts;
}

// Puts value where the parts lead; as in Rails a list's last object is filled until a key repeats.
void insert(Json& place, const std::vector<std::string>& parts, std::size_t at, std::string value) {
    if (at == parts.size()) {
        place = std::move(value);
        return;
    }
    const std::string& part = parts[at];
    if (part.empty()) {
        if (place.is_null()) {
            place = Json::array();
        }
        if (!place.is_array()) {
            bad_request("a parameter is given as a list and as something else");
        }
        const bool is_object_next = at + 1 < parts.size() && !parts[at + 1].empty();
        const bool fits_last = is_object_next && !place.empty() && place.back().is_object() &&
                               !(at + 2 == parts.size() && place.back().contains(parts[at + 1]));
        if (!fits_last) {
            place.push_back(nullptr);
        }
        return insert(place.back(), parts, at + 1, std::move(value));
    }
    if (place.is_null()) {
        place = Json::object();
    }
    if (!place.is_object()) {
        bad_request("a parameter is given as an object and as something else");
    }
    insert(place[part], parts, at + 1, std::move(value));
}

std::string trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    const auto last = text.find_last_not_of(" \t");
    return first == std::string_view::npos ? std::string()
                                           : std::string(text.substr(first, last - first + 1));
}

std::string media_type(const std::string& header) {
    return to_lower(trim(std::string_view(header).substr(0, header.find(';'))));
}

Json decode_body(const HttpRequest& request) {
    const std::string type = media_type(request.header("content-type"));
    const bool is_blank =
        request.body.find_first_not_of(" \t\r\n") == std::string::npos;
    if (is_blank) {
        return Json::object();
    }
    if (type == "application/x-www-form-urlencoded") {
        return parse_form(request.body);
    }
    if (type == "application/json" || type == "text/json" || type.empty()) {
        Json body;
        try {
            body = parse_json(request.body);
        } catch (const Error& error) {
            bad_request(str("The request body cannot be read: ", error.text()));
        }
        if (!body.is_object()) {
            bad_request("The request body must be a JSON object");
        }
        return body;
    }
    throw HttpError(415, str("The content type '", shown(type),
                             "' is not supported. Use application/json or"
                             " application/x-www-form-urlencoded"));
}

}  // namespace

bool is_utf8(const std::string& text) {
    // The JSON writer has the checker; strict refuses what is not UTF-8.
    try {
        static_cast<void>(Json(text).dump());
        return true;
    } catch (const Json::type_error&) {
        return false;
    }
}

Json parse_form(const std::string& text) {
    Json out = Json::object();
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('&', begin), text.size());
        const std::string_view pair = std::string_view(text).substr(begin, end - begin);
        begin = end + 1;
        if (pair.empty()) {
            continue;
        }
        if (++count > most_parameters) {
            bad_request("there are too many parameters");
        }
        const auto equals = pair.find('=');
        const std::string name = unescape(pair.substr(0, equals));
        if (name.empty() || name.front() == '[') {
            bad_request("a parameter has no name");
        }
        insert(out, split_name(name), 0,
               equals == std::string_view::npos ? std::string() : unescape(pair.substr(equals + 1)));
    }
    return out;
}

Json decode_params(const HttpRequest& request) {
    Json params = parse_form(request.query);
    Json body = decode_body(request);
    for (auto& [name, value] : body.items()) {
        params[name] = std::move(value);
    }
    return params;
}

std::optional<std::string> media_parameter(const std::string& header, const std::string& name) {
    std::size_t begin = header.find(';');
    while (begin != std::string::npos) {
        const auto end = header.find_first_of(";,", begin + 1);
        const auto length = end == std::string::npos ? end : end - begin - 1;
        const std::string pair = trim(std::string_view(header).substr(begin + 1, length));
        const auto equals = pair.find('=');
        if (to_lower(trim(std::string_view(pair).substr(0, equals))) == name) {
            return equals == std::string::npos ? std::string() : trim(std::string_view(pair).substr(equals + 1));
        }
        begin = end == std::string::npos || header[end] == ';' ? end : header.find(';', end);
    }
    return std::nullopt;
}

std::string HttpRequest::header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string() : found->second;
}

bool Call::includes(const std::string& word) const {
    const auto found = params.find("include");
    if (found == params.end() || !found->is_string()) {
        return false;
    }
    const std::string list = "," + found->get<std::string>() + ",";
    return list.find("," + word + ",") != std::string::npos;
}

}  // namespace gearbox::rest
