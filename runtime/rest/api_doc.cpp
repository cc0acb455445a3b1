#include "rest/api_doc.h"

#include "rest/routes.h"

#include <algorithm>

namespace gearbox::rest {

namespace {

// "alias|aliases/:alias" → "aliases/{alias}": the plural is what lists are called, too.
std::string openapi_path(std::string pattern) {
    constexpr std::string_view token = "@application";
    if (pattern.starts_with(token)) {
        pattern = "applications/:application" + pattern.substr(token.size());
    }
    std::string out;
    for (std::size_t begin = 0; begin < pattern.size();) {
        const auto end = std::min(pattern.find('/', begin), pattern.size());
        const std::string piece = pattern.substr(begin, end - begin);
        const auto bar = piece.find('|');
        const auto second = bar == std::string::npos ? std::string() : piece.substr(bar + 1);
        out += "/";
        out += piece.front() == ':' ? str("{", piece.substr(1), "}")
               : second.empty()     ? piece
                                    : second.substr(0, second.find('|'));
        begin = end + 1;
    }
    return out;
}

Json path_parameters(const std::string& path) {
    Json out = Json::array();
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
        out.push_back({{"name", path.substr(open + 1, path.find('}', open) - open - 1)},
                       {"in", "path"},
                       {"required", true},
                       {"schema", {{"type", "string"}}}});
    }
    return out;
}

const char* needed_scope(Privilege privilege) {
    switch (privilege) {
        case Privilege::open: return "";
        case Privilege::userinfo: return "userinfo";
        case Privilege::read: return "read";
        case Privilege::session: return "session";
    }
    return "";
}

// Who may, in words.
std::string access_text(const Route& route) {
    if (route.privilege == Privilege::open) {
        return "anybody";
    }
    const std::string scope = str("scope ", needed_scope(route.privilege));
    return route.role ? str("role ", name_of(*route.role), ", ", scope) : scope;
}

Json make_operation(const Route& route, const std::string& path) {
    Json out = {{"summary", route.summary},
                {"description", str("Needs: ", access_text(route), ".")},
                {"parameters", path_parameters(path)},
                {"responses", {{"default", {{"$ref", "#/components/responses/envelope"}}}}},
                {"security", Json::array()}};
    if (route.privilege != Privilege::open) {
        out["security"] = {{{"basic", Json::array()}}, {{"bearer", Json::array()}}};
    }
    const Json archive = {{"application/gzip", {{"schema", {{"type", "string"}, {"format", "binary"}}}}}};
    if (route.archive == Archive::in_reply) {
        out["responses"]["200"] = {{"description", "The archive, in chunks. One that breaks off is worth nothing."},
                                   {"content", archive}};
    }
    const std::string_view method = route.method;
    if (route.archive == Archive::in_request) {
        out["requestBody"] = {{"required", true}, {"content", archive}};
    } else if (method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE") {
        const Json schema = {{"schema", {{"type", "object"}}}};
        out["requestBody"] = {{"content", {{"application/json", schema},
                                           {"application/x-www-form-urlencoded", schema}}}};
    }
    return out;
}

Json envelope_schema() {
    const auto text = [] { return Json{{"type", "string"}}; };
    const auto or_null = [](const char* type) { return Json{{"type", type}, {"nullable", true}}; };
    const Json message = {{"type", "object"},
                          {"properties", {{"severity", text()},
                                          {"text", text()},
                                          {"exit_code", or_null("integer")},
                                          {"field", or_null("string")},
                                          {"index", or_null("integer")}}}};
    return {{"type", "object"},
            {"required", {"status", "type", "data", "messages", "version", "api_version"}},
            {"properties", {{"status", text()},
                            {"type", or_null("string")},
                            {"data", {{"nullable", true}}},
                            {"messages", {{"type", "array"}, {"items", message}}},
                            {"version", text()},
                            {"api_version", {{"type", "number"}}},
                            {"supported_api_versions",
                             {{"type", "array"}, {"items", {{"type", "number"}}}}}}}};
}

}  // namespace

Json make_openapi() {
    Json paths = Json::object();
    for (const Route& route : routes()) {
        const std::string path = openapi_path(route.pattern);
        std::string method = route.method;
        std::transform(method.begin(), method.end(), method.begin(),
                       [](char c) { return static_cast<char>(c + ('a' - 'A')); });
        paths[path][method] = make_operation(route, path);
    }
    const Json schema = {{"schema", {{"$ref", "#/components/schemas/envelope"}}}};
    return {{"openapi", "3.0.3"},
            {"info", {{"title", "Gearbox broker"},
                      {"version", "1.7"},
                      {"description", "The OpenShift v2 REST interface. Words of a path may be given in"
                                      " the singular, too; applications are also found below their"
                                      " domain."}}},
            {"servers", Json::array({{{"url", "/broker/rest"}}})},
            {"paths", std::move(paths)},
            {"components",
             {{"schemas", {{"envelope", envelope_schema()}}},
              {"responses", {{"envelope", {{"description", "Every reply has this shape."},
                                           {"content", {{"application/json", schema},
                                                        {"application/xml", schema}}}}}}},
              {"securitySchemes", {{"basic", {{"type", "http"}, {"scheme", "basic"}}},
                                   {"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

std::string api_markdown() {
    std::string out =
        "# REST interface\n\nGenerated by `gearboxd --api-doc` from the route table. Everything is below "
        "`/broker/rest`; the same as\nOpenAPI 3 is at `/broker/rest/openapi.json`. Where a path has two words, "
        "either will do, and `@application` stands\nfor `applications/:application` or "
        "`domains/:domain/applications/:name`.\n\n| method | path | what | who |\n|---|---|---|---|\n";
    for (const Route& route : routes()) {
        std::string pattern = route.pattern;
        for (auto bar = pattern.find('|'); bar != std::string::npos; bar = pattern.find('|', bar + 2)) {
            pattern.replace(bar, 1, "\\|");
        }
        out += str("| ", route.method, " | `", pattern, "` | ", route.summary, " | ",
                   access_text(route), " |\n");
    }
    return out;
}

}  // namespace gearbox::rest
