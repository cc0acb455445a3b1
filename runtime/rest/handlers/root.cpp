#include "rest/handlers/handlers.h"

#include "rest/links.h"
#include "rest/params.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

void add_domain_links(Links& links, const Json& sizes) {
    links
        .add("ADD_DOMAIN", "Create new domain", "POST", "domains",
             {{"name", "string", "Name of the domain"}},
             {{"allowed_gear_sizes", "array", "Array of zero or more gear sizes allowed on this"
                                              " domain", sizes}})
        .add("LIST_DOMAINS", "List all domains you have access to", "GET", "domains")
        .add("LIST_DOMAINS_BY_OWNER", "List domains", "GET", "domains",
             {{"owner", "string", "Return only the domains owned by the specified user id or"
                                  " identity.  Use @self to refer to the current user.",
               Json::array({"@self"})}})
        .add("SHOW_DOMAIN", "Retrieve a domain by its name", "GET", "domain/:name",
             {{":name", "string", "Unique name of the domain"}});
}

void add_application_links(Links& links) {
    links
        .add("SHOW_APPLICATION_BY_DOMAIN", "Retrieve an application by its name and domain", "GET",
             "domain/:domain_name/application/:name",
             {{":domain_name", "string", "Unique name of the domain"},
              {":name", "string", "Name of the application"}})
        .add("LIST_APPLICATIONS", "List all applications you have access to", "GET", "applications")
        .add("LIST_APPLICATIONS_BY_OWNER", "List applications", "GET", "applications",
             {{"owner", "string", "Return only the applications owned by the specified user id or"
                                  " identity.  Use @self to refer to the current user.",
               Json::array({"@self"})}})
        .add("SHOW_APPLICATION", "Retrieve an application by its id", "GET", "application/:id",
             {{":id", "string", "Unique identifier of the application"}});
}

void add_team_links(Links& links) {
    links.add("ADD_TEAM", "Create new team", "POST", "teams", {{"name", "string", "Name of the team"}})
        .add("LIST_TEAMS", "List all teams you are a member of", "GET", "teams")
        .add("LIST_TEAMS_BY_OWNER", "List teams by owner", "GET", "teams",
             {{"owner", "string", "Return only the teams owned by the current user: @self",
               Json::array({"@self"})}})
        .add("SEARCH_TEAMS", "Search teams by name", "GET", "teams",
             {{"search", "string", "Part of the team's name, at least 2 characters"},
              {"global", "boolean", "Search teams that come from a directory service",
               Json::array({true, false})}})
        .add("SHOW_TEAM", "Retrieve a team by its id", "GET", "team/:id",
             {{":id", "string", "Unique identifier of the team"}});
}

}  // namespace

Reply show_root(const Call& call) {
    Links links(call.view);
    links.add("API", "API entry point", "GET", "api")
        .add("GET_ENVIRONMENT", "Get environment information", "GET", "environment")
        .add("GET_USER", "Get user information", "GET", "user");
    add_domain_links(links, call.view.settings->size_names());
    add_application_links(links);
    add_team_links(links);
    links
        .add("LIST_CARTRIDGES", "List cartridges", "GET", "cartridges", {},
             {{"category", "string", "Only those of this category"}})
        .add("SHOW_CARTRIDGE", "Retrieve a cartridge by name", "GET", "cartridge/:name",
             {{":name", "string", "Cartridge name, id or feature"}})
        .add("LIST_AUTHORIZATIONS", "List authorizations", "GET", "user/authorizations")
        .add("SHOW_AUTHORIZATION", "Retrieve authorization :id", "GET", "user/authorization/:id",
             {{":id", "string", "Unique identifier of the authorization"}})
        .add("ADD_AUTHORIZATION", "Add new authorization", "POST", "user/authorizations", {},
             {{"scope", "string",
               "Select one or more scopes that this token will grant access to:\n\n"
               "*  session\n   Grants a client the authority to perform all API actions against"
               " your account. Valid for 1 day.\n\n"
               "*  read\n   Allows the client to access resources you own without making changes."
               " Does not allow access to view authorization tokens. Valid for 1 month.\n\n"
               "*  userinfo\n   Allows a client to view your login name, unique id, and your user"
               " capabilities. Valid for 1 month.\n\n"
               "*  domain/:id/:role\n   Grants the role view, edit or admin in that domain only. Valid"
               " for 1 month.\n\n"
               "*  application/:id/:role\n   Grants the role view, edit or admin for that application"
               " only. Valid for 1 month.",
               Json::array({"session", "read", "userinfo"}), "userinfo"},
              {"note", "string", "A note to remind you what this token is for"},
              {"expires_in", "integer", "The number of seconds before this token expires"},
              {"reuse", "boolean", "Attempt to locate and reuse an authorization that matches the"
                                   " scope and note and has not yet expired.",
               Json::array({true, false}), false}})
        .add("LIST_QUICKSTARTS", "List quickstarts", "GET", "quickstarts")
        .add("SHOW_QUICKSTART", "Retrieve quickstart with :id", "GET", "quickstart/:id",
             {{":id", "string", "Unique identifier of the quickstart"}})
        .add("LIST_ESTIMATES", "List available estimates", "GET", "estimates")
        // Not of OpenShift: how far a request of this user has come (our own client shows it).
        .add("SHOW_OPERATION", "Progress of the request with this X-Request-Id", "GET",
             "operations/:request_id", {{":request_id", "string", "The X-Request-Id sent"}});
    return {200, "links", links.take(), {}, {}};
}

