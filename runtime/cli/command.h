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

}  // namespace gearbox::cli
