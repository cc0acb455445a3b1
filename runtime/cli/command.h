// One row of the command table: what it is called, what it says, how it is declared and run.
#pragma once
#include "cli/session.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace gearbox::cli {

/// Does the work; the process's exit status.
using Runner = std::function<int(Session&)>;

struct Command {
    const char* path;      ///< "app create"
    const char* summary;   ///< one line
    const char* examples;  ///< lines of the help's end; "" for none
    /// Adds the options to the parser and returns what runs with the values parsed.
    Runner (*declare)(CLI::App& parser);
};

/// THE table, in the order of the help.
const std::vector<Command>& command_table();

/// The whole program apart from the process: parses, runs, reports. args is without the program.
int run_cli(const std::vector<std::string>& args, const World& world);

/// A completion script for "bash", "zsh" or "fish", made from the parser. Throws Error(invalid).
std::string completion_script(const std::string& shell, const CLI::App& parser);

Runner declare_setup(CLI::App& parser);
Runner declare_logout(CLI::App& parser);
Runner declare_account(CLI::App& parser);
Runner declare_domain_create(CLI::App& parser);
Runner declare_domain_list(CLI::App& parser);
Runner declare_domain_show(CLI::App& parser);
Runner declare_domain_delete(CLI::App& parser);
Runner declare_app_create(CLI::App& parser);
Runner declare_app_show(CLI::App& parser);
Runner declare_app_list(CLI::App& parser);
Runner declare_app_delete(CLI::App& parser);
Runner declare_app_start(CLI::App& parser);
Runner declare_app_stop(CLI::App& parser);
Runner declare_app_restart(CLI::App& parser);
Runner declare_cartridge_list(CLI::App& parser);
Runner declare_quickstart_list(CLI::App& parser);
Runner declare_key_add(CLI::App& parser);
Runner declare_key_list(CLI::App& parser);
Runner declare_key_remove(CLI::App& parser);
Runner declare_tail(CLI::App& parser);
Runner declare_ssh(CLI::App& parser);
Runner declare_git_clone(CLI::App& parser);
Runner declare_completion(CLI::App& parser);
Runner declare_user_create(CLI::App& parser);
Runner declare_user_list(CLI::App& parser);
Runner declare_user_delete(CLI::App& parser);
Runner declare_user_password(CLI::App& parser);
Runner declare_domain_rename(CLI::App& parser);
Runner declare_domain_leave(CLI::App& parser);
Runner declare_app_force_stop(CLI::App& parser);
Runner declare_app_reload(CLI::App& parser);
Runner declare_app_tidy(CLI::App& parser);
Runner declare_app_scale_up(CLI::App& parser);
Runner declare_app_scale_down(CLI::App& parser);
Runner declare_app_configure(CLI::App& parser);
Runner declare_threaddump(CLI::App& parser);
Runner declare_cartridge_add(CLI::App& parser);
Runner declare_cartridge_remove(CLI::App& parser);
Runner declare_cartridge_show(CLI::App& parser);
Runner declare_cartridge_status(CLI::App& parser);
Runner declare_cartridge_start(CLI::App& parser);
Runner declare_cartridge_stop(CLI::App& parser);
Runner declare_cartridge_restart(CLI::App& parser);
Runner declare_cartridge_reload(CLI::App& parser);
Runner declare_cartridge_storage(CLI::App& parser);
Runner declare_cartridge_scale(CLI::App& parser);
Runner declare_cartridge_check(CLI::App& parser);
Runner declare_env_set(CLI::App& parser);
Runner declare_env_unset(CLI::App& parser);
Runner declare_env_list(CLI::App& parser);
Runner declare_env_show(CLI::App& parser);
Runner declare_alias_add(CLI::App& parser);
Runner declare_alias_list(CLI::App& parser);
Runner declare_alias_remove(CLI::App& parser);
Runner declare_alias_update_cert(CLI::App& parser);
Runner declare_alias_delete_cert(CLI::App& parser);
Runner declare_deploy(CLI::App& parser);
Runner declare_deployment_list(CLI::App& parser);
Runner declare_deployment_show(CLI::App& parser);
Runner declare_deployment_activate(CLI::App& parser);
Runner declare_snapshot_save(CLI::App& parser);
Runner declare_snapshot_restore(CLI::App& parser);
Runner declare_scp(CLI::App& parser);
Runner declare_port_forward(CLI::App& parser);
Runner declare_conformance(CLI::App& parser);
Runner declare_key_show(CLI::App& parser);
Runner declare_member_list(CLI::App& parser);
Runner declare_member_add(CLI::App& parser);
Runner declare_member_update(CLI::App& parser);
Runner declare_member_remove(CLI::App& parser);
Runner declare_authorization_list(CLI::App& parser);
Runner declare_authorization_add(CLI::App& parser);
Runner declare_authorization_delete(CLI::App& parser);
Runner declare_authorization_delete_all(CLI::App& parser);
Runner declare_server_status(CLI::App& parser);
Runner declare_region_list(CLI::App& parser);
Runner declare_admin_status(CLI::App& parser);
Runner declare_admin_app_list(CLI::App& parser);
Runner declare_admin_check(CLI::App& parser);
Runner declare_admin_persist(CLI::App& parser);
Runner declare_admin_install_to(CLI::App& parser);
Runner declare_user_show(CLI::App& parser);
Runner declare_user_set(CLI::App& parser);
Runner declare_domain_configure(CLI::App& parser);
Runner declare_app_enable_ha(CLI::App& parser);
Runner declare_app_disable_ha(CLI::App& parser);
Runner declare_team_create(CLI::App& parser);
Runner declare_team_list(CLI::App& parser);
Runner declare_team_show(CLI::App& parser);
Runner declare_team_delete(CLI::App& parser);
Runner declare_team_leave(CLI::App& parser);
Runner declare_server_list(CLI::App& parser);
Runner declare_server_add(CLI::App& parser);
Runner declare_server_use(CLI::App& parser);
Runner declare_server_show(CLI::App& parser);
Runner declare_server_remove(CLI::App& parser);
Runner declare_admin_app_start(CLI::App& parser);
Runner declare_admin_app_stop(CLI::App& parser);
Runner declare_admin_app_restart(CLI::App& parser);
Runner declare_admin_gear_list(CLI::App& parser);
Runner declare_admin_gear_plan(CLI::App& parser);
Runner declare_admin_profile_list(CLI::App& parser);
Runner declare_admin_cartridge_import(CLI::App& parser);
Runner declare_admin_cartridge_list(CLI::App& parser);
Runner declare_admin_cartridge_activate(CLI::App& parser);
Runner declare_admin_cartridge_deactivate(CLI::App& parser);
Runner declare_admin_cartridge_remove(CLI::App& parser);
Runner declare_admin_cartridge_upgrade(CLI::App& parser);
Runner declare_admin_gear_freeze(CLI::App& parser);
Runner declare_admin_gear_thaw(CLI::App& parser);
Runner declare_admin_app_resize(CLI::App& parser);
Runner declare_admin_app_delete(CLI::App& parser);

}  // namespace gearbox::cli
