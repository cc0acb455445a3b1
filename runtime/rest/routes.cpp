#include "rest/routes.h"

#include "rest/handlers/handlers.h"

#include <algorithm>
#include <array>

namespace gearbox::rest {

namespace {

using namespace handlers;

// The route is about no domain and no team.
constexpr std::nullopt_t none = std::nullopt;

// clang-format off
constexpr std::array route_table = {
    Route{"GET", "api", Privilege::open, none, show_root, "The entry point: every link"},
    Route{"GET", "environment", Privilege::open, none, show_environment, "DNS suffix and what is enabled"},
    Route{"GET", "region|regions", Privilege::open, none, list_regions, "Regions: none on one host"},
    Route{"GET", "quickstarts", Privilege::open, none, list_quickstarts, "Applications to begin from"},
    Route{"GET", "quickstart|quickstarts/:id", Privilege::open, none, show_quickstart, "One quickstart"},
    Route{"GET", "cartridges", Privilege::open, none, list_cartridges, "The catalogue"},
    Route{"GET", "cartridge|cartridges/:name", Privilege::open, none, show_cartridge, "One cartridge"},
    Route{"GET", "estimates", Privilege::read, none, list_estimates, "What can be estimated"},
    Route{"GET", "estimate|estimates/:object", Privilege::read, none, show_estimate,
          "What an application would take: object is application, descriptor its YAML"},
    Route{"GET", "operation|operations/:request_id", Privilege::read, none, show_operation,
          "Progress of the request that was sent with this X-Request-Id"},

    Route{"GET", "user", Privilege::userinfo, none, show_user, "The account"},
    Route{"DELETE", "user", Privilege::session, none, delete_user, "Refused: operators delete accounts"},
    Route{"GET", "user/keys", Privilege::read, none, list_keys, "SSH keys"},
    Route{"POST", "user/keys", Privilege::session, none, add_key, "Add an SSH key"},
    Route{"GET", "user/key|keys/:name", Privilege::read, none, show_key, "One SSH key"},
    Route{"PUT", "user/key|keys/:name", Privilege::session, none, update_key, "Replace an SSH key"},
    Route{"DELETE", "user/key|keys/:name", Privilege::session, none, delete_key, "Remove an SSH key"},
    Route{"GET", "user/authorizations", Privilege::session, none, list_authorizations, "Tokens"},
    Route{"POST", "user/authorizations", Privilege::session, none, add_authorization, "Make a token"},
    Route{"DELETE", "user/authorizations", Privilege::session, none, delete_authorizations, "Revoke all tokens"},
    Route{"GET", "user/authorization|authorizations/:id", Privilege::session, none, show_authorization, "One token"},
    Route{"PUT", "user/authorization|authorizations/:id", Privilege::session, none, update_authorization, "Change a token's note"},
    Route{"DELETE", "user/authorization|authorizations/:id", Privilege::session, none, delete_authorization, "Revoke a token"},

    Route{"GET", "domains", Privilege::read, none, list_domains, "Domains"},
    Route{"POST", "domains", Privilege::session, none, add_domain, "Make a domain"},
    Route{"GET", "domain|domains/:domain", Privilege::read, Role::view, show_domain, "One domain"},
    Route{"PUT", "domain|domains/:domain", Privilege::session, Role::owner, update_domain, "Rename a domain, set its gear sizes"},
    Route{"DELETE", "domain|domains/:domain", Privilege::session, Role::owner, delete_domain, "Delete a domain; force: with its applications"},
    Route{"GET", "domain|domains/:domain/members", Privilege::read, Role::view, list_domain_members, "Members of a domain"},
    Route{"PATCH", "domain|domains/:domain/members", Privilege::session, Role::admin, change_members, "Give roles, take them away"},
    Route{"POST", "domain|domains/:domain/members", Privilege::session, Role::admin, change_members, "Give roles, take them away"},
    Route{"DELETE", "domain|domains/:domain/members", Privilege::session, Role::admin, reset_members, "Remove the members given, or everybody but the owner"},
    Route{"DELETE", "domain|domains/:domain/members/self", Privilege::session, Role::view, leave_domain, "Leave a domain"},
    Route{"GET", "domain|domains/:domain/member|members/:member", Privilege::read, Role::view, show_member, "One member"},
    Route{"PUT", "domain|domains/:domain/member|members/:member", Privilege::session, Role::admin, update_member, "Give a member another role"},
    Route{"DELETE", "domain|domains/:domain/member|members/:member", Privilege::session, Role::admin, remove_member, "Remove a member"},
    Route{"GET", "domain|domains/:domain/applications", Privilege::read, Role::view, list_domain_applications, "Applications of a domain"},
    Route{"POST", "domain|domains/:domain/applications", Privilege::session, Role::edit, add_application, "Create an application"},

    Route{"GET", "teams", Privilege::read, none, list_teams, "Teams; owner=@self, or search and global"},
    Route{"POST", "teams", Privilege::session, none, add_team, "Make a team"},
    Route{"GET", "team|teams/:team", Privilege::read, Role::view, show_team, "One team"},
    Route{"DELETE", "team|teams/:team", Privilege::session, Role::owner, delete_team, "Delete a team"},
    Route{"GET", "team|teams/:team/members", Privilege::read, Role::view, list_team_members, "Members of a team"},
    Route{"PATCH", "team|teams/:team/members", Privilege::session, Role::owner, change_team_members, "Add and remove members of a team"},
    Route{"POST", "team|teams/:team/members", Privilege::session, Role::owner, change_team_members, "Add and remove members of a team"},
    Route{"DELETE", "team|teams/:team/members", Privilege::session, Role::owner, reset_team_members, "Remove the members given, or everybody but the owner"},
    Route{"DELETE", "team|teams/:team/members/self", Privilege::session, Role::view, leave_team, "Leave a team"},
    Route{"GET", "team|teams/:team/member|members/:member", Privilege::read, Role::view, show_team_member, "One member of a team"},
    Route{"PUT", "team|teams/:team/member|members/:member", Privilege::session, Role::owner, update_team_member, "Give a member of a team another role"},
    Route{"DELETE", "team|teams/:team/member|members/:member", Privilege::session, Role::owner, remove_team_member, "Remove a member of a team"},

    Route{"GET", "applications", Privilege::read, none, list_applications, "Every application"},
    Route{"GET", "@application", Privilege::read, Role::view, show_application, "One application"},
    Route{"PUT", "@application", Privilege::session, Role::edit, update_application, "Change how it is deployed"},
    Route{"DELETE", "@application", Privilege::session, Role::edit, delete_application, "Delete an application"},
    Route{"POST", "@application/events", Privilege::session, Role::edit, run_event, "start stop force-stop restart reload tidy thread-dump activate add-alias remove-alias"},
    Route{"GET", "@application/descriptor", Privilege::read, Role::view, show_descriptor, "The application as YAML"},
    Route{"GET", "@application/dns_resolvable", Privilege::read, Role::view, check_dns, "Whether its name resolves"},
    Route{"GET", "@application/members", Privilege::read, Role::view, list_application_members, "Members of an application"},
    Route{"GET", "@application/aliases", Privilege::read, Role::view, list_aliases, "Its other host names"},
    Route{"POST", "@application/aliases", Privilege::session, Role::edit, add_alias, "Add a host name"},
    Route{"GET", "@application/alias|aliases/:alias", Privilege::read, Role::view, show_alias, "One alias"},
    Route{"PUT", "@application/alias|aliases/:alias", Privilege::session, Role::edit, update_alias, "Give it a certificate, or take it away"},
    Route{"DELETE", "@application/alias|aliases/:alias", Privilege::session, Role::edit, delete_alias, "Remove a host name"},
    Route{"GET", "@application/deployments", Privilege::read, Role::view, list_deployments, "Deployments kept"},
    Route{"POST", "@application/deployments", Privilege::session, Role::edit, add_deployment, "Deploy without a push"},
    Route{"GET", "@application/deployment|deployments/:deployment", Privilege::read, Role::view, show_deployment, "One deployment"},

    Route{"GET", "@application/logs", Privilege::session, Role::edit, show_logs, "The last lines of its logs; after: what came since an earlier reply"},

    Route{"GET", "@application/snapshot", Privilege::session, Role::edit, save_snapshot, "The whole application as a gzipped tar; it rests meanwhile", Archive::in_reply},
    Route{"PUT", "@application/snapshot", Privilege::session, Role::edit, restore_snapshot, "Put back a snapshot of this or another application", Archive::in_request},

    Route{"GET", "@application/cartridges", Privilege::read, Role::view, list_application_cartridges, "Its cartridges"},
    Route{"POST", "@application/cartridges", Privilege::session, Role::edit, add_application_cartridge, "Add a cartridge"},
    Route{"GET", "@application/cartridge|cartridges/:cartridge", Privilege::read, Role::view, show_application_cartridge, "One of its cartridges"},
    Route{"PUT", "@application/cartridge|cartridges/:cartridge", Privilege::session, Role::edit, update_application_cartridge, "Set its limits and storage"},
    Route{"DELETE", "@application/cartridge|cartridges/:cartridge", Privilege::session, Role::edit, delete_application_cartridge, "Remove a cartridge"},
    Route{"POST", "@application/cartridge|cartridges/:cartridge/events", Privilege::session, Role::edit, run_cartridge_event, "start stop restart reload"},
    Route{"GET", "@application/gears", Privilege::read, Role::view, list_gears, "Moved to gear_groups"},
    Route{"GET", "@application/gear_groups|gear-groups", Privilege::read, Role::view, list_gear_groups, "Its gears"},
    Route{"GET", "@application/gear_group|gear-group|gear_groups|gear-groups/:group", Privilege::read, Role::view, show_gear_group, "One gear group"},
    Route{"GET", "@application/environment-variables|environment_variables", Privilege::read, Role::view, list_variables, "The user's variables"},
    Route{"POST", "@application/environment-variables|environment_variables", Privilege::session, Role::edit, add_variable, "Add a variable"},
    Route{"PATCH", "@application/environment-variables|environment_variables", Privilege::session, Role::edit, change_variables, "Set and unset variables"},
    Route{"GET", "@application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", Privilege::read, Role::view, show_variable, "One variable"},
    Route{"PUT", "@application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", Privilege::session, Role::edit, update_variable, "Change a variable"},
    Route{"DELETE", "@application/environment-variable|environment_variable|environment-variables|environment_variables/:variable", Privilege::session, Role::edit, delete_variable, "Remove a variable"},
};
// clang-format on

bool is_one_of(std::string_view alternatives, std::string_view word) {
    while (!alternatives.empty()) {
        const auto bar = alternatives.find('|');
        if (alternatives.substr(0, bar) == word) {
            return true;
        }
        alternatives = bar == std::string_view::npos ? "" : alternatives.substr(bar + 1);
    }
    return false;
}

using Words = std::vector<std::string>;

// A pattern taken apart once: a request is compared with a hundred of them.
struct Pattern {
    const Route* route;
    Words pieces;
};

std::vector<Pattern> take_apart() {
    std::vector<Pattern> out;
    for (const Route& route : route_table) {
        constexpr std::string_view token = "@application";
        const std::string_view pattern = route.pattern;
        if (!pattern.starts_with(token)) {
            out.push_back({&route, split_path(route.pattern)});
            continue;
        }
        for (const char* form : {"application|applications/:application",
                                 "domain|domains/:domain/application|applications/:name"}) {
            out.push_back({&route, split_path(str(form, pattern.substr(token.size())))});
        }
    }
    return out;
}

bool fits(const Words& pieces, const Words& path) {
    return std::equal(pieces.begin(), pieces.end(), path.begin(), path.end(),
                      [](const std::string& piece, const std::string& word) {
                          return piece.front() == ':' || is_one_of(piece, word);
                      });
}

std::map<std::string, std::string> parts_of(const Words& pieces, const Words& path) {
    std::map<std::string, std::string> parts;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (pieces[i].front() == ':') {
            parts[pieces[i].substr(1)] = path[i];
        }
    }
    return parts;
}

}  // namespace

