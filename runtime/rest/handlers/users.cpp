#include "rest/handlers/handlers.h"

#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

Message info(std::string text) { return {"info", std::move(text)}; }

Json present_token(const Call& call, const Authorization& authorization) {
    return present_authorization(authorization, call.who.user, call.broker.core.clock.now(),
                                 call.view);
}

struct KeyBody {
    std::string name;
    std::string type;
    std::string content;
};

KeyBody parse_key(const Json& params) {
    Problems problems;
    Fields fields(params, problems);
    KeyBody body;
    body.name = fields.text("name", exit_code::key_name).value_or("");
    body.type = fields.text("type", exit_code::key_type).value_or("");
    body.content = fields.text("content", exit_code::key_content).value_or("");
    problems.check();
    return body;
}

}  // namespace

Reply show_user(const Call& call) {
    return {200, "user",
            present_user(call.who.user, call.broker.users.consumed_gears(call.who.user), call.view),
            {}, {}};
}

Reply delete_user(const Call&) {
    refuse(ErrorKind::forbidden, "Accounts are deleted by the operator of this host only",
           exit_code::account_deletion);
}

Reply list_keys(const Call& call) {
    Json list = Json::array();
    for (const KeyRecord& key : call.broker.keys.list(call.who)) {
        list.push_back(present_key(key, call.view));
    }
    return {200, "keys", std::move(list), {}, {}};
}

Reply show_key(const Call& call) {
    return {200, "key", present_key(call.broker.keys.key(call.who, call.part("name")), call.view),
            {}, {}};
}

Reply add_key(const Call& call) {
    const KeyBody body = parse_key(call.params);
    const KeyRecord key = call.broker.keys.add(call.who, body.name, body.type, body.content);
    return {201, "key", present_key(key, call.view),
            {info(str("Created SSH key ", key.name.text()))}, {}};
}

Reply update_key(const Call& call) {
    const KeyBody body = parse_key(call.params);
    const KeyRecord key =
        call.broker.keys.update(call.who, call.part("name"), body.type, body.content);
    return {200, "key", present_key(key, call.view),
            {info(str("Updated SSH key ", key.name.text()))}, {}};
}

Reply delete_key(const Call& call) {
    call.broker.keys.remove(call.who, call.part("name"));
    return {200, "", nullptr, {info(str("Deleted SSH key ", call.part("name")))}, {}};
}

Reply list_authorizations(const Call& call) {
    Json list = Json::array();
    for (const Authorization& authorization : call.broker.authorizations.list(call.who)) {
        list.push_back(present_token(call, authorization));
    }
    return {200, "authorizations", std::move(list), {}, {}};
}

Reply add_authorization(const Call& call) {
    Problems problems;
    const AuthorizationRequest request = parse_authorization(call.params, problems);
    problems.check();
    const Authorization made = call.broker.authorizations.add(call.who, request);
    return {made.is_reused ? 200 : 201, "authorization", present_token(call, made),
            {info(made.is_reused ? "Reused existing" : "Created authorization")}, {}};
}

Reply show_authorization(const Call& call) {
    const Authorization found =
        call.broker.authorizations.authorization(call.who, call.part("id"));
    return {200, "authorization", present_token(call, found), {}, {}};
}

Reply update_authorization(const Call& call) {
    Problems problems;
    const std::string note =
        Fields(call.params, problems).text("note", exit_code::unspecified).value_or("");
    problems.check();
    const Authorization changed =
        call.broker.authorizations.set_note(call.who, call.part("id"), note);
    return {200, "authorization", present_token(call, changed), {info("Changed authorization")}, {}};
}

Reply delete_authorization(const Call& call) {
    call.broker.authorizations.remove(call.who, call.part("id"));
    return {200, "", nullptr, {info("Authorization is revoked.")}, {}};
}

Reply delete_authorizations(const Call& call) {
    Problems problems;
    const auto scope = Fields(call.params, problems).text("scope", exit_code::unspecified);
    problems.check();
    call.broker.authorizations.remove_all(call.who, scope.value_or(""));
    return {200, "", nullptr, {info("All authorizations are revoked.")}, {}};
}

}  // namespace gearbox::rest::handlers
