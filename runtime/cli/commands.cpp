// The command table, and what turns arguments into a run of one row.
#include "base/settings.h"
#include "cli/command.h"

#include <algorithm>
#include <iostream>
#include <sstream>

namespace gearbox::cli {

namespace {

struct Group {
    const char* name;
    const char* summary;
};

constexpr Group groups[] = {
    {"domain", "your name spaces"},
    {"app", "applications"},
    {"cartridge", "what applications are built of"},
    {"env", "variables that applications see"},
    {"alias", "other host names of applications"},
    {"deployment", "what was deployed before"},
    {"snapshot", "everything of an application in a file"},
    {"member", "who may use a domain, or is in a team"},
    {"team", "people who share a role"},
    {"authorization", "tokens for programs"},
    {"server", "appliances that this machine knows"},
    {"region", "places of gears"},
    {"quickstart", "ready-made applications"},
    {"sshkey", "keys that may push and log in"},
    {"admin", "the appliance's accounts (on the appliance, as root)"},
    {"admin user", "accounts of the broker"},
    {"admin app", "applications of everybody"},
    {"admin gear", "their gears"},
    {"admin cartridge", "cartridges beyond those of the appliance"},
    {"admin profile", "security profiles of gears"},
};

struct Word {
    const char* word;
    const char* path;
};

/// Root words of rhc.
constexpr Word root_words[] = {
    {"apps", "app list"},         {"domains", "domain list"}, {"cartridges", "cartridge list"},
    {"servers", "server list"},   {"teams", "team list"},     {"sshkeys", "sshkey list"},
    {"create-app", "app create"},
};

/// Parser is CLI::App or const CLI::App, and so is the child.
template <typename Parser>
Parser* find_child(Parser& parser, const std::string& name) {
    const auto children = parser.get_subcommands({});
    const auto found = std::find_if(children.begin(), children.end(),
                                    [&](Parser* child) { return child->get_name() == name; });
    return found == children.end() ? nullptr : *found;
}

std::vector<std::string> words_of(const std::string& path) {
    std::istringstream in(path);
    std::vector<std::string> out;
    for (std::string word; in >> word;) {
        out.push_back(word);
    }
    return out;
}

// The parser of the path's parent, made with its group's text if it is not there yet.
CLI::App& ensure_parent(CLI::App& top, const std::vector<std::string>& words) {
    CLI::App* at = &top;
    std::string path;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        path += (path.empty() ? "" : " ") + words[i];
        CLI::App* next = find_child(*at, words[i]);
        if (next == nullptr) {
            const auto* group = std::find_if(std::begin(groups), std::end(groups),
                                             [&](const Group& g) { return path == g.name; });
            next = at->add_subcommand(words[i], group == std::end(groups) ? "" : group->summary);
            next->require_subcommand(1);
        }
        at = next;
    }
    return *at;
}

struct Parsed {
    std::string output = "text";
    std::string config;
    std::string server;
    const Command* command = nullptr;
    Runner runner;
};

void declare_all(CLI::App& top, Parsed& parsed) {
    top.require_subcommand(1);
    top.set_version_flag("--version", "gearbox " GEARBOX_VERSION);
    top.add_option("--output", parsed.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    top.add_option("--config", parsed.config, "directory of the configuration")
        ->envname("GEARBOX_CONFIG_DIR");
    top.add_option("--server", parsed.server, "for this run, a server of 'gearbox server list'");
    for (const Command& command : command_table()) {
        const std::vector<std::string> words = words_of(command.path);
        CLI::App* const parser =
            ensure_parent(top, words).add_subcommand(words.back(), command.summary);
        if (*command.examples != '\0') {
            parser->footer(str("Examples:\n", command.examples));
        }
        Runner runner = command.declare(*parser);
        parser->callback([&parsed, &command, runner] {
            parsed.command = &command;
            parsed.runner = runner;
        });
    }
    // Global options are accepted after the command as well.
    for (CLI::App* child : top.get_subcommands({})) {
        child->fallthrough();
        for (CLI::App* grandchild : child->get_subcommands({})) {
            grandchild->fallthrough();
            for (CLI::App* last : grandchild->get_subcommands({})) {
                last->fallthrough();
            }
        }
    }
}

std::vector<std::string> options_of(const CLI::App& parser) {
    std::vector<std::string> out;
    for (const CLI::App* at = &parser; at != nullptr; at = at->get_parent()) {
        for (const CLI::Option* option : at->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                out.push_back("--" + name);
            }
        }
    }
    return out;
}

const CLI::Option* find_option(const CLI::App& parser, const std::string& name) {
    for (const CLI::App* at = &parser; at != nullptr; at = at->get_parent()) {
        if (const CLI::Option* const option = at->get_option_no_throw(name)) {
            return option;
        }
    }
    return nullptr;
}

// Whether the value of this option is the word after it.
bool takes_next_word(const CLI::App& parser, const std::string& word) {
    const CLI::Option* const option =
        word.size() > 2 && word.starts_with("--") ? find_option(parser, word) : nullptr;
    return option != nullptr && option->get_type_size() > 0;
}

// The first word that is no option.
std::size_t find_command(const CLI::App& top, const std::vector<std::string>& args) {
    std::size_t at = 0;
    while (at < args.size() && args[at].starts_with('-')) {
        at += takes_next_word(top, args[at]) ? 2 : 1;
    }
    return std::min(at, args.size());
}

// What rhc's other spellings mean: a root word, or a group and its verb with a hyphen
// ("app-create"); "" if it is none of them.
std::string our_words(const CLI::App& top, const std::string& word) {
    for (const Word& known : root_words) {
        if (word == known.word) {
            return known.path;
        }
    }
    const auto hyphen = word.find('-');
    const std::string group = word.substr(0, hyphen);
    const CLI::App* const parent = find_child(top, group);
    const bool is_both = hyphen != std::string::npos && parent != nullptr &&
                         find_child(*parent, word.substr(hyphen + 1)) != nullptr;
    return is_both ? str(group, " ", word.substr(hyphen + 1)) : "";
}

std::vector<std::string> in_our_words(const CLI::App& top, std::vector<std::string> args) {
    const std::size_t at = find_command(top, args);
    if (at < args.size() && find_child(top, args[at]) == nullptr) {
        if (const auto words = words_of(our_words(top, args[at])); !words.empty()) {
            const auto place = args.erase(args.begin() + static_cast<std::ptrdiff_t>(at));
            args.insert(place, words.begin(), words.end());
        }
    }
    return args;
}

std::string suggestion(const char* what, const std::string& word,
                       const std::vector<std::string>& known) {
    const std::string near = nearest(word, known);
    return str("there is no ", what, " '", word, "'",
               near.empty() ? "; see 'gearbox --help'" : str("; did you mean '", near, "'?"));
}

// What is wrong with the first command or option that the tree does not know; "" if all are known.
std::string advice(const CLI::App& top, const std::vector<std::string>& args) {
    const CLI::App* at = &top;
    bool is_value = false;
    for (const std::string& word : args) {
        if (std::exchange(is_value, false)) {
            continue;
        }
        if (word.rfind("--", 0) == 0 && word.size() > 2) {
            const std::string name = word.substr(0, word.find('='));
            if (find_option(*at, name) == nullptr) {
                return suggestion("option", name, options_of(*at));
            }
            is_value = takes_next_word(*at, word);
            continue;
        }
        const auto children = at->get_subcommands({});
        if (word.rfind("-", 0) == 0 || children.empty()) {
            continue;
        }
        const CLI::App* const next = find_child(*at, word);
        if (next == nullptr) {
            std::vector<std::string> names;
            for (const CLI::App* child : children) {
                names.push_back(child->get_name());
            }
            return suggestion("command", word, names);
        }
        at = next;
    }
    return "";
}

int report(Terminal& terminal, bool json, int status, const std::string& text,
           const std::vector<Message>& messages) {
    if (json) {
        Json list = Json::array();
        for (const Message& message : messages) {
            list.push_back({{"severity", message.severity},
                            {"text", message.text},
                            {"field", message.field},
                            {"exit_code", message.exit_code}});
        }
        terminal.json({{"error", text}, {"exit_status", status}, {"messages", list}});
    }
    terminal.note("error: " + text);
    return status;
}

int run_command(Parsed& parsed, const World& world) {
    const bool json = parsed.output == "json";
    Terminal terminal(world.streams);
    try {
        Session session(
            world,
            ServerList(parsed.config.empty() ? default_config_directory()
                                             : std::filesystem::path(parsed.config)),
            json);
        if (!parsed.server.empty()) {
            session.servers().check_known(parsed.server);
            session.use_server(parsed.server);
        }
        return parsed.runner(session);
    } catch (const BrokerError& error) {
        return report(terminal, json, error.exit_code(), error.text(), error.messages());
    } catch (const ExitError& error) {
        return report(terminal, json, error.status(), error.text(), {});
    } catch (const Error& error) {
        return report(terminal, json, exit_status::error, error.text(), {});
    }
}

}  // namespace

