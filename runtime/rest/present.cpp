#include "rest/present.h"

#include "rest/links.h"

namespace gearbox::rest {

namespace {

// What an application gets that asks for no size.
Json size_offered(const Domain& domain, const View& view) {
    const std::string size = view.settings->size_offered(domain.gear_sizes);
    return size.empty() ? Json(nullptr) : Json(size);
}

}  // namespace

Json present_user(const User& user, std::int64_t consumed_gears, const View& view) {
    Json out = {
        {"id", user.id.text()},
        {"login", user.login.text()},
        {"email", nullptr},
        {"consumed_gears", consumed_gears},
        {"max_gears", user.max_gears},
        {"max_domains", user.max_domains},
        {"max_teams", user.max_teams},
        {"capabilities",
         {{"ha", false},
          {"subaccounts", false},
          {"gear_sizes", user.gear_sizes},
          {"view_global_teams", false},
          {"private_ssl_certificates", user.private_certificates},
          {"max_storage_per_gear", user.max_storage}}},
        {"plan_id", nullptr},
        {"plan_state", nullptr},
        {"plan_expiration_date", nullptr},
        {"plan_quantity", nullptr},
        {"usage_account_id", nullptr},
        {"usage_rates", Json::object()},
        {"currency_cd", nullptr},
        {"created_at", iso_time(user.created)},
    };
    Links(view)
        .add("ADD_KEY", "Add new SSH key", "POST", "user/keys",
             {{"name", "string", "Name of the key"},
              {"type", "string", "Type of Key",
               Json::array({"ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256",
                            "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"})},
              {"content", "string", "The key portion of an rsa key (excluding ssh key type and"
                                    " comment)"}})
        .add("LIST_KEYS", "List SSH keys", "GET", "user/keys")
        .put_into(out);
    return out;
}

Json present_key(const KeyRecord& key, const View& view) {
    const std::string href = "user/keys/" + key.name.text();
    Json out = {{"name", key.name.text()}, {"type", key.type}, {"content", key.content}};
    Links(view)
        .add("GET", "Get SSH key", "GET", href)
        .add("UPDATE", "Update SSH key", "PUT", href,
             {{"type", "string", "Type of Key"}, {"content", "string", "The key portion"}})
        .add("DELETE", "Delete SSH key", "DELETE", href)
        .put_into(out);
    return out;
}

Json present_authorization(const Authorization& authorization, const User& user, std::int64_t now,
                           const View& view) {
    const AuthorizationRecord& record = authorization.record;
    const std::string href = "user/authorizations/" + record.id;
    Json out = {{"id", record.id},
                {"identity", user.login.text()},
                {"token", authorization.token},
                {"note", record.note},
                {"created_at", iso_time(record.created)},
                {"expires_in", record.expires - record.created},
                {"expires_in_seconds", record.expires - now},
                {"scopes", record.scopes}};
    Links(view)
        .add("GET", "Get authorization", "GET", href)
        .add("UPDATE", "Update authorization", "PUT", href,
             {{"note", "string", "A note to remind you what this token is for"}})
        .add("DELETE", "Delete authorization", "DELETE", href)
        .put_into(out);
    return out;
}

Json present_domain(const Domain& domain, const DomainDetails& details, const View& view) {
    const User& owner = details.members.front().user;
    Json members = Json::array();
    for (const Member& member : details.members) {
        members.push_back(present_member(member, domain, view));
    }
    Json out = {{"id", domain.id.text()},
                {"name", domain.name.text()},
                {"suffix", view.cloud_domain()},
                {"creation_time", iso_time(domain.created)},
                {"members", std::move(members)},
                {"allowed_gear_sizes", domain.gear_sizes},
                {"available_gears", details.available_gears},
                {"max_storage_per_gear", owner.max_storage},
                {"usage_rates", Json::array()},
                {"private_ssl_certificates", owner.private_certificates}};
    if (details.application_count) {
        out["application_count"] = *details.application_count;
        out["gear_counts"] = details.gear_counts;
    }
    const std::string href = "domain/" + domain.name.text();
    Links(view)
        .add("GET", "Get domain", "GET", href)
        .add("ADD_APPLICATION", "Create new application", "POST", href + "/applications",
             {{"name", "string", "Name of the application"}},
             {{"cartridges", "array", "Array of one or more cartridge names"},
              {"scale", "boolean", "Mark application as scalable", Json::array({true, false}), false},
              {"gear_size", "string", "The size of the gear", domain.gear_sizes, size_offered(domain, view)},
              {"initial_git_url", "string", "A URL to a Git source code repository that will be the"
                                            " basis for this application", Json::array({"*URL*"})},
              {"cartridges[][name]", "string", "Name of a cartridge."},
              {"cartridges[][gear_size]", "string", "Gear size for the cartridge.", domain.gear_sizes,
               size_offered(domain, view)},
              {"environment_variables", "array",
               "Add or Update application environment variables, e.g.:[{'name':'FOO', 'value':'123'}]"}})
        .add("LIST_APPLICATIONS", "List applications for a domain", "GET", href + "/applications")
        .add("LIST_MEMBERS", "List members of this domain", "GET", href + "/members")
        .add("UPDATE_MEMBERS", "Add or remove one or more members to this domain", "PATCH",
             href + "/members",
             {{"role", "string", "The role the user should have on the domain",
               Json::array({"view", "edit", "admin", "none"})}},
             {{"type", "string", "The type of member being added", Json::array({"user", "team"}), "user"},
              {"id", "string", "Unique identifier for the member"},
              {"login", "string", "The user's login attribute"},
              {"members", "array", "An array of members to add with corresponding role. e.g."
                                   " {'members': [{'login': 'foo', 'type': 'user', 'role': 'view'}]}"}})
        .add("LEAVE", "Leave this domain", "DELETE", href + "/members/self")
        .add("UPDATE", "Update domain", "PUT", href, {{"name", "string", "Name of the domain"}},
             {{"allowed_gear_sizes", "array", "Array of zero or more gear sizes allowed on this"
                                              " domain", view.settings->size_names()}})
        .add("DELETE", "Delete domain", "DELETE", href, {},
             {{"force", "boolean", "Force delete domain. i.e. delete any applications under this"
                                   " domain", Json::array({true, false}), false}})
        .put_into(out);
    return out;
}

Json present_variable(const EnvironmentVariable& variable, const Application& application,
                      const View& view) {
    const std::string href =
        str("application/", application.id.text(), "/environment-variable/", variable.name);
    Json out = {{"name", variable.name}, {"value", variable.value}};
    Links(view)
        .add("GET", "Get environment variable", "GET", href)
        .add("UPDATE", "Update environment variable", "PUT", href,
             {{"value", "string", "Value of the environment variable"}})
        .add("DELETE", "Delete environment variable", "DELETE", href)
        .put_into(out);
    return out;
}

Json present_deployment(const Deployment& deployment) {
    Json activations = Json::array();
    for (const double time : deployment.activations) {
        activations.push_back(iso_time(static_cast<std::int64_t>(time)));
    }
    return {{"id", deployment.id},
            {"created_at", iso_time(deployment.created)},
            {"ref", deployment.ref},
            {"sha1", deployment.sha1},
            {"hot_deploy", deployment.hot_deploy},
            {"force_clean_build", deployment.force_clean_build},
            {"artifact_url", nullptr},
            {"activations", std::move(activations)}};
}

Json present_quickstart(const Quickstart& quickstart, const View& view) {
    // Beside the REST interface: ".../broker/quickstarts/NAME.svg" (pages.cpp).
    const std::string above = view.base.substr(0, view.base.rfind('/'));
    const Json picture = quickstart.picture.empty()
                             ? Json(nullptr)
                             : Json(str(above, "/quickstarts/", quickstart.picture.parent_path().filename().native(), ".svg"));
    // Lists as texts, as the original catalogue gave them.
    std::string tags;
    for (const std::string& tag : quickstart.tags) {
        tags += (tags.empty() ? "" : ", ") + tag;
    }
    return {{"quickstart",
             {{"id", quickstart.id},
              {"name", quickstart.name},
              {"website", quickstart.website},
              {"picture", picture},
              {"initial_git_url", quickstart.initial_git_url},
              {"cartridges", quickstart.cartridges},
              {"summary", quickstart.summary},
              {"unavailable", quickstart.unavailable.empty() ? Json(nullptr) : Json(quickstart.unavailable)},
              {"tags", tags},
              {"admin_tags", ""}}}};
}

Json present_operation(const OperationRecord& operation, std::int64_t monotonic_ms) {
    Json steps = Json::array();
    for (const StepRecord& step : operation.steps) {
        const bool is_running = step.state == StepState::running;
        steps.push_back({{"name", step.name},
                         {"title", step.title},
                         {"state", name_of(step.state)},
                         {"elapsed_ms", is_running ? monotonic_ms - step.started_ms
                                                   : step.elapsed_ms}});
    }
    return {{"id", operation.id.text()},
            {"kind", operation.kind},
            {"subject", operation.subject},
            {"state", name_of(operation.state)},
            {"created_at", iso_time(operation.created)},
            {"steps", std::move(steps)}};
}

std::vector<Message> messages_of(std::string info, const OperationOutput& output) {
    std::vector<Message> out;
    out.push_back({"info", std::move(info)});
    std::string debug = output.deploy_log;
    std::string warning;
    std::string error;
    std::string result;
    const auto add = [](std::string& text, const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            text += (text.empty() ? "" : "\n") + line;
        }
    };
    for (const ScriptMessages& said : output.messages) {
        add(debug, said.debug);
        add(warning, said.messages);
        add(error, said.errors);
        add(result, said.results);
    }
    for (const auto& [severity, text] : {std::pair{"debug", &debug}, std::pair{"warning", &warning},
                                         std::pair{"error", &error}, std::pair{"result", &result}}) {
        if (!text->empty()) {
            out.push_back({severity, *text});
        }
    }
    return out;
}

}  // namespace gearbox::rest
