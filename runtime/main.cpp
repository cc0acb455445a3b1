// gearboxd: broker and node in one process. This file names every concrete class; nothing else does.
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/keyed_mutex.h"
#include "base/log.h"
#include "base/settings.h"
#include "broker/admin.h"
#include "broker/broker.h"
#include "control/control_server.h"
#include "node/local_agent.h"
#include "node/profiles.h"
#include "node/security_policy.h"
#include "node/sessions.h"
#include "rest/api_doc.h"
#include "rest/dispatcher.h"
#include "rest/server.h"
#include "sys/git.h"

#include <malloc.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace gearbox {

namespace {

constexpr const char* default_config = "/etc/gearbox/gearboxd.toml";
constexpr const char* usage =
    "usage: gearboxd [--config FILE] [--dump-settings | --check-profiles [DIR] | --settings-doc | --api-doc | "
    "--version]\n";

struct Options {
    enum class Action { run, dump_settings, check_profiles, settings_doc, api_doc, version, help };
    Action action = Action::run;
    std::optional<std::string> config;
    std::optional<std::string> profile_dir;  ///< to be checked instead of the settings'
};

Options parse_options(int argc, char** argv) {
    Options out;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--config" && i + 1 < argc) {
            out.config = argv[++i];
        } else if (word == "--dump-settings") {
            out.action = Options::Action::dump_settings;
        } else if (word == "--check-profiles") {
            out.action = Options::Action::check_profiles;
            if (i + 1 < argc && argv[i + 1][0] != '-') {
                out.profile_dir = argv[++i];
            }
        } else if (word == "--settings-doc") {
            out.action = Options::Action::settings_doc;
        } else if (word == "--api-doc") {
            out.action = Options::Action::api_doc;
        } else if (word == "--version") {
            out.action = Options::Action::version;
        } else {
            out.action = Options::Action::help;
            return out;
        }
    }
    return out;
}

// sd_notify(3) is one datagram; a library for it would cost more memory than this function.
void notify_systemd(std::string_view state) {
    const char* const path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) {
        return;
    }
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
             length);
}

// Blocked before any thread starts: all of them inherit it, and the signals come to this descriptor.
UniqueFd take_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
        ::sigaddset(&signals, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return UniqueFd(check(::signalfd(-1, &signals, SFD_CLOEXEC), "taking signals"));
}

// Returns when the daemon is to end.
void wait_for_end(const UniqueFd& signals, LocalAgent& agent) {
    for (;;) {
        signalfd_siginfo info{};
        if (::read(signals.get(), &info, sizeof info) != sizeof info) {
            continue;
        }
        if (info.ssi_signo == SIGCHLD) {
            agent.reap();
        } else if (info.ssi_signo != SIGHUP) {
            return;
        }
    }
}

void add_sessions(ControlServer& control, Sessions& sessions) {
    control.add_conversation("session", [&sessions](const Json& args, const Peer& peer,
                                                    ControlConnection& connection) {
        const SessionChannel channel{connection.fd(), [&connection](const Json& message, const auto& descriptors) {
                                         connection.send(message, descriptors);
                                     }};
        sessions.serve(args, peer.uid, channel);
    });
}

void add_admin_verbs(ControlServer& control, Broker& broker) {
    for (const AdminVerb& verb : admin_verbs()) {
        control.add_verb(verb.name,
                         [&broker, &verb](const Json& args, const Peer&) { return verb.run(broker, args); });
    }
}

void run_daemon(const Settings& settings) {
    // Many short-lived threads: without a limit each would get a heap of its own.
    ::mallopt(M_ARENA_MAX, 2);
    ::umask(022);
    const UniqueFd signals = take_signals();
    const sys::GitLibrary git;
    const SystemClock clock;
    KeyedMutex application_locks;
    std::filesystem::create_directories(settings.paths.runtime_dir);
    std::filesystem::create_directories(settings.paths.state_dir);
    LocalAgent agent(settings, clock);
    StateStore store(settings.paths.state_dir + "/state.db");
    Sessions sessions(agent, application_locks);
    Broker broker({settings, store, agent, sessions, clock, random_ids(), application_locks,
                   settings.paths.state_dir + "/token.key"});
    rest::Dispatcher dispatcher(broker);
    rest::Server server(dispatcher, settings.rest);
    ControlServer control(settings.paths.runtime_dir + "/control.sock");
    add_sessions(control, sessions);
    add_admin_verbs(control, broker);
    agent.recover();
    // Before anybody is served: what a crash left half-done is undone or finished. Gears' scripts that hang must not keep
    // the daemon from its start, which systemd waits for (TimeoutStartSec in gearboxd.service).
    agent.limit_scripts(std::chrono::seconds(120));
    broker.reconciler.repair();
    agent.limit_scripts(std::chrono::seconds::max());
    broker.users.import(settings.paths.state_dir + "/initial-users.json");
    control.start();
    std::thread http([&] { server.run(); });
    log::info("gearboxd ", GEARBOX_VERSION, " is ready");
    notify_systemd("READY=1");
    std::thread starter([&] {
        broker.reconciler.repeat_events();
        agent.start_missing(application_locks);
        agent.watcher().run(application_locks);
    });
    wait_for_end(signals, agent);
    notify_systemd("STOPPING=1");
    log::info("ending: waiting for running operations");
    // Archives that come or go over the API are sessions, too.
    sessions.stop();
    server.stop();
    http.join();
    control.stop();
    agent.watcher().stop();
    starter.join();
}

// As the daemon would read them, without starting it.
void check_profiles(const Settings& settings) {
    const auto policy = make_security_policy(settings.security.policy);
    const std::size_t count = Profiles(settings, *policy).all().size();
    std::printf("%s: %zu %s, nothing is wrong\n", settings.security.profile_dir.c_str(), count,
                count == 1 ? "profile" : "profiles");
}

int run(const Options& options) {
    switch (options.action) {
        case Options::Action::help: std::fputs(usage, stderr); return 2;
        case Options::Action::version: std::puts("gearboxd " GEARBOX_VERSION); return 0;
        case Options::Action::settings_doc: std::fputs(settings_markdown().c_str(), stdout); return 0;
        case Options::Action::api_doc: std::fputs(rest::api_markdown().c_str(), stdout); return 0;
        case Options::Action::dump_settings:
        case Options::Action::check_profiles:
        case Options::Action::run: break;
    }
    const bool has_file = options.config || ::access(default_config, F_OK) == 0;
    Settings settings =
        has_file ? load_settings(options.config.value_or(default_config)) : make_default_settings();
    if (options.action == Options::Action::dump_settings) {
        std::fputs(dump_settings(settings).c_str(), stdout);
        return 0;
    }
    if (options.action == Options::Action::check_profiles) {
        settings.security.profile_dir = options.profile_dir.value_or(settings.security.profile_dir);
        check_profiles(settings);
        return 0;
    }
    run_daemon(settings);
    return 0;
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    try {
        return gearbox::run(gearbox::parse_options(argc, argv));
    } catch (const gearbox::Error& error) {
        gearbox::log::error("gearboxd: ", error.text());
        return 1;
    } catch (const std::exception& error) {
        gearbox::log::error("gearboxd: ", std::string_view(error.what()));
        return 1;
    }
}