const std::vector<Command>& command_table() {
    static const std::vector<Command> table = {
        {"setup", "connect this machine to an appliance: server, login, ssh key, domain",
         "  gearbox setup                          asks everything\n"
         "  gearbox setup --server 192.168.1.20 --login demo --domain demo\n"
         "  gearbox setup --server gearbox.localhost:8443 --ssh-port 8022 --http-port 8080",
         &declare_setup},
        {"account", "who you are and what you may use", "", &declare_account},
        {"logout", "end the session", "", &declare_logout},
        {"domain create", "make a domain", "  gearbox domain create demo", &declare_domain_create},
        {"domain list", "your domains", "", &declare_domain_list},
        {"domain show", "one domain and its applications", "", &declare_domain_show},
        {"domain configure", "the gear sizes that it allows",
         "  gearbox domain configure demo --allowed-gear-sizes small", &declare_domain_configure},
        {"domain rename", "give an empty domain another name", "  gearbox domain rename old new",
         &declare_domain_rename},
        {"domain leave", "be a member of it no longer", "", &declare_domain_leave},
        {"domain delete", "remove a domain", "  gearbox domain delete old --force",
         &declare_domain_delete},
        {"app create", "make an application and start it",
         "  gearbox app create site php\n"
         "  gearbox app create blog --from-code wordpress        a quickstart\n"
         "  gearbox app create blog php mysql --from-code https://example.org/blog.git#main\n"
         "  gearbox app create api php -e LEVEL=debug",
         &declare_app_create},
        {"app show", "state, addresses and connection values", "  gearbox app show blog",
         &declare_app_show},
        {"app list", "your applications", "  gearbox app list --output json", &declare_app_list},
        {"app start", "start it", "", &declare_app_start},
        {"app stop", "stop it; visitors get an error page", "", &declare_app_stop},
        {"app restart", "stop and start it", "", &declare_app_restart},
        {"app force-stop", "kill every process of it", "", &declare_app_force_stop},
        {"app reload", "have it read its configuration again", "", &declare_app_reload},
        {"app tidy", "remove old logs, temporary files and git's garbage", "", &declare_app_tidy},
        {"app scale-up", "one gear more, for scaled applications", "", &declare_app_scale_up},
        {"app scale-down", "one gear less, for scaled applications", "", &declare_app_scale_down},
        {"app enable-ha", "survive the loss of a gear, where the server can", "", &declare_app_enable_ha},
        {"app disable-ha", "do so no longer", "", &declare_app_disable_ha},
        {"app configure", "how it is deployed",
         "  gearbox app configure blog --no-auto-deploy --keep-deployments 5", &declare_app_configure},
        {"app delete", "remove it with its data and repository",
         "  gearbox app delete blog --confirm", &declare_app_delete},
        {"cartridge list", "languages and services on offer", "", &declare_cartridge_list},
        {"cartridge add", "add one to an application", "  gearbox cartridge add mysql -a blog",
         &declare_cartridge_add},
        {"cartridge remove", "remove one from an application, with its data", "",
         &declare_cartridge_remove},
        {"cartridge show", "one cartridge of an application", "", &declare_cartridge_show},
        {"cartridge status", "what it says of itself", "", &declare_cartridge_status},
        {"cartridge start", "start one cartridge", "", &declare_cartridge_start},
        {"cartridge stop", "stop one cartridge", "", &declare_cartridge_stop},
        {"cartridge restart", "restart one cartridge", "", &declare_cartridge_restart},
        {"cartridge reload", "have it read its configuration again", "", &declare_cartridge_reload},
        {"cartridge storage", "show or set its extra storage",
         "  gearbox cartridge storage php -a blog --set 1", &declare_cartridge_storage},
        {"cartridge check", "what is wrong with a cartridge that you write", "  gearbox cartridge check ./redis",
         &declare_cartridge_check},
        {"cartridge scale", "set how many gears it may have, for scaled applications", "",
         &declare_cartridge_scale},
        {"env set", "set variables", "  gearbox env set LEVEL=debug KEY=1 -a blog", &declare_env_set},
        {"env unset", "remove variables", "  gearbox env unset LEVEL -a blog", &declare_env_unset},
        {"env list", "all variables", "  gearbox env list blog", &declare_env_list},
        {"env show", "some variables", "", &declare_env_show},
        {"alias add", "give it another host name", "  gearbox alias add blog www.example.org",
         &declare_alias_add},
        {"alias list", "its other host names", "", &declare_alias_list},
        {"alias remove", "take a host name away", "", &declare_alias_remove},
        {"alias update-cert", "give the name a certificate of its own",
         "  gearbox alias update-cert blog www.example.org --certificate chain.pem --private-key key.pem",
         &declare_alias_update_cert},
        {"alias delete-cert", "take its certificate away", "", &declare_alias_delete_cert},
        {"deploy", "deploy a git ref, or an archive, without a push",
         "  gearbox deploy v1.2 -a blog\n  gearbox deploy blog.tar.gz -a blog", &declare_deploy},
        {"deployment list", "what was deployed", "", &declare_deployment_list},
        {"deployment show", "one of them", "", &declare_deployment_show},
        {"deployment activate", "go back to a deployment that was kept",
         "  gearbox deployment activate 1a2b3c4d -a blog", &declare_deployment_activate},
        {"snapshot save", "save everything of it in a file",
         "  gearbox snapshot save blog -f monday.tar.gz", &declare_snapshot_save},
        {"snapshot restore", "put a snapshot back, also one of another application", "",
         &declare_snapshot_restore},
        {"quickstart list", "applications that are ready to be created", "",
         &declare_quickstart_list},
        {"sshkey add", "allow a key", "  gearbox sshkey add laptop ~/.ssh/id_ed25519.pub",
         &declare_key_add},
        {"sshkey list", "keys allowed", "", &declare_key_list},
        {"sshkey show", "one key", "", &declare_key_show},
        {"sshkey remove", "allow it no longer", "", &declare_key_remove},
        {"git-clone", "clone an application's repository, ready to push",
         "  gearbox git-clone blog && cd blog\n  git commit -am 'change' && git push",
         &declare_git_clone},
        {"ssh", "log in to an application's gear",
         "  gearbox ssh blog\n  gearbox ssh blog -- ls app-root/data", &declare_ssh},
        {"tail", "follow an application's logs", "  gearbox tail blog", &declare_tail},
        {"scp", "copy files to or from a gear", "  gearbox scp blog upload photo.jpg app-root/data/",
         &declare_scp},
        {"port-forward", "reach its services on ports of this machine", "  gearbox port-forward blog",
         &declare_port_forward},
        {"conformance", "try to break out of its gear; status 1 if anything was not stopped",
         "  gearbox conformance blog --group network", &declare_conformance},
        {"threaddump", "have it write what its threads do", "", &declare_threaddump},
        {"team create", "people who share a role in domains", "  gearbox team create ops", &declare_team_create},
        {"team list", "teams that you are in", "", &declare_team_list},
        {"team show", "one team and who is in it", "", &declare_team_show},
        {"team delete", "remove a team, and what it gave", "", &declare_team_delete},
        {"team leave", "be in it no longer", "", &declare_team_leave},
        {"member list", "who may do what in a domain", "", &declare_member_list},
        {"member add", "let accounts in", "  gearbox member add alice bob -r edit", &declare_member_add},
        {"member update", "give members another role", "", &declare_member_update},
        {"member remove", "let accounts in no longer", "", &declare_member_remove},
        {"authorization list", "tokens of the account", "", &declare_authorization_list},
        {"authorization add", "make a token",
         "  gearbox authorization add --scopes read --note 'status page'", &declare_authorization_add},
        {"authorization delete", "revoke tokens", "", &declare_authorization_delete},
        {"authorization delete-all", "revoke every token", "", &declare_authorization_delete_all},
        {"server list", "servers that this machine knows", "", &declare_server_list},
        {"server add", "set up another server and use it",
         "  gearbox server add school --server gearbox.school.example", &declare_server_add},
        {"server use", "use another one from now on", "  gearbox server use default", &declare_server_use},
        {"server show", "one of them", "", &declare_server_show},
        {"server remove", "forget one", "", &declare_server_remove},
        {"server status", "whether the appliance answers", "", &declare_server_status},
        {"region list", "regions of the appliance", "", &declare_region_list},
        {"completion", "print a shell completion script", "  source <(gearbox completion bash)",
         &declare_completion},
        {"admin status", "what the daemon has and does", "", &declare_admin_status},
        {"admin check", "whether store, gears, router and operations agree; status 1 if not", "",
         &declare_admin_check},
        {"admin install-to", "make the running live system one that starts from a disk, with all that it has",
         "  sudo gearbox admin install-to /dev/sda", &declare_admin_install_to},
        {"admin persist", "move a live system's session to a disk, which keeps everything from then on",
         "  sudo gearbox admin persist", &declare_admin_persist},
        {"admin app list", "the applications of everybody", "", &declare_admin_app_list},
        {"admin app start", "start somebody's application", "  gearbox admin app start blog-demo",
         &declare_admin_app_start},
        {"admin app stop", "stop somebody's application", "", &declare_admin_app_stop},
        {"admin app restart", "restart somebody's application", "", &declare_admin_app_restart},
        {"admin app resize", "give somebody's application another gear size",
         "  gearbox admin app resize blog-demo medium", &declare_admin_app_resize},
        {"admin app delete", "remove somebody's application with its data", "", &declare_admin_app_delete},
        {"admin gear list", "what every gear uses of memory, disk and processors", "", &declare_admin_gear_list},
        {"admin gear plan", "how its sandbox is made, step by step",
         "  gearbox admin gear plan blog-demo", &declare_admin_gear_plan},
        {"admin gear freeze", "stop its processes where they are", "", &declare_admin_gear_freeze},
        {"admin gear thaw", "let them go on", "", &declare_admin_gear_thaw},
        {"admin cartridge import", "take in a cartridge and offer it to everybody",
         "  gearbox admin cartridge import ./redis\n"
         "  gearbox admin cartridge import https://example.com/redis-cartridge.git#v2", &declare_admin_cartridge_import},
        {"admin cartridge list", "the imported ones, and who uses them", "", &declare_admin_cartridge_list},
        {"admin cartridge activate", "offer one again", "", &declare_admin_cartridge_activate},
        {"admin cartridge deactivate", "do not offer one any more", "", &declare_admin_cartridge_deactivate},
        {"admin cartridge upgrade", "bring applications that have one to the version on offer",
         "  gearbox admin cartridge upgrade acme-redis shop-acme", &declare_admin_cartridge_upgrade},
        {"admin cartridge remove", "forget one that nobody uses", "", &declare_admin_cartridge_remove},
        {"admin profile list", "the security profiles, and how many gears have each", "", &declare_admin_profile_list},
        {"admin user create", "make an account", "  gearbox admin user create alice",
         &declare_user_create},
        {"admin user list", "all accounts", "", &declare_user_list},
        {"admin user delete", "remove an account without domains", "", &declare_user_delete},
        {"admin user show", "one account's limits and use", "", &declare_user_show},
        {"admin user set", "what an account may use",
         "  gearbox admin user set alice --max-gears 5 --allow-private-certificates",
         &declare_user_set},
        {"admin user passwd", "set an account's password", "", &declare_user_password},
    };
    return table;
}

int run_cli(const std::vector<std::string>& given, const World& world) {
    CLI::App top("gearbox: applications on a Gearbox appliance, by git push", "gearbox");
    top.footer("Begin with 'gearbox setup'. Every command explains itself: gearbox app create --help");
    Parsed parsed;
    declare_all(top, parsed);
    const std::vector<std::string> args = in_our_words(top, given);
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    try {
        top.parse(reversed);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {  // --help, --version
            top.exit(error, world.streams.out, world.streams.err);
            return 0;
        }
        const std::string better = advice(top, args);
        world.streams.err << "error: " << (better.empty() ? error.what() : better.c_str()) << "\n";
        if (better.empty()) {
            world.streams.err << "'--help' after the command tells how it is used\n";
        }
        return exit_status::usage;
    }
    return run_command(parsed, world);
}

}  // namespace gearbox::cli
