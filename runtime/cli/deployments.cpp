// deployment list, show, activate, deploy, app configure.
#include "cli/target.h"

#include <filesystem>
#include <memory>

namespace gearbox::cli {

namespace {

struct OneDeployment {
    Target target;
    std::string id;
};

std::shared_ptr<OneDeployment> add_one(CLI::App& parser) {
    const auto arguments = std::make_shared<OneDeployment>();
    parser.add_option("ID", arguments->id, "as 'deployment list' shows it")->required();
    add_target_option(parser, arguments->target);
    return arguments;
}

}  // namespace

Runner declare_deployment_list(CLI::App& parser) {
    const auto target = std::make_shared<Target>();
    add_target(parser, *target);
    return [target](Session& session) {
        const Json deployments =
            session.broker().get(path_of(session, *target) + "/deployments").data;
        if (session.print_json(deployments)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& deployment : deployments) {
            const auto activations =
                find<std::vector<std::string>>(deployment, "activations").value_or(std::vector<std::string>());
            rows.push_back({take<std::string>(deployment, "id"),
                            find<std::string>(deployment, "ref").value_or("-"),
                            find<std::string>(deployment, "sha1").value_or("").substr(0, 7),
                            activations.empty() ? "never" : activations.back()});
        }
        session.terminal().table({"DEPLOYMENT", "REF", "COMMIT", "ACTIVATED"}, rows);
        return 0;
    };
}

Runner declare_deployment_show(CLI::App& parser) {
    const auto arguments = add_one(parser);
    return [arguments](Session& session) {
        for (const Json& deployment :
             session.broker().get(path_of(session, arguments->target) + "/deployments").data) {
            if (take<std::string>(deployment, "id") != arguments->id) {
                continue;
            }
            if (!session.print_json(deployment)) {
                print_fields(session, deployment);
            }
            return 0;
        }
        throw ExitError(exit_status::no_deployment,
                        str("there is no deployment '", arguments->id, "'; see 'gearbox deployment list'"));
    };
}

Runner declare_deployment_activate(CLI::App& parser) {
    const auto arguments = add_one(parser);
    return [arguments](Session& session) {
        const Reply reply = session.broker().post(
            path_of(session, arguments->target) + "/events",
            {{"event", "activate"}, {"deployment_id", arguments->id}});
        return finish(session, reply, str("deployment ", arguments->id, " is active"));
    };
}

Runner declare_deploy(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string what;
        bool hot = false;
        bool clean = false;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("WHAT", arguments->what,
                      "a branch, tag or commit of its repository, or an archive: on this machine or its address")
        ->required();
    add_target_option(parser, arguments->target);
    parser.add_flag("--hot-deploy", arguments->hot, "do not stop it for the deployment");
    parser.add_flag("--force-clean-build", arguments->clean, "forget what earlier builds left");
    return [arguments](Session& session) {
        const Json application = application_of(session, arguments->target);
        const bool is_file = std::filesystem::is_regular_file(arguments->what);
        if (!is_file && arguments->what.find("://") != std::string::npos) {
            const Reply reply = session.broker().post(path_of(application) + "/deployments",
                                                      {{"artifact_url", arguments->what},
                                                       {"hot_deploy", arguments->hot},
                                                       {"force_clean_build", arguments->clean}});
            return finish(session, reply, str("deployed as ", reply.data.value("id", "")));
        }
        std::vector<std::string> argv = ssh_command(session, application);
        std::string command = is_file ? "oo-binary-deploy" : "gear deploy " + arguments->what;
        command += arguments->hot ? " --hot-deploy" : "";
        command += arguments->clean ? " --force-clean-build" : "";
        // It becomes one line for a shell in the gear: nothing but a plain ref may pass.
        const std::string plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
        if (!is_file && (arguments->what.front() == '-' ||
                         arguments->what.find_first_not_of(plain) != std::string::npos)) {
            fail(ErrorKind::invalid, "'", arguments->what, "' is neither a file nor a git ref");
        }
        argv.push_back(command);
        return session.world().run(argv, {is_file ? arguments->what : "", ""}) == 0
                   ? 0
                   : exit_status::remote_failed;
    };
}

Runner declare_app_configure(CLI::App& parser) {
    struct Arguments {
        Target target;
        bool auto_deploy = false;
        bool no_auto_deploy = false;
        std::string branch;
        std::string type;
        int keep = 0;
    };
    const auto a = std::make_shared<Arguments>();
    add_target(parser, a->target);
    auto* on = parser.add_flag("--auto-deploy", a->auto_deploy, "a push to the branch is deployed");
    parser.add_flag("--no-auto-deploy", a->no_auto_deploy, "a push is only stored")->excludes(on);
    parser.add_option("--deployment-branch", a->branch, "the branch that is deployed");
    parser.add_option("--deployment-type", a->type, "git or binary")
        ->check(CLI::IsMember({"git", "binary"}));
    parser.add_option("--keep-deployments", a->keep, "how many to keep")->check(CLI::Range(1, 1000));
    return [a](Session& session) {
        Json change = Json::object();
        if (a->auto_deploy || a->no_auto_deploy) {
            change["auto_deploy"] = a->auto_deploy;
        }
        if (!a->branch.empty()) {
            change["deployment_branch"] = a->branch;
        }
        if (!a->type.empty()) {
            change["deployment_type"] = a->type;
        }
        if (a->keep != 0) {
            change["keep_deployments"] = a->keep;
        }
        Json shown = application_of(session, a->target);
        if (!change.empty()) {
            shown = session.broker().put(path_of(shown), change).data;
        }
        if (!session.print_json(shown)) {
            for (const char* name : {"auto_deploy", "deployment_branch", "deployment_type", "keep_deployments"}) {
                session.terminal().line(str(name, ": ", to_text(shown.value(name, Json(nullptr)))));
            }
        }
        return 0;
    };
}

}  // namespace gearbox::cli
