// One function a route: decode, ask a service, present. Named in routes.cpp.
#pragma once
#include "rest/message.h"

namespace gearbox::rest::handlers {

// root.cpp
Reply show_root(const Call& call);
Reply show_environment(const Call& call);
Reply list_regions(const Call& call);
Reply show_logs(const Call& call);
Reply list_quickstarts(const Call& call);
Reply show_quickstart(const Call& call);
Reply list_cartridges(const Call& call);
Reply show_cartridge(const Call& call);
Reply show_operation(const Call& call);

// users.cpp
Reply show_user(const Call& call);
Reply delete_user(const Call& call);
Reply list_keys(const Call& call);
Reply show_key(const Call& call);
Reply add_key(const Call& call);
Reply update_key(const Call& call);
Reply delete_key(const Call& call);
Reply list_authorizations(const Call& call);
Reply add_authorization(const Call& call);
Reply show_authorization(const Call& call);
Reply update_authorization(const Call& call);
Reply delete_authorization(const Call& call);
Reply delete_authorizations(const Call& call);

// domains.cpp
/// "owner=@self" is given; 400 for another owner.
bool wants_own(const Call& call);
Reply list_domains(const Call& call);
Reply add_domain(const Call& call);
Reply show_domain(const Call& call);
Reply update_domain(const Call& call);
Reply delete_domain(const Call& call);

// teams.cpp
Reply list_teams(const Call& call);
Reply add_team(const Call& call);
Reply show_team(const Call& call);
Reply delete_team(const Call& call);
Reply list_team_members(const Call& call);
Reply show_team_member(const Call& call);
Reply change_team_members(const Call& call);
Reply update_team_member(const Call& call);
Reply remove_team_member(const Call& call);
Reply reset_team_members(const Call& call);
Reply leave_team(const Call& call);

// members.cpp
Reply list_domain_members(const Call& call);
Reply show_member(const Call& call);
Reply change_members(const Call& call);
Reply update_member(const Call& call);
Reply remove_member(const Call& call);
Reply reset_members(const Call& call);
Reply leave_domain(const Call& call);
Reply list_application_members(const Call& call);

// applications.cpp
Reply list_applications(const Call& call);
Reply list_domain_applications(const Call& call);
Reply add_application(const Call& call);
Reply show_application(const Call& call);
Reply update_application(const Call& call);
Reply delete_application(const Call& call);
Reply run_event(const Call& call);
Reply show_descriptor(const Call& call);
Reply list_estimates(const Call& call);
Reply show_estimate(const Call& call);
Reply check_dns(const Call& call);

// aliases.cpp
Reply list_aliases(const Call& call);
Reply show_alias(const Call& call);
Reply add_alias(const Call& call);
Reply update_alias(const Call& call);
Reply delete_alias(const Call& call);

// deployments.cpp
Reply list_deployments(const Call& call);
Reply show_deployment(const Call& call);
Reply add_deployment(const Call& call);

// snapshots.cpp
Reply save_snapshot(const Call& call);
Reply restore_snapshot(const Call& call);

// parts.cpp: what an application consists of
Reply list_application_cartridges(const Call& call);
Reply show_application_cartridge(const Call& call);
Reply add_application_cartridge(const Call& call);
Reply update_application_cartridge(const Call& call);
Reply delete_application_cartridge(const Call& call);
Reply run_cartridge_event(const Call& call);
Reply list_gear_groups(const Call& call);
Reply show_gear_group(const Call& call);
Reply list_gears(const Call& call);
Reply list_variables(const Call& call);
Reply show_variable(const Call& call);
Reply add_variable(const Call& call);
Reply change_variables(const Call& call);
Reply update_variable(const Call& call);
Reply delete_variable(const Call& call);

/// The application that the path names: by id, or by domain and name. Throws 404.
Application application_of(const Call& call);
Json present(const Call& call, const Application& application);

}  // namespace gearbox::rest::handlers
