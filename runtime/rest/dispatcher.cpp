#include "rest/dispatcher.h"

#include "base/base64.h"
#include "base/log.h"
#include "broker/access.h"
#include "rest/handlers/handlers.h"
#include "rest/pages.h"
#include "rest/params.h"
#include "rest/problem.h"
#include "rest/versions.h"
#include "rest/xml.h"

#include <algorithm>
#include <array>

namespace gearbox::rest {

namespace {

constexpr std::array<std::pair<const char*, double>, 8> versions = {
    {{"1.0", 1.0}, {"1.1", 1.1}, {"1.2", 1.2}, {"1.3", 1.3}, {"1.4", 1.4}, {"1.5", 1.5},
     {"1.6", 1.6}, {"1.7", 1.7}}};

const char* symbol_of(int status) {
    constexpr std::array<std::pair<int, const char*>, 23> symbols = {
        {{200, "ok"}, {201, "created"}, {204, "no_content"}, {301, "moved_permanently"},
         {400, "bad_request"}, {401, "unauthorized"}, {403, "forbidden"}, {404, "not_found"},
         {405, "method_not_allowed"}, {406, "not_acceptable"}, {408, "request_timeout"},
         {409, "conflict"}, {410, "gone"}, {411, "length_required"},
         {413, "request_entity_too_large"}, {414, "request_uri_too_long"},
         {415, "unsupported_media_type"}, {422, "unprocessable_entity"}, {429, "too_many_requests"},
         {431, "request_header_fields_too_large"}, {500, "internal_server_error"},
         {501, "not_implemented"}, {503, "service_unavailable"}}};
    for (const auto& [number, symbol] : symbols) {
        if (number == status) {
            return symbol;
        }
    }
    return status < 500 ? "bad_request" : "internal_server_error";
}

Json message_json(const Message& message) {
    return {{"severity", message.severity},
            {"text", message.text},
            {"exit_code", message.exit_code ? Json(*message.exit_code) : Json(nullptr)},
            {"field", message.field.empty() ? Json(nullptr) : Json(message.field)},
            {"index", nullptr}};
}

HttpResponse put_in_envelope(const Reply& reply, double version, const char* version_text,
                             bool as_xml = false) {
    HttpResponse response;
    response.status = reply.status;
    response.headers = reply.headers;
    if (as_xml) {
        response.content_type = "application/xml; charset=utf-8";
    }
    if (reply.pieces) {
        response.pieces = reply.pieces;
        response.content_type = reply.content_type;
        return response;
    }
    if (!reply.ready.empty() || reply.status == 204) {
        response.body = reply.ready;
        return response;
    }
    Json messages = Json::array();
    for (const Message& message : reply.messages) {
        messages.push_back(message_json(message));
    }
    Json supported = Json::array();
    for (const auto& [text, number] : versions) {
        supported.push_back(number);
    }
    const Json envelope = {{"status", symbol_of(reply.status)},
                           {"type", reply.type.empty() ? Json(nullptr) : Json(reply.type)},
                           {"data", reply.data},
                           {"messages", std::move(messages)},
                           {"version", version_text},
                           {"api_version", version},
                           {"supported_api_versions", std::move(supported)}};
    response.body = as_xml ? to_xml(envelope) : to_text(envelope);
    return response;
}

const char* text_of(double version) {
    for (const auto& [text, number] : versions) {
        if (number == version) {
            return text;
        }
    }
    return "1.7";
}

// The client's own id if it is one, else a new one.
std::string request_id_of(const HttpRequest& request) {
    const std::string given = request.header("x-request-id");
    const bool is_good = !given.empty() && given.size() <= 64 &&
                         std::all_of(given.begin(), given.end(), [](char c) {
                             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                    (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
                         });
    return is_good ? given : random_hex(8);
}

bool allows(Privilege privilege, const std::string& scopes) {
    using Kind = Scope::Kind;
    const auto found = parse_scopes(scopes);
    return privilege == Privilege::open ||
           std::any_of(found.begin(), found.end(), [&](const Scope& scope) {
               return scope.kind == Kind::session ||
                      (privilege == Privilege::read && scope.kind == Kind::read) ||
                      (privilege == Privilege::userinfo &&
                       (scope.kind == Kind::read || scope.kind == Kind::userinfo));
           });
}

// Lists show a token what it is good for, and nothing else.
bool is_list(const Route& route) {
    const std::string_view pattern = route.pattern;
    return std::string_view(route.method) == "GET" &&
           (pattern == "domains" || pattern == "applications");
}

bool has_target_scope(const std::string& scopes) {
    const auto found = parse_scopes(scopes);
    return std::any_of(found.begin(), found.end(), [](const Scope& scope) {
        return scope.kind == Scope::Kind::domain || scope.kind == Scope::Kind::application;
    });
}

// Replies that are made of the store's content and of what does not change while the daemon runs (the
// catalogue, the settings): nothing of the node, no clock.
bool is_of_store_alone(const Route& route, const HttpRequest& request) {
    const std::string_view pattern = route.pattern;
    return std::string_view(route.method) == "GET" && request.body.empty() &&
           (pattern == "domains" || pattern == "applications" || pattern == "@application" ||
            pattern == "domain|domains/:domain" || pattern == "domain|domains/:domain/applications");
}

// Everything else that such a reply depends on. Each part with its length: none can pass as another.
std::string cache_key_of(const HttpRequest& request, const Call& call) {
    std::string key;
    for (const std::string& part :
         {call.who.user.id.text(), call.who.scopes, request.path, request.query, request.header("accept"),
          request.header("content-type"), call.view.base, call.view.app_scheme, call.view.app_port}) {
        key += str(part.size(), ":", part);
    }
    return key;
}

void check_team(const Call& call, const Route& route) {
    const Team team = call.broker.teams.team(call.who, call.part("team"));
    const bool is_owner = team.owner == call.who.user.id;
    if (!allows(route.privilege, call.who.scopes) || (*route.role == Role::owner && !is_owner)) {
        refuse(ErrorKind::forbidden,
               "You are not permitted to perform this action: only its owner may change a team",
               exit_code::unspecified);
    }
}

// The team, domain or application of the path: 404 for strangers, 403 for members who may not.
void check_target(const Call& call, const Route& route) {
    if (call.path.contains("team")) {
        check_team(call, route);
        return;
    }
    const bool is_read = std::string_view(route.method) == "GET";
    const StateStore& store = call.broker.core.store;
    if (call.path.contains("application") || call.path.contains("name")) {
        const Application application = handlers::application_of(call);
        check_access(store, call.who, {application.domain, application.id}, *route.role, is_read);
        return;
    }
    const std::string& name = call.part("domain");
    const bool is_creation = std::string_view(route.method) == "POST" &&
                             std::string_view(route.pattern).ends_with("/applications");
    if (is_creation && !store.find_domain(to_lower(name)) &&
        allows(Privilege::session, call.who.scopes)) {
        return;  // made on the fly
    }
    const Domain domain = call.broker.domains.domain(call.who, name);
    check_access(store, call.who, {domain.id}, *route.role, is_read);
}

std::optional<std::pair<std::string, std::string>> decode_basic(const std::string& encoded) {
    const auto decoded = decode_base64(encoded);
    if (!decoded) {
        return std::nullopt;
    }
    const auto colon = decoded->find(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    return std::pair(decoded->substr(0, colon), decoded->substr(colon + 1));
}

std::string joined(const std::vector<std::string>& methods) {
    std::string out = "OPTIONS";
    for (const std::string& method : methods) {
        out += ", " + method;
        if (method == "GET") {
            out += ", HEAD";
        }
    }
    return out;
}

// Where the caller reached us: the router sets X-Forwarded-*, and only it can reach our listener.
std::string host_of(const HttpRequest& request) {
    std::string host = request.header("x-forwarded-host");
    if (host.empty()) {
        host = request.header("host");
    }
    const bool is_good = !host.empty() && host.size() <= 255 &&
                         std::all_of(host.begin(), host.end(), [](char c) {
                             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                    (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == ':' ||
                                    c == '[' || c == ']' || c == '_';
                         });
    if (!is_good) {
        throw HttpError(400, "The Host header is missing or broken");
    }
    return host;
}

// Who asks: the router adds the visitor's address as the last one.
std::string address_of(const HttpRequest& request) {
    const std::string list = request.header("x-forwarded-for");
    const auto comma = list.rfind(',');
    const auto begin = list.find_first_not_of(" ", comma == std::string::npos ? 0 : comma + 1);
    return begin == std::string::npos ? "" : list.substr(begin, 64);
}

// ":8443" of "host:8443", "" if there is none.
std::string port_of(const std::string& host) {
    const auto colon = host.rfind(':');
    const bool is_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
    return is_port ? host.substr(colon) : "";
}

}  // namespace

HttpResponse Dispatcher::refuse_early(int status) {
    const char* text = status == 413   ? "The request body is too large"
                       : status == 414 ? "The request's address is too long"
                       : status == 408 ? "The request's body did not come in time"
                       : status == 431 ? "The request has too many headers"
                       : status == 503 ? "Too many archives come and go at this moment: try again later"
                       : status == 404 ? "There is nothing at this address"
                       : status == 500 ? "Unable to complete the requested operation due to an"
                                         " internal error"
                                       : "The request is broken";
    return put_in_envelope(make_error_reply(status, text), 1.7, "1.7");
}

View Dispatcher::view_of(const HttpRequest& request, const Version& version) const {
    const std::string host = host_of(request);
    const bool is_https = request.header("x-forwarded-proto") == "https";
    View view;
    view.base = str(is_https ? "https" : "http", "://", host, base_path);
    // Behind a port forward the applications are at the port that the caller used, with its scheme.
    const std::string port = port_of(host);
    if (!port.empty() && port != ":80" && port != ":443") {
        view.app_scheme = is_https ? "https" : "http";
        view.app_port = port;
    }
    view.settings = &broker_.core.settings;
    view.links = !version.is_without_links;
    return view;
}

std::optional<Principal> Dispatcher::authenticate(const HttpRequest& request, Reply& challenge) {
    const std::string header = request.header("authorization");
    const auto blank = header.find(' ');
    const std::string scheme = to_lower(header.substr(0, blank));
    const std::string value = blank == std::string::npos ? "" : header.substr(blank + 1);
    challenge = make_error_reply(401, "Not authenticated: login and password, or a token, are needed");
    if (scheme == "bearer") {
        auto principal = broker_.authorizations.authenticate(value);
        challenge.headers.emplace_back(
            "WWW-Authenticate",
            "Bearer realm=\"Gearbox\", error=\"invalid_token\", error_description=\"The token is"
            " unknown or has expired\"");
        return principal;
    }
    challenge.headers.emplace_back("WWW-Authenticate", "Basic realm=\"Gearbox\"");
    if (scheme != "basic") {
        return std::nullopt;
    }
    const auto credentials = decode_basic(value);
    if (!credentials) {
        return std::nullopt;
    }
    const auto& [login, password] = *credentials;
    const std::string address = address_of(request);
    if (const auto wait = broker_.login_guard.seconds_to_wait(login, address); wait > 0) {
        challenge = make_error_reply(
            429, str("Too many wrong passwords: the next attempt counts in ", wait, " s"));
        challenge.headers.emplace_back("Retry-After", std::to_string(wait));
        return std::nullopt;
    }
    challenge.messages.front().text = "The login or password is not right";
    auto user = broker_.users.authenticate(login, password);
    user ? broker_.login_guard.note_success(login, address)
         : broker_.login_guard.note_failure(login, address);
    return user ? std::optional(Principal{std::move(*user), "session", ""}) : std::nullopt;
}

Reply Dispatcher::answer(const HttpRequest& request, const std::string& request_id,
                         const Version& version, const PieceReader* upload) {
    auto match = find_route(request.method, route_path(request.path));
    if (!match) {
        return make_error_reply(404, "There is nothing at this address");
    }
    if (request.method == "OPTIONS") {
        Reply options;
        options.headers.emplace_back("Allow", joined(match->methods));
        return options;
    }
    if (match->route == nullptr) {
        Reply refused = make_error_reply(
            405, str("The method ", request.method, " is not possible here"));
        refused.headers.emplace_back("Allow", joined(match->methods));
        return refused;
    }
    const Route& route = *match->route;
    // Before the call: GCC 12 destroys members that were not made when an initialiser throws.
    View view = view_of(request, version);
    const PieceReader whole = [&](const auto& receiver) { receiver(request.body); };
    Call call{broker_, {}, std::move(match->parts), {}, std::move(view), upload == nullptr ? whole : *upload};
    if (route.privilege != Privilege::open) {
        Reply challenge;
        auto principal = authenticate(request, challenge);
        if (!principal) {
            return challenge;
        }
        const bool is_left_to_target =
            (route.role || is_list(route)) && has_target_scope(principal->scopes);
        if (!is_left_to_target && !allows(route.privilege, principal->scopes)) {
            return make_error_reply(403, str("This action is not allowed with the scopes '",
                                             principal->scopes, "' of the token"));
        }
        call.who = std::move(*principal);
        call.who.request_id = request_id;
    }
    Reply reply = respond(route, request, call);
    if (route.privilege != Privilege::open) {
        reply.headers.emplace_back("X-OpenShift-Identity", call.who.user.login.text());
        reply.headers.emplace_back("X-OpenShift-Identity-Id", call.who.user.id.text());
        reply.headers.emplace_back("X-OAuth-Scopes", call.who.scopes);
    }
    return reply;
}

Reply Dispatcher::respond(const Route& route, const HttpRequest& request, Call& call) {
    // What this caller was answered from the same store holds still, that they may see it too: who may
    // is in the store and in the token's scopes. So look before anything else is read.
    std::string key;
    std::int64_t store_version = 0;
    if (is_of_store_alone(route, request)) {
        key = cache_key_of(request, call);
        store_version = broker_.core.store.version();
        if (auto body = replies_.find(key, store_version)) {
            Reply known;
            known.ready = std::move(*body);
            return known;
        }
    }
    call.params = decode_params(request);
    if (route.role) {
        check_target(call, route);
    }
    if (const auto nolinks = call.params.find("nolinks");
        nolinks != call.params.end() && (*nolinks == "true" || *nolinks == true)) {
        call.view.links = false;
    }
    Reply reply = route.handler(call);
    reply.cache_key = std::move(key);
    reply.store_version = store_version;
    return reply;
}

Archive Dispatcher::archive_of(const HttpRequest& request) {
    if (!request.path.starts_with(base_path)) {
        return Archive::none;
    }
    const auto match = find_route(request.method, route_path(request.path));
    return match && match->route != nullptr ? match->route->archive : Archive::none;
}

HttpResponse Dispatcher::handle(const HttpRequest& request, const PieceReader* upload) {
    if (auto page = find_page(request, broker_.core.settings)) {
        return std::move(*page);
    }
    const std::string request_id = request_id_of(request);
    Version version;
    Reply reply;
    try {
        if (!request.path.starts_with(base_path)) {
            throw HttpError(404, "There is nothing at this address");
        }
        for (const char* name : {"accept", "content-type"}) {
            const std::string header = request.header(name);
            version.is_without_links |= media_parameter(header, "nolinks").has_value();
        }
        auto asked = media_parameter(request.header("accept"), "version");
        if (!asked) {
            asked = media_parameter(request.header("content-type"), "version");
        }
        if (asked) {
            const auto known = std::find_if(versions.begin(), versions.end(),
                                            [&](const auto& v) { return *asked == v.first; });
            if (known == versions.end()) {
                throw HttpError(406, str("Requested API version '", shown(*asked),
                                         "' is not supported. Supported versions are 1.0, 1.1, 1.2,"
                                         " 1.3, 1.4, 1.5, 1.6, 1.7"));
            }
            version.number = known->second;
        }
        reply = answer(request, request_id, version, upload);
    } catch (const std::exception& error) {
        reply = make_problem_reply(error, request_id);
    }
    translate(reply, version.number, request.method);
    HttpResponse response = put_in_envelope(reply, version.number, text_of(version.number),
                                            prefers_xml(request));
    if (!reply.cache_key.empty() && reply.status == 200) {
        replies_.put(reply.cache_key, reply.store_version, response.body);
    }
    response.headers.emplace_back("X-Request-Id", request_id);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

}  // namespace gearbox::rest