std::span<const Route> routes() { return route_table; }

std::vector<std::string> split_path(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin < path.size()) {
        const auto end = std::min(path.find('/', begin), path.size());
        if (end > begin) {
            parts.push_back(path.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return parts;
}

std::vector<std::string> route_path(const std::string& path) {
    auto words = split_path(path.substr(base_path.size()));
    if (words.empty()) {
        return words;
    }
    std::string& last = words.back();
    for (const std::string_view format : {".json", ".xml"}) {
        if (last.ends_with(format)) {
            last.resize(last.size() - format.size());
            break;
        }
    }
    if (last.empty()) {
        words.pop_back();
    }
    return words;
}

std::optional<Match> find_route(const std::string& method, const std::vector<std::string>& path) {
    static const std::vector<Pattern> patterns = take_apart();
    const std::string wanted = method == "HEAD" ? "GET" : method;
    Match match;
    for (const Pattern& pattern : patterns) {
        if (!fits(pattern.pieces, path)) {
            continue;
        }
        // It would be made, for nobody.
        const bool is_unwanted = method == "HEAD" && pattern.route->archive == Archive::in_reply;
        match.methods.emplace_back(pattern.route->method);
        if (match.route == nullptr && wanted == pattern.route->method && !is_unwanted) {
            match.route = pattern.route;
            match.parts = parts_of(pattern.pieces, path);
        }
    }
    return match.methods.empty() ? std::nullopt : std::optional(std::move(match));
}

}  // namespace gearbox::rest
