// Applications, cartridges and gear groups as the contract shows them (14.1, 14.2, 16, 17).
#include "rest/present.h"

#include "rest/links.h"

#include <algorithm>

namespace gearbox::rest {

namespace {

// What the manifest's Cart-Data announces, as v2 has it: values come with those that scripts have told.
Json announced(const Cartridge& cartridge) {
    Json out = Json::array();
    for (const CartridgeValue& value : cartridge.values) {
        out.push_back({{"name", value.key},
                       {"type", value.is_variable ? "environment" : "cart_data"},
                       {"description", value.description}});
    }
    return out;
}

Json properties_of(const InstalledCartridge& installed, const Cartridge& cartridge) {
    Json out = announced(cartridge);
    for (const CartridgeProperty& property : installed.properties) {
        const auto there = std::find_if(out.begin(), out.end(), [&](const Json& known) { return known["name"] == property.name; });
        if (there != out.end()) {
            (*there)["value"] = property.value;
        } else {
            out.push_back({{"name", property.name},
                           {"type", "cart_data"},
                           {"description", ""},
                           {"value", property.value}});
        }
    }
    return out;
}

// The legacy member: {cartridge: its properties}, with an "info" line for databases.
Json embedded_of(const Application& application) {
    Json out = Json::object();
    for (std::size_t i = 1; i < application.cartridges.size(); ++i) {
        const InstalledCartridge& cartridge = application.cartridges[i];
        Json properties = Json::object();
        for (const CartridgeProperty& property : cartridge.properties) {
            properties[property.name] = property.value;
            if (property.name == "connection_url") {
                properties["info"] = "Connection URL: " + property.value;
            }
        }
        out[cartridge.name.text()] = std::move(properties);
    }
    return out;
}

void add_event(Links& links, const char* name, const char* rel, const std::string& href,
               const char* event) {
    links.add(name, rel, "POST", href + "/events",
              {{"event", "string", "event", Json::array({event})}});
}

Json application_links(const Application& application, const View& view) {
    const std::string href = "application/" + application.id.text();
    Links links(view);
    links.add("GET", "Get application", "GET", href)
        .add("GET_DESCRIPTOR", "Get application descriptor", "GET", href + "/descriptor")
        .add("GET_GEAR_GROUPS", "Get application gear groups", "GET", href + "/gear_groups");
    add_event(links, "START", "Start application", href, "start");
    links.add("STOP", "Stop application", "POST", href + "/events",
              {{"event", "string", "event", Json::array({"stop", "force-stop"})}});
    add_event(links, "FORCE_STOP", "Force stop application", href, "force-stop");
    add_event(links, "RESTART", "Restart application", href, "restart");
    add_event(links, "TIDY", "Tidy the application framework", href, "tidy");
    add_event(links, "RELOAD", "Reload the application", href, "reload");
    add_event(links, "THREAD_DUMP", "Trigger thread dump", href, "thread-dump");
    add_event(links, "SCALE_UP", "Scale up application", href, "scale-up");
    add_event(links, "SCALE_DOWN", "Scale down application", href, "scale-down");
    links
        .add("ACTIVATE", "Activate a specific deployment of the application", "POST",
             href + "/events",
             {{"event", "string", "event", Json::array({"activate"})},
              {"deployment_id", "string", "The deployment ID to activate the application"}})
        .add("ADD_CARTRIDGE", "Add embedded cartridge", "POST", href + "/cartridges",
             {{"name", "string", "Name of a cartridge."}},
             {{"environment_variables", "array", "Add or Update application environment variables"},
              {"gear_size", "string", "Gear size for the cartridge.", view.settings->size_names(),
               application.resources.size}})
        .add("ADD_ALIAS", "Create new alias", "POST", href + "/aliases",
             {{"id", "string", "Alias for the application"}},
             {{"ssl_certificate", "string", "Content of SSL Certificate"},
              {"private_key", "string", "Private key for the certificate."},
              {"pass_phrase", "string", "Optional passphrase for the private key"}})
        .add("LIST_CARTRIDGES", "List embedded cartridges", "GET", href + "/cartridges")
        .add("DNS_RESOLVABLE", "Resolve DNS", "GET", href + "/dns_resolvable")
        .add("LIST_ALIASES", "List application aliases", "GET", href + "/aliases")
        .add("LIST_MEMBERS", "List members of this application", "GET", href + "/members")
        .add("ADD_ENVIRONMENT_VARIABLE", "Add an environment variable", "POST",
             href + "/environment-variables",
             {{"name", "string", "Name of the environment variable"},
              {"value", "string", "Value of the environment variable"}})
        .add("SET_UNSET_ENVIRONMENT_VARIABLES",
             "Add/Update/Delete one or more environment variables", "PATCH",
             href + "/environment-variables",
             {{"environment_variables", "array",
               "Add/Update/Delete application environment variables, e.g. Add/Update: [{'name':'FOO',"
               " 'value':'123'}], Delete: [{'name':'FOO'}]"}})
        .add("LIST_ENVIRONMENT_VARIABLES", "List all environment variables", "GET",
             href + "/environment-variables")
        .add("DEPLOY", "Deploy the application", "POST", href + "/deployments", {},
             {{"ref", "string", "Git ref (tag, branch, commit id)", Json::array(),
               application.deployment.branch},
              {"artifact_url", "string", "URL of an archive to deploy, for binary deployments"},
              {"hot_deploy", "boolean", "Indicates whether this is a hot deployment",
               Json::array({true, false}), false},
              {"force_clean_build", "boolean", "Indicates whether a clean build should be performed",
               Json::array({true, false}), false}})
        .add("LIST_DEPLOYMENTS", "List all deployments", "GET", href + "/deployments")
        .add("GET_SNAPSHOT", "Save the application as an archive", "GET", href + "/snapshot")
        .add("RESTORE_SNAPSHOT", "Restore the application from an archive, the request's body", "PUT", href + "/snapshot")
        .add("UPDATE", "Update application", "PUT", href, {},
             {{"auto_deploy", "boolean", "Indicates if OpenShift should build and deploy"
                                         " automatically whenever the user executes git push",
               Json::array({true, false})},
              {"deployment_type", "string", "Indicates whether the app is setup for binary or git"
                                            " based deployments", Json::array({"git", "binary"})},
              {"deployment_branch", "string", "The branch that should be deployed when git push is"
                                              " executed"},
              {"keep_deployments", "integer", "How many deployments to keep"}})
        .add("DELETE", "Delete application", "DELETE", href);
    return links.take();
}

std::string host_of(const Application& application, const View& view) {
    return application_host(application, view.cloud_domain());
}

Json scales(Json cartridge) {
    cartridge["scales_from"] = 1;
    cartridge["scales_to"] = 1;
    cartridge["supported_scales_from"] = 1;
    cartridge["supported_scales_to"] = 1;
    return cartridge;
}

// GB, rounded up.
std::int64_t base_storage(const Application& application, const View& view) {
    return (view.settings->size(application.resources.size).disk_mb + 1023) / 1024;
}

}  // namespace

std::string application_url(const Application& application, const View& view) {
    return str(view.app_scheme, "://", host_of(application, view), view.app_port, "/");
}

std::string ssh_url(const Application& application, const View& view) {
    return str("ssh://", application.id.text(), "@", host_of(application, view));
}

Descriptor descriptor(const Application& application) {
    Descriptor out{application.name.text(), {}};
    for (const InstalledCartridge& cartridge : application.cartridges) {
        out.requires_cartridges.push_back(cartridge.name.text());
    }
    return out;
}

Json present_application(const Application& application, const std::vector<Member>& members,
                         const CartridgeCatalogue& catalogue, bool with_cartridges,
                         const View& view) {
    Json cartridges = nullptr;
    if (with_cartridges) {
        cartridges = Json::array();
        for (const InstalledCartridge& installed : application.cartridges) {
            cartridges.push_back(present_installed(installed, catalogue.find(installed),
                                                   application, view));
        }
    }
    Json inherited = Json::array();
    for (const Member& member : members) {
        inherited.push_back(present_inherited_member(member, application));
    }
    const std::string ssh = ssh_url(application, view);
    const std::string& git = application.initial_git_url;
    Json out = {
        {"id", application.id.text()},
        {"name", application.name.text()},
        {"domain_id", application.domain_name.text()},
        {"framework",
         application.cartridges.empty() ? Json(nullptr)
                                        : Json(application.cartridges.front().name.text())},
        {"creation_time", iso_time(application.created)},
        {"app_url", application_url(application, view)},
        {"git_url", str(ssh, "/~/git/", application.name.text(), ".git/")},
        {"ssh_url", ssh},
        {"gear_count", 1},
        {"gear_profile", application.resources.size},
        {"scalable", false},
        {"ha", false},
        {"aliases", present_aliases(application, view)},
        {"embedded", embedded_of(application)},
        {"initial_git_url", git.empty() ? Json(nullptr) : Json(git)},
        {"auto_deploy", application.deployment.auto_deploy},
        {"deployment_branch", application.deployment.branch},
        {"keep_deployments", application.deployment.keep},
        {"deployment_type", application.deployment.type},
        {"health_check_path", "health"},
        {"building_with", nullptr},
        {"building_app", nullptr},
        {"build_job_url", nullptr},
        {"members", std::move(inherited)},
        {"cartridges", std::move(cartridges)},
    };
    if (view.links) {
        out["links"] = application_links(application, view);
    }
    return out;
}

Json present_cartridge(const Cartridge& cartridge, const View& view) {
    Json out = {
        {"id", cartridge.full_name()},
        {"type", cartridge.is_web_framework() ? "standalone" : "embedded"},
        {"name", cartridge.full_name()},
        {"version", cartridge.version},
        {"display_name", cartridge.display_name},
        {"description", cartridge.description},
        {"license", cartridge.license},
        {"license_url", cartridge.license_url},
        {"tags", cartridge.categories},
        {"website", cartridge.website},
        {"help_topics", cartridge.help_topics},
        {"properties", announced(cartridge)},
        {"scales_with", nullptr},
        {"url", nullptr},
        {"usage_rates", Json::array()},
        {"creation_time", nullptr},
        {"activation_time", nullptr},
        {"automatic_updates", true},
        {"maintained_by", cartridge.vendor.empty() ? "gearbox" : cartridge.vendor},
        {"obsolete", cartridge.obsolete},
        {"valid_gear_sizes", view.settings->size_names()},
    };
    if (!cartridge.requires_features.empty()) {
        out["requires"] = cartridge.requires_features;
    }
    return scales(std::move(out));
}

Json present_installed(const InstalledCartridge& installed, const std::optional<Cartridge>& known,
                       const Application& application, const View& view) {
    const std::string& name = installed.name.text();
    Cartridge stranger;
    stranger.display_name = name;
    Json out = present_cartridge(known ? *known : stranger, view);
    out["id"] = name;
    out["name"] = name;
    out["current_scale"] = 1;
    out["gear_profile"] = application.resources.size;
    out["base_gear_storage"] = base_storage(application, view);
    out["additional_gear_storage"] = application.resources.extra_gb;
    out["status_messages"] = nullptr;
    out["added_time"] = iso_time(installed.added);
    out["url"] = installed.url.empty() ? Json(nullptr) : Json(installed.url);
    out["properties"] = properties_of(installed, known ? *known : stranger);
    Json others = Json::array();
    for (const InstalledCartridge& other : application.cartridges) {
        if (other.name != installed.name) {
            others.push_back(other.name.text());
        }
    }
    out["collocated_with"] = std::move(others);
    const std::string href = str("application/", application.id.text(), "/cartridge/", name);
    Links links(view);
    links.add("GET", "Get cartridge", "GET", href);
    add_event(links, "START", "Start cartridge", href, "start");
    add_event(links, "STOP", "Stop cartridge", href, "stop");
    add_event(links, "RESTART", "Restart cartridge", href, "restart");
    add_event(links, "RELOAD", "Reload cartridge", href, "reload");
    links
        .add("UPDATE", "Update cartridge configuration", "PUT", href, {},
             {{"additional_gear_storage", "integer", "Additional filesystem storage in gigabytes"},
              {"scales_from", "integer", "Minimum number of gears"},
              {"scales_to", "integer", "Maximum number of gears, -1 for no limit"}})
        .add("DELETE", "Delete cartridge", "DELETE", href);
    links.put_into(out);
    return out;
}

Json present_alias(const Alias& alias, const Application& application, const View& view) {
    const std::string href =
        str("application/", application.id.text(), "/alias/", alias.name.text());
    Json out = {{"id", alias.name.text()},
                {"has_private_ssl_certificate", alias.certificate_added != 0},
                {"certificate_added_at", alias.certificate_added != 0
                                             ? Json(iso_time(alias.certificate_added))
                                             : Json(nullptr)}};
    Links(view)
        .add("GET", "Get alias", "GET", href)
        .add("UPDATE", "Update alias", "PUT", href, {},
             {{"ssl_certificate", "string", "Content of SSL Certificate"},
              {"private_key", "string", "Private key for the certificate."},
              {"pass_phrase", "string", "Optional passphrase for the private key"}})
        .add("DELETE", "Delete alias", "DELETE", href)
        .put_into(out);
    return out;
}

Json present_aliases(const Application& application, const View& view) {
    Json out = Json::array();
    for (const Alias& alias : application.aliases) {
        out.push_back(present_alias(alias, application, view));
    }
    return out;
}

Json present_endpoints(const Application& application, const std::vector<GearEndpoint>& endpoints,
                       const CartridgeCatalogue& catalogue) {
    Json out = Json::array();
    for (const InstalledCartridge& installed : application.cartridges) {
        const auto known = catalogue.find(installed);
        for (const GearEndpoint& placed : endpoints) {
            if (placed.cartridge != installed.name.text()) {
                continue;
            }
            Json mappings = Json::array();
            for (const Endpoint& endpoint : known ? known->endpoints : std::vector<Endpoint>()) {
                for (const EndpointMapping& mapping : endpoint.mappings) {
                    if (endpoint.port == placed.internal_port) {
                        mappings.push_back(
                            {{"frontend", mapping.frontend}, {"backend", mapping.backend}});
                    }
                }
            }
            const bool is_outside = placed.external_port != 0;
            out.push_back(
                {{"cartridge_name", installed.name.text()},
                 {"external_address", is_outside ? Json(placed.external_address) : Json(nullptr)},
                 {"external_port", is_outside ? Json(placed.external_port) : Json(nullptr)},
                 {"internal_address", placed.internal_address},
                 {"internal_port", placed.internal_port},
                 {"protocols", Json::array({mappings.empty() ? "tcp" : "http"})},
                 {"types", Json::array({mappings.empty() ? "other" : "web_framework"})},
                 {"mappings", std::move(mappings)}});
        }
    }
    return out;
}

Json present_gear_group(const Application& application, GearState state, const GearHealth& health,
                        const CartridgeCatalogue& catalogue, const View& view) {
    Json gear = {{"id", application.id.text()},
                 {"state", name_of(state)},
                 {"ssh_url", ssh_url(application, view)},
                 {"region", nullptr},
                 {"zone", nullptr},
                 // Not of OpenShift: what the platform saw of it.
                 {"oom_kills", health.oom_kills},
                 {"service_restarts", health.restarts},
                 {"has_given_up", health.has_given_up}};
    Json cartridges = Json::array();
    for (const InstalledCartridge& installed : application.cartridges) {
        const auto known = catalogue.find(installed);
        Json cartridge = {{"name", installed.name.text()},
                          {"display_name", known ? known->display_name : installed.name.text()},
                          {"tags", known ? Json(known->categories) : Json::array()}};
        for (const CartridgeProperty& property : installed.properties) {
            cartridge[property.name] = property.value;
        }
        cartridges.push_back(std::move(cartridge));
    }
    Json out = {{"id", application.id.text()},
                {"name", application.id.text()},
                {"gear_profile", application.resources.size},
                {"gears", Json::array({std::move(gear)})},
                {"cartridges", std::move(cartridges)},
                {"scales_from", 1},
                {"scales_to", 1},
                {"base_gear_storage", base_storage(application, view)},
                {"additional_gear_storage", application.resources.extra_gb}};
    Links(view)
        .add("GET", "Get gear group", "GET",
             str("application/", application.id.text(), "/gear_group/", application.id.text()))
        .put_into(out);
    return out;
}

}  // namespace gearbox::rest
