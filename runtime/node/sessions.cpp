#include "node/sessions.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/base64.h"
#include "model/application.h"
#include "node/disk_limit.h"
#include "node/environ.h"
#include "node/session_stream.h"

#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace gearbox {

namespace {

constexpr int hook_fd = 7;

// The gear whose account this is.
GearId gear_of(uid_t uid, const GearStore& store) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
    if (found == nullptr || !is_object_id(found->pw_name)) {
        fail(ErrorKind::forbidden, "sessions are for gears only");
    }
    GearId id(found->pw_name);
    if (store.gear(id).spec.uid != uid) {
        fail(ErrorKind::forbidden, "sessions are for gears only");
    }
    return id;
}

}  // namespace

Sessions::Sessions(LocalAgent& agent, KeyedMutex& locks) : agent_(agent), locks_(locks) {
    Pipe stop = make_pipe();
    stop_read_ = std::move(stop.read);
    stop_write_ = std::move(stop.write);
}

GearRecord Sessions::open_gear(const GearId& id, const KeyedMutex::Lock&) {
    GearRecord record = agent_.context().store.gear(id);
    agent_.context().launcher.ensure_running(record);
    const std::lock_guard guard(mutex_);
    ++open_[id];
    return record;
}

void Sessions::close_gear(const GearId& id) {
    {
        const std::lock_guard guard(mutex_);
        const auto found = open_.find(id);
        if (--found->second > 0) {
            return;
        }
        open_.erase(found);
    }
    try {
        const NodeContext& node = agent_.context();
        const auto rests = [](const auto& record) {
            return record && (record->state == GearState::stopped || record->state == GearState::fresh);
        };
        // Who was refused because of another operation does not wait for its end here.
        if (!rests(node.store.find(id))) {
            return;
        }
        const auto lock = locks_.lock(id.text());
        auto record = node.store.find(id);
        const auto is_open = [&] {
            const std::lock_guard guard(mutex_);
            return open_.contains(id);
        };
        // A look at a stopped application leaves it stopped.
        if (rests(record) && !is_open()) {
            node.launcher.end(*record);
        }
    } catch (const Error& error) {
        log::error("after a session: ", error.text(), log::field("gear", id.text()));
    }
}

void Sessions::serve(const Json& args, uid_t uid, const SessionChannel& channel) {
    const auto decoded = decode_base64(find<std::string>(args, "login").value_or(""));
    const auto login = Login::parse(decoded.value_or(""));
    const GearId gear = gear_of(uid, agent_.context().store);
    const GearRecord record = open_gear(gear, locks_.lock(gear.text()));
    const Defer end([&] { close_gear(record.spec.id); });
    SessionCommand command = parse_session_command(find<std::string>(args, "command"), record.spec,
                                                   agent_.context().home(record));
    if (command.kind == SessionCommand::Kind::shell && find<bool>(args, "tty").value_or(false)) {
        const Terminal terminal{find<int>(args, "rows").value_or(0),
                                find<int>(args, "columns").value_or(0),
                                find<std::string>(args, "term").value_or("")};
        command = make_terminal_session(terminal, record.spec, find_tightness(agent_.context(), record));
    }
    log::info("session", log::field("gear", record.spec.id.text()),
              log::field("login", login ? login->text() : ""),
              log::field("program", command.argv.front()));
    run(record, command, login ? login->text() : "", channel);
}

void Sessions::serve(const GearId& gear, const std::string& command, const std::string& login,
                     const SessionChannel& channel) {
    const std::chrono::seconds patience(agent_.context().settings.broker.lock_wait_seconds);
    std::optional lock = locks_.lock_within(gear.text(), patience);
    if (!lock) {
        fail(ErrorKind::unavailable, busy_text(agent_.context().store.gear(gear).spec.application_name, patience));
    }
    const GearRecord record = open_gear(gear, *lock);
    lock.reset();
    const Defer end([&] { close_gear(gear); });
    log::info("session", log::field("gear", gear.text()), log::field("login", login), log::field("command", command));
    run(record, parse_session_command(command, record.spec, agent_.context().home(record)), login, channel);
}

