#include "rest/handlers/handlers.h"

#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

AliasCertificate parse_certificate(const Json& params) {
    Problems problems;
    Fields fields(params, problems);
    AliasCertificate out;
    out.chain = fields.text("ssl_certificate", exit_code::certificate).value_or("");
    out.key = fields.text("private_key", exit_code::private_key).value_or("");
    out.pass_phrase = fields.text("pass_phrase", exit_code::private_key).value_or("");
    if (out.chain.empty() && !out.key.empty()) {
        problems.add("A private key needs an SSL certificate", exit_code::certificate,
                     "ssl_certificate");
    }
    if (!out.chain.empty() && out.key.empty()) {
        problems.add("An SSL certificate needs a private key", exit_code::private_key,
                     "private_key");
    }
    problems.check();
    return out;
}

Json present_one(const Call& call, const Application& application, const std::string& name) {
    return present_alias(ApplicationService::alias(application, name), application, call.view);
}

}  // namespace

Reply list_aliases(const Call& call) {
    return {200, "aliases", present_aliases(application_of(call), call.view), {}, {}};
}

Reply show_alias(const Call& call) {
    return {200, "alias", present_one(call, application_of(call), call.part("alias")), {}, {}};
}

Reply add_alias(const Call& call) {
    const Application application = application_of(call);
    Problems problems;
    const std::string name =
        Fields(call.params, problems).text_of({"id", "alias"}, exit_code::alias_name).value_or("");
    problems.check();
    const Application changed = call.broker.applications.add_alias(
        call.who, application, name, parse_certificate(call.params));
    return {201, "alias", present_one(call, changed, name),
            {{"info", str("Added ", to_lower(name), " to application ", changed.name.text())}}, {}};
}

Reply update_alias(const Call& call) {
    const Application application = application_of(call);
    const std::string& name = call.part("alias");
    const Application changed = call.broker.applications.update_alias(
        call.who, application, name, parse_certificate(call.params));
    return {200, "alias", present_one(call, changed, name),
            {{"info", str("Updated alias ", to_lower(name), " of application ", changed.name.text())}},
            {}};
}

Reply delete_alias(const Call& call) {
    const Application application = application_of(call);
    const std::string& name = call.part("alias");
    call.broker.applications.remove_alias(call.who, application, name);
    return {200, "", nullptr,
            {{"info", str("Removed alias ", to_lower(name), " from application ",
                          application.name.text())}}, {}};
}

}  // namespace gearbox::rest::handlers
