// ssh, tail, git-clone: replaced by the program that does it, with the addresses that hold from here.
#include "base/argv.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/percent.h"
#include "cli/applications.h"
#include "cli/target.h"

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

namespace gearbox::cli {

std::vector<std::string> ssh_command(const Session& session, const Json& application) {
    std::vector<std::string> argv{"ssh"};
    for (const std::string& option : ssh_options(session)) {
        argv.push_back(option);
    }
    argv.push_back(ssh_target(application, session.config()));
    return argv;
}

int run_in_gears(Session& session, const Json& application, const std::vector<std::string>& words) {
    if (words.empty()) {
        fail(ErrorKind::invalid, "--gears needs a command to run in each gear");
    }
    int status = 0;
    for (const Json& group : session.broker().get(path_of(application) + "/gear_groups").data) {
        for (const Json& gear : group.value("gears", Json::array())) {
            session.terminal().note(str("=== ", take<std::string>(gear, "id")));
            Json place = application;
            place["ssh_url"] = take<std::string>(gear, "ssh_url");
            std::vector<std::string> argv = ssh_command(session, place);
            argv.insert(argv.end(), words.begin(), words.end());
            status = session.world().run(argv, {}) == 0 ? status : exit_status::remote_failed;
        }
    }
    return status;
}

Runner declare_ssh(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::vector<std::string> words;
        bool gears = false;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_first_target(parser, arguments->target);
    parser.add_option("COMMAND", arguments->words, "run this instead of a shell");
    parser.add_flag("--gears", arguments->gears, "in each of its gears, one after the other");
    return [arguments](Session& session) {
        const Json application =
            session.application(arguments->target.name, arguments->target.domain);
        if (arguments->gears) {
            return run_in_gears(session, application, arguments->words);
        }
        std::vector<std::string> argv = ssh_command(session, application);
        argv.insert(argv.end(), arguments->words.begin(), arguments->words.end());
        return session.world().execute(argv);
    };
}

namespace {

// Ends with the person's patience, or with the application.
int show_logs(Session& session, const Json& application, int lines, bool follow) {
    const std::string path = "/application/" + percent_encode(take<std::string>(application, "id")) + "/logs";
    std::string query = str("?lines=", lines);
    while (true) {
        const Json page = session.broker().get(path + query).data;
        if (!session.print_json(page)) {
            for (const Json& line : page.at("lines")) {
                session.terminal().line(str(take<std::string>(line, "file"), ": ", take<std::string>(line, "text")));
            }
        }
        if (!follow) {
            return 0;
        }
        query = "?after=" + percent_encode(take<std::string>(page, "after"));
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace

Runner declare_tail(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string files = "*/log*/*";
        std::string options;
        bool follow = false;
        std::optional<int> lines;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_target(parser, arguments->target);
    parser.add_flag("--follow", arguments->follow, "over HTTPS instead of ssh: each line with its file, control characters made visible");
    parser.add_option("--lines", arguments->lines, "over HTTPS: the last lines of each log, and no more unless --follow")
        ->check(CLI::Range(0, 1000));
    parser.add_option("-f,--files", arguments->files, "files below the gear's home")
        ->capture_default_str();
    parser.add_option("-o,--opts", arguments->options, "options of tail, e.g. '-n 100'");
    return [arguments](Session& session) {
        const Json application =
            session.application(arguments->target.name, arguments->target.domain);
        if (arguments->follow || arguments->lines) {
            return show_logs(session, application, arguments->lines.value_or(10), arguments->follow);
        }
        std::vector<std::string> argv = ssh_command(session, application);
        const std::string options =
            arguments->options.empty() ? "" : str("--opts ", encode_base64(arguments->options), " ");
        argv.push_back(str("tail ", options, arguments->files));
        return session.world().execute(argv);
    };
}

Runner declare_scp(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string direction;
        std::string local;
        std::string remote;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_first_target(parser, arguments->target);
    parser.add_option("DIRECTION", arguments->direction, "upload or download")
        ->required()
        ->check(CLI::IsMember({"upload", "download"}));
    parser.add_option("LOCAL", arguments->local, "a file or directory here")->required();
    parser.add_option("REMOTE", arguments->remote, "a path below the gear's home")->required();
    return [arguments](Session& session) {
        const Json application = application_of(session, arguments->target);
        std::vector<std::string> argv{"scp", "-r"};
        for (const std::string& option : ssh_options(session)) {
            argv.push_back(option == "-p" ? "-P" : option);
        }
        const std::string remote =
            str(ssh_target(application, session.config()), ":", arguments->remote);
        const bool is_upload = arguments->direction == "upload";
        argv.push_back(is_upload ? arguments->local : remote);
        argv.push_back(is_upload ? remote : arguments->local);
        return session.world().execute(argv);
    };
}

namespace {

// "mysql -> 100.64.7.209:38032": the service and where it is. The port here is the usual one of the
// service where that is known, else the same as there.
struct ForwardedPort {
    std::string service;
    std::string target;
    int local = 0;
};

std::vector<ForwardedPort> parse_ports(const std::string& text) {
    std::vector<ForwardedPort> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto arrow = line.find(" -> ");
        const auto colon = line.rfind(':');
        if (arrow == std::string::npos || colon == std::string::npos || colon < arrow) {
            continue;
        }
        ForwardedPort port;
        port.service = line.substr(0, arrow);
        port.target = line.substr(arrow + 4);
        port.local = port.service == "mysql"        ? 3306
                     : port.service == "postgresql" ? 5432
                     : port.service == "redis"      ? 6379
                     : port.service == "mongodb"    ? 27017
                                                    : 8080;
        for (const ForwardedPort& other : out) {
            port.local += port.local == other.local ? 1 : 0;
        }
        out.push_back(port);
    }
    return out;
}

}  // namespace

Runner declare_port_forward(CLI::App& parser) {
    const auto target = std::make_shared<Target>();
    add_target(parser, *target);
    return [target](Session& session) {
        const Json application = application_of(session, *target);
        std::vector<std::string> argv = ssh_command(session, application);
        argv.emplace_back("rhc-list-ports 2>&1");
        const TempDir directory("gearbox-ports");
        const std::string file = directory.path() / "ports";
        if (session.world().run(argv, {"", file}) != 0) {
            throw ExitError(exit_status::remote_failed, "the gear does not tell its ports");
        }
        const auto ports = parse_ports(read_file(file));
        if (ports.empty()) {
            throw ExitError(exit_status::nothing_to_forward, "there is nothing to forward");
        }
        argv = {"ssh", "-N", "-o", "ExitOnForwardFailure=yes"};
        for (const ForwardedPort& port : ports) {
            session.terminal().line(str(port.service, "  127.0.0.1:", port.local, " → ", port.target));
            argv.insert(argv.end(), {"-L", str("127.0.0.1:", port.local, ":", port.target)});
        }
        session.terminal().note("Forwarding until you press Ctrl-C");
        for (const std::string& option : ssh_options(session)) {
            argv.push_back(option);
        }
        argv.push_back(ssh_target(application, session.config()));
        return session.world().execute(argv);
    };
}

int clone_repository(Session& session, const Json& application, const std::string& directory) {
    std::string ssh = "ssh";
    for (const std::string& option : ssh_options(session)) {
        ssh += " " + shell_word(option);
    }
    // Kept in the clone's configuration, so that a plain `git push` works there.
    return session.world().execute({"git", "clone", "--config", "core.sshCommand=" + ssh,
                                    git_url(application, session.config()), directory});
}

Runner declare_git_clone(CLI::App& parser) {
    struct Arguments {
        Target target;
        std::string directory;
    };
    const auto arguments = std::make_shared<Arguments>();
    add_first_target(parser, arguments->target);
    parser.add_option("DIRECTORY", arguments->directory, "default: the application's name");
    return [arguments](Session& session) {
        const std::string& name = arguments->target.name;
        return clone_repository(session, application_of(session, arguments->target),
                                arguments->directory.empty() ? name : arguments->directory);
    };
}

}  // namespace gearbox::cli
