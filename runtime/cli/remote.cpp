// ssh, tail, git-clone: replaced by the program that does it, with the addresses that hold from here.
#include "cli/command.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct Target {
    std::string name;
    std::string domain;
};

void add_target(CLI::App& parser, Target& target) {
    parser.add_option("NAME", target.name, "the application")->required();
    parser.add_option("-n,--namespace", target.domain, "its domain (default: the one in use)");
}

std::vector<std::string> ssh_command(const Session& session, const Json& application) {
    std::vector<std::string> argv{"ssh"};
    for (const std::string& option : ssh_options(session)) {
        argv.push_back(option);
    }
    argv.push_back(ssh_target(application, session.config()));
    return argv;
}

// git takes core.sshCommand as one line that its shell splits: each word in single quotes.
std::string shell_quoted(const std::string& word) {
    std::string out = "'";
    for (const char c : word) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

}  // namespace

Runner declare_ssh(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::vector<std::string> words;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_target(parser, arguments->target);
    parser.add_option("COMMAND", arguments->words, "run this instead of a shell");
    return [arguments](Session& session) {
        const Json application =
            session.application(arguments->target.name, arguments->target.domain);
        std::vector<std::string> argv = ssh_command(session, application);
        argv.insert(argv.end(), arguments->words.begin(), arguments->words.end());
        return session.world().execute(argv);
    };
}

Runner declare_tail(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string files = "*/log*/*";
    };
    const auto arguments = std::make_shared<Arguments>();
    add_target(parser, arguments->target);
    parser.add_option("-f,--files", arguments->files, "files below the gear's home")
        ->capture_default_str();
    return [arguments](Session& session) {
        const Json application =
            session.application(arguments->target.name, arguments->target.domain);
        std::vector<std::string> argv = ssh_command(session, application);
        argv.push_back("tail " + arguments->files);
        return session.world().execute(argv);
    };
}

Runner declare_git_clone(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string directory;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_target(parser, arguments->target);
    parser.add_option("DIRECTORY", arguments->directory, "default: the application's name");
    return [arguments](Session& session) {
        const Json application =
            session.application(arguments->target.name, arguments->target.domain);
        std::string ssh = "ssh";
        for (const std::string& option : ssh_options(session)) {
            ssh += " " + shell_quoted(option);
        }
        // Kept in the clone's configuration, so that a plain `git push` works there.
        return session.world().execute(
            {"git", "clone", "--config", "core.sshCommand=" + ssh, git_url(application, session.config()),
             arguments->directory.empty() ? arguments->target.name : arguments->directory});
    };
}

}  // namespace gearbox::cli
