#include "node/launcher.h"

#include "base/defer.h"
#include "base/error.h"
#include "node/endpoints.h"
#include "sys/packet_filter.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <future>

namespace gearbox {

namespace {

constexpr std::size_t most_output = 4 * 1024 * 1024;
constexpr std::size_t most_report = 64 * 1024;

void say_go(const UniqueFd& status) {
    write_all(status.get(), "g");
}

// Empty text: started. Otherwise what gear-init says went wrong.
void check_report(const std::string& text, const std::string& doing) {
    if (text.empty()) {
        return;
    }
    const Json report = parse_json(text);
    if (take<std::string>(report, "step") == "exec") {
        fail(ErrorKind::unavailable, doing, ": ", take<std::string>(report, "text"),
             " (the program itself, or the interpreter in its first line)");
    }
    fail(ErrorKind::internal, doing, ": step '", take<std::string>(report, "step"),
         "': ", take<std::string>(report, "text"));
}

// All that gear-init says until it ends or runs. One that gives up before it has read "go" resets the connection behind its
// report.
std::string read_report(const UniqueFd& status) {
    std::string out;
    for (;;) {
        char buffer[4096];
        const ssize_t got = ::read(status.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && (errno != ECONNRESET || out.empty())) {
            fail_errno("reading what gear-init reports");
        }
        if (got <= 0) {
            return out;
        }
        out.append(buffer, static_cast<std::size_t>(got));
        if (out.size() > most_report) {
            fail(ErrorKind::internal, "gear-init reports more than ", most_report, " bytes");
        }
    }
}

// What gear-init has said so far.
std::string report_so_far(const UniqueFd& status) {
    check(::fcntl(status.get(), F_SETFL, O_NONBLOCK), "preparing a pipe");
    char buffer[4096];
    const ssize_t got = ::read(status.get(), buffer, sizeof buffer);
    return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// The streams of a running program, collected while it runs.
class Streams {
public:
    explicit Streams(const GearCommand& command) : command_(command) {}

    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();

    void start() {
        in.read.reset();
        out.write.reset();
        err.write.reset();
        for (const int fd : {in.write.get(), out.read.get(), err.read.get()}) {
            check(::fcntl(fd, F_SETFL, O_NONBLOCK), "preparing a pipe");
        }
        rest_ = command_.input;
        feed();
    }

    /// Pumps until the process has ended; what it started in the background may keep the pipes open
    /// for ever. False: the deadline came first.
    bool pump(int pidfd, std::chrono::steady_clock::time_point end, GearResult& result) {
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            if (left.count() <= 0) {
                return false;
            }
            pollfd fds[4] = {{pidfd, POLLIN, 0},
                             {out.read.get(), POLLIN, 0},
                             {err.read.get(), POLLIN, 0},
                             {in.write.get(), POLLOUT, 0}};
            const int timeout = static_cast<int>(std::min<long long>(left.count(), 60'000));
            if (::poll(fds, 4, timeout) < 0 && errno != EINTR) {
                fail_errno("waiting for output");
            }
            if (fds[3].revents != 0) {
                feed();
            }
            drain(out.read, result.out);
            drain(err.read, result.err);
            if (fds[0].revents != 0) {
                drain(out.read, result.out);
                drain(err.read, result.err);
                return true;
            }
        }
    }

private:
    void feed() {
        const ssize_t put = rest_.empty() ? 0 : ::write(in.write.get(), rest_.data(), rest_.size());
        if (put < 0 && errno == EAGAIN) {
            return;
        }
        rest_.remove_prefix(put < 0 ? rest_.size() : static_cast<std::size_t>(put));
        if (rest_.empty()) {
            in.write.reset();
        }
    }

    void drain(UniqueFd& from, std::string& to) {
        char buffer[16384];
        while (from) {
            const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
                return;
            }
            if (got <= 0) {
                from.reset();
                return;
            }
            const std::string_view chunk(buffer, static_cast<std::size_t>(got));
            to += chunk.substr(0, most_output - std::min(most_output, to.size()));
            if (command_.output) {
                command_.output(chunk);
            }
        }
    }

    const GearCommand& command_;
    std::string_view rest_;
};

}  // namespace

// Not swapped out, so little: what systemd allows as well. Counted by process, and by the memory limit.
constexpr std::uint64_t most_locked_bytes = 8 << 20;
// Timers and queued signals of the user; each takes memory of the kernel.
constexpr std::uint64_t pending_signals_per_process = 16;

std::vector<std::pair<std::string, std::uint64_t>> make_limits(const GearSettings& gear) {
    return {{"nofile", static_cast<std::uint64_t>(gear.open_files)},
            {"nproc", static_cast<std::uint64_t>(gear.pids)},
            {"memlock", most_locked_bytes},
            {"sigpending", pending_signals_per_process * static_cast<std::uint64_t>(gear.pids)},
            {"core", RLIM_INFINITY}};
}

Privileges make_privileges(const GearRecord& record, const Profiles& profiles, const SecurityPolicy& policy,
                           Purpose purpose) {
    const uid_t uid = record.spec.uid;
    Privileges out;
    out.uid = uid;
    out.gid = uid;
    out.label = policy.process_label(uid, purpose);
    out.limits = make_limits(profiles.limits(record));
    out.filter = name_of(FilterRules{});
    if (const Profile* const profile = profiles.find(record)) {
        // PID 1 is the platform's own program.
        if (!profile->selinux_type.empty() && purpose != Purpose::init) {
            out.label = with_type(out.label, profile->selinux_type);
        }
        out.capabilities = profile->capabilities;
        out.filter = name_of(profile->filter);
    }
    return out;
}

LaunchPlan make_launch_plan(const GearRecord& record, const Isolators& isolators) {
    LaunchPlan plan;
    for (const auto& isolator : isolators) {
        isolator->contribute(record, plan);
    }
    return plan;
}

void GearProgram::check_start(int exit_status) const {
    if (exit_status == gear_init_failed) {
        check_report(report_so_far(status), "running in the gear");
    }
}

Launcher::Launcher(const Profiles& profiles, const Paths& paths, const SecurityPolicy& policy,
                   const Isolators& isolators, const GearStore& store, sys::Reaper& reaper)
    : profiles_(profiles),
      paths_(paths),
      policy_(policy),
      isolators_(isolators),
      store_(store),
      reaper_(reaper) {
    const std::string root = paths_.new_root();
    if (::mkdir(root.c_str(), 0700) < 0 && errno != EEXIST) {
        fail_errno("creating '", root, "'");
    }
    nursery_ = make_nursery();
}

UniqueFd Launcher::make_nursery() const {
    const char* const doing = "preparing the mount namespaces of gears";
    auto [status, theirs] = make_socket_pair();
    sys::Program program;
    program.path = paths_.gear_init();
    program.argv = {"gear-init", "nursery", paths_.new_root()};
    program.descriptors = {{theirs.get(), status_fd}};
    program.namespaces = CLONE_NEWNS;
    const sys::Child child = sys::spawn(program);
    theirs.reset();
    try {
        const std::string path = str("/proc/", child.pid(), "/ns/mnt");
        UniqueFd nursery(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "opening '", path, "'"));
        say_go(status);
        check_report(read_report(status), doing);
        return nursery;
    } catch (const Error&) {
        check_report(report_so_far(status), doing);
        throw;
    }
}

std::optional<UniqueFd> Launcher::find_init(const GearRecord& record) const {
    if (record.init_pid <= 0) {
        return std::nullopt;
    }
    auto pidfd = sys::find_pidfd(record.init_pid);
    // The start time is read while the pidfd holds the identity: if both fit, it is our process.
    if (!pidfd || sys::find_start_time(record.init_pid) != record.init_start ||
        sys::wait_for_end(pidfd->get(), std::chrono::milliseconds(0))) {
        return std::nullopt;
    }
    return pidfd;
}

bool Launcher::is_running(const GearRecord& record) const {
    return find_init(record).has_value();
}

void Launcher::ensure_running(GearRecord& record, const GearRecord* planned) const {
    if (is_running(record)) {
        return;
    }
    const GearId& id = record.spec.id;
    const GearRecord& future = planned != nullptr ? *planned : record;
    const LaunchPlan plan = make_launch_plan(future, isolators_);
    const UniqueFd plan_file = memfd_from("launch-plan", to_text(to_json(plan)));
    auto [status, theirs] = make_socket_pair();
    const UniqueFd null(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "opening '/dev/null'"));
    sys::Program program;
    program.path = paths_.gear_init();
    program.argv = {"gear-init", "launch"};
    program.descriptors = {{null.get(), 0},
                           {null.get(), 1},
                           {null.get(), 2},
                           {plan_file.get(), plan_fd},
                           {theirs.get(), status_fd},
                           {profiles_.filter(plan.privileges.filter).get(), filter_fd},
                           {nursery_.get(), nursery_fd}};
    program.namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    for (const auto& isolator : isolators_) {
        isolator->prepare(future, program);
    }
    sys::Child init = sys::spawn(program);
    theirs.reset();
    const auto with_each = [&](void (Isolator::*act)(const GearRecord&, pid_t)) {
        for (const auto& isolator : isolators_) {
            while_doing([&] { ((*isolator).*act)(future, init.pid()); }, "starting gear '", id.text(),
                        "': isolator '", isolator->name(), "'");
        }
    };
    // Waited for at the latest when it is destroyed.
    std::future<void> equipped = std::async(std::launch::async, [&] { with_each(&Isolator::equip); });
    const std::string doing = str("starting gear '", id.text(), "'");
    try {
        with_each(&Isolator::connect);
        say_go(status);
        equipped.get();
    } catch (const Error&) {
        check_report(report_so_far(status), doing);  // mounts are made meanwhile: it may have given up
        throw;
    }
    check_report(read_report(status), doing);
    const auto start = sys::find_start_time(init.pid());
    if (!start) {
        fail(ErrorKind::internal, "starting gear '", id.text(),
             "': its first process ended at once");
    }
    record.init_pid = init.pid();
    record.init_start = *start;
    store_.save(record);
    reaper_.adopt(init.detach());
}