Reply show_environment(const Call& call) {
    return {200,
            "environment",
            {{"domain_suffix", call.view.cloud_domain()}, {"download_cartridges_enabled", false}},
            {},
            {}};
}

Reply list_regions(const Call&) { return {200, "regions", Json::array(), {}, {}}; }

Reply list_quickstarts(const Call& call) {
    Json list = Json::array();
    for (const Quickstart& quickstart : call.broker.quickstarts.list()) {
        list.push_back(present_quickstart(quickstart, call.view));
    }
    return {200, "quickstarts", std::move(list), {}, {}};
}

Reply show_quickstart(const Call& call) {
    const auto found = call.broker.quickstarts.find(call.part("id"));
    if (!found) {
        refuse(ErrorKind::not_found, str("Quickstart '", shown(call.part("id")), "' not found"),
               exit_code::key_not_found);
    }
    return {200, "quickstarts", Json::array({present_quickstart(*found, call.view)}), {}, {}};
}

Reply list_cartridges(const Call& call) {
    const auto wanted = [&](const char* name) {
        const auto value = call.params.find(name);
        return value != call.params.end() && value->is_string() ? value->get<std::string>() : "";
    };
    const std::string category = wanted("category");
    const std::string features = wanted("features");
    const std::string name = wanted("name");
    const std::string id = wanted("id");
    // The old paths cartridges/standalone and cartridges/embedded.
    const auto kind = call.path.find("kind");
    Json list = Json::array();
    const auto all = call.broker.catalogue.list();
    for (const Cartridge& cartridge : *all) {
        const bool is_standalone = cartridge.is_web_framework();
        const bool is_left_out =
            (!category.empty() && !cartridge.has_category(category)) ||
            (!features.empty() && !cartridge.answers_to(features)) ||
            (!name.empty() && !cartridge.answers_to(name) && cartridge.name != name) ||
            (!id.empty() && cartridge.full_name() != id) ||
            (kind != call.path.end() && (kind->second == "standalone") != is_standalone);
        if (!is_left_out) {
            list.push_back(present_cartridge(cartridge, call.view));
        }
    }
    return {200, "cartridges", std::move(list), {}, {}};
}

Reply show_cartridge(const Call& call) {
    const std::string& word = call.part("name");
    if (word == "embedded" || word == "standalone") {
        Call list = call;
        list.path["kind"] = word;
        return list_cartridges(list);
    }
    const auto found = call.broker.catalogue.match(word);
    if (found.empty()) {
        refuse(ErrorKind::not_found, str("Cartridge '", shown(word), "' not found."),
               exit_code::cartridge_not_found);
    }
    return {200, "cartridge", present_cartridge(found.front(), call.view), {}, {}};
}

Reply show_operation(const Call& call) {
    const auto& store = call.broker.core.store;
    const auto found = store.find_operation(call.who.user.id, call.part("request_id"));
    if (!found) {
        refuse(ErrorKind::not_found, "No operation of yours has this request id",
               exit_code::unspecified);
    }
    return {200, "operation",
            present_operation(*found, call.broker.core.clock.monotonic_ms()), {}, {}};
}

}  // namespace gearbox::rest::handlers