std::unique_ptr<GearStream> Sessions::open(const GearId& gear, const std::string& command, const std::string& login) {
    return std::make_unique<SessionStream>(*this, gear, command, login);
}

void Sessions::run(const GearRecord& record, const SessionCommand& command,
                   const std::string& login, const SessionChannel& channel) {
    const NodeContext& node = agent_.context();
    Environment environment = make_environment(node.files(record), record, node.settings);
    environment["OPENSHIFT_LOGIN"] = login;
    for (const EnvironmentVariable& variable : command.variables) {
        environment[variable.name] = variable.value;
    }
    GearCommand program_command;
    const bool git = command.kind == SessionCommand::Kind::receive_pack ||
                     command.kind == SessionCommand::Kind::upload_pack;
    if (command.kind == SessionCommand::Kind::receive_pack) {
        check_room(node.settings.node);
        // What cannot fit is refused while it comes (GIT_CONFIG_COUNT in git-config(1)).
        const NodeStorage storage = agent_.storage();
        const std::int64_t room = std::min(parse_mb(environment["GEARBOX_DISK_MB"]), storage.free_mb - storage.reserve_mb + 1);
        environment["GIT_CONFIG_COUNT"] = "1";
        environment["GIT_CONFIG_KEY_0"] = "receive.maxInputSize";
        environment["GIT_CONFIG_VALUE_0"] = str(room, "m");
    }
    program_command.purpose = git ? Purpose::git : Purpose::session;
    program_command.argv = command.argv;
    program_command.directory = node.home(record);
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    std::vector<std::pair<int, int>> descriptors = {
        {in.read.get(), 0}, {out.write.get(), 1}, {err.write.get(), 2}};
    auto [hooks, theirs] = make_socket_pair();
    descriptors.emplace_back(theirs.get(), hook_fd);
    environment["GEARBOX_HOOK_FD"] = std::to_string(hook_fd);
    program_command.environment = to_pairs(environment);
    GearProgram program = node.launcher.spawn(record, program_command, descriptors);
    theirs.reset();
    channel.send(Json{{"result", {{"streams", 3}}}},
                 {in.write.get(), out.read.get(), err.read.get()});
    // Ours are copies: the client must see the ends when the program closes its own.
    in = {};
    out = {};
    err = {};
    std::optional<SessionSocket> socket(std::in_place, agent_, locks_, record.spec.id, hooks.get());
    const int status = wait(program, *socket, hooks, channel);
    const bool has_deployed = socket->has_deployed();
    // What was begun and not ended is given up before anybody hears of the end.
    socket.reset();
    program.check_start(status);
    channel.send(Json{{"exit", status}}, {});
    if (has_deployed) {
        prune(record.spec.id);
    }
}

// Nobody waits for it; should the daemon end meanwhile, the next deployment does it.
void Sessions::prune(const GearId& id) {
    const auto lock = locks_.lock(id.text());
    try {
        const auto record = agent_.context().store.find(id);
        if (record && agent_.context().launcher.is_running(*record)) {
            agent_.deployer().prune(*record);
        }
    } catch (const Error& error) {
        log::warning("removing old deployments: ", error.text(), log::field("gear", id.text()));
    }
}

int Sessions::wait(GearProgram& program, SessionSocket& socket, UniqueFd& hooks,
                   const SessionChannel& channel) {
    for (;;) {
        pollfd fds[4] = {{program.child.pidfd(), POLLIN, 0},
                         {channel.fd, POLLIN | POLLRDHUP, 0},
                         {stop_read_.get(), 0, 0},
                         {hooks.get(), POLLIN, 0}};
        if (::poll(fds, 4, -1) < 0) {
            continue;
        }
        if (fds[3].revents != 0 && !socket.handle_input()) {
            hooks.reset();
        }
        if (fds[1].revents != 0 || fds[2].revents != 0) {
            // Git gives up what it has begun, and may wait for a busy disk.
            const std::chrono::seconds patience(fds[2].revents != 0 ? 5 : 30);
            program.child.kill(SIGTERM);
            return program.child.wait_for(patience).value_or(255);
        }
        if (fds[0].revents != 0 && fds[3].revents == 0) {
            return program.child.wait();
        }
    }
}

}  // namespace gearbox