void Launcher::end(GearRecord& record) const {
    if (is_running(record)) {
        for (const auto& isolator : isolators_) {
            isolator->dismiss(record);
        }
    }
    kill(record);
}

void Launcher::kill(GearRecord& record) const {
    if (const auto init = find_init(record)) {
        sys::kill_by_pidfd(init->get(), SIGKILL);
        if (!sys::wait_for_end(init->get(), std::chrono::seconds(20))) {
            fail(ErrorKind::unavailable, "gear '", record.spec.id.text(), "' cannot be ended");
        }
    }
    for (auto isolator = isolators_.rbegin(); isolator != isolators_.rend(); ++isolator) {
        (*isolator)->disconnect(record);
    }
    reaper_.collect();
    if (record.init_pid != 0) {
        record.init_pid = 0;
        record.init_start = 0;
        store_.save(record);
    }
}

void Launcher::refresh_forwardings(const GearRecord& record) const {
    if (is_running(record)) {
        sys::set_forwardings(record.init_pid, link_addresses(record.spec.uid).gear, forwardings_of(record));
    }
}

GearProgram Launcher::spawn(const GearRecord& record, const GearCommand& command,
                            const std::vector<std::pair<int, int>>& descriptors) const {
    const auto init = find_init(record);
    if (!init) {
        fail(ErrorKind::unavailable, "gear '", record.spec.id.text(), "' does not run");
    }
    EnterPlan plan;
    plan.argv = command.argv;
    plan.environment = command.environment;
    plan.directory = command.directory;
    plan.privileges = make_privileges(record, profiles_, policy_, command.purpose);
    const UniqueFd plan_file = memfd_from("enter-plan", to_text(to_json(plan)));
    auto [status, theirs] = make_socket_pair();
    sys::Program program;
    program.path = paths_.gear_init();
    program.argv = {"gear-init", "enter"};
    program.descriptors = descriptors;
    program.descriptors.emplace_back(plan_file.get(), plan_fd);
    program.descriptors.emplace_back(theirs.get(), status_fd);
    program.descriptors.emplace_back(profiles_.filter(plan.privileges.filter).get(), filter_fd);
    program.descriptors.emplace_back(init->get(), pidfd_fd);
    for (const auto& isolator : isolators_) {
        isolator->prepare(record, program);
    }
    // What it was started for dies with the operation; services that it started do not.
    program.parent_death_signal = SIGTERM;
    sys::Child child = sys::spawn(program);
    theirs.reset();
    say_go(status);
    return {std::move(child), std::move(status)};
}

GearResult Launcher::run(const GearRecord& record, const GearCommand& command) const {
    Streams streams(command);
    GearProgram program = spawn(
        record, command,
        {{streams.in.read.get(), 0}, {streams.out.write.get(), 1}, {streams.err.write.get(), 2}});
    streams.start();
    GearResult result;
    const auto end = std::chrono::steady_clock::now() + command.deadline;
    if (!streams.pump(program.child.pidfd(), end, result)) {
        program.child.kill(SIGTERM);
        program.child.wait_for(std::chrono::seconds(5));
        fail(ErrorKind::unavailable, command.name.empty() ? str("'", command.argv[0], "'") : command.name,
             " did not end within ", command.deadline.count(), " s and was ended");
    }
    result.status = program.child.wait();
    if (result.status == gear_init_failed) {
        check_report(report_so_far(program.status), command.name.empty() ? "running in the gear" : command.name);
    }
    return result;
}

}  // namespace gearbox
