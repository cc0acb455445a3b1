#include "sys/cgroup.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "sys/process.h"

#include <libcgroup.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fcntl.h>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

namespace gearbox::sys {

namespace {

constexpr std::array controllers = {"memory", "pids", "cpu"};

std::mutex& library_lock() {
    static std::mutex lock;
    return lock;
}

struct Free {
    void operator()(cgroup* group) const { ::cgroup_free(&group); }
};
using Handle = std::unique_ptr<cgroup, Free>;

template <typename... Parts>
void check_cgroup(int rc, const Parts&... doing) {
    if (rc != 0) {
        fail(ErrorKind::internal, doing..., ": ",
             rc == ECGOTHER ? "system error" : ::cgroup_strerror(rc));
    }
}

Handle make_handle(const std::string& path) {
    Handle handle(::cgroup_new_cgroup(path.c_str()));
    if (!handle) {
        fail(ErrorKind::internal, "no memory for cgroup '", path, "'");
    }
    return handle;
}

cgroup_controller* add_controller(cgroup* group, const char* name) {
    cgroup_controller* const controller = ::cgroup_add_controller(group, name);
    if (controller == nullptr) {
        fail(ErrorKind::unavailable, "the cgroup controller '", name, "' cannot be used");
    }
    return controller;
}

std::string mount_point(const char* controller) {
    char* path = nullptr;
    check_cgroup(::cgroup_get_subsys_mount_point(controller, &path),
                 "looking for the cgroup controller '", controller, "'");
    const std::unique_ptr<char, decltype(&std::free)> owner(path, &std::free);
    return path;
}

// "0::/system.slice/gearboxd.service/supervisor" → "system.slice/gearboxd.service".
std::string own_parent() {
    const std::string text = read_file("/proc/self/cgroup");
    const auto at = text.find("0::/");
    if (at == std::string::npos) {
        fail(ErrorKind::unavailable, "this process is in no cgroup of the unified hierarchy");
    }
    std::string path = text.substr(at + 4, text.find('\n', at) - at - 4);
    const auto slash = path.rfind('/');
    path.erase(slash == std::string::npos ? 0 : slash);
    return path;
}

void set_v2(cgroup* group, const CgroupLimits& limits, bool has_io) {
    cgroup_controller* const memory = add_controller(group, "memory");
    cgroup_controller* const pids = add_controller(group, "pids");
    cgroup_controller* const cpu = add_controller(group, "cpu");
    check_cgroup(::cgroup_set_value_int64(memory, "memory.max", limits.memory_bytes), "memory.max");
    // No memory.high: without somebody who then makes room, the kernel slows a gear that wants more
    // down for ever instead of ending it, its innocent processes too (docs/adr/0016-limits.md).
    check_cgroup(::cgroup_set_value_int64(memory, "memory.swap.max", limits.swap_bytes),
                 "memory.swap.max");
    if (has_io && limits.io_weight > 0) {
        cgroup_controller* const io = add_controller(group, "io");
        check_cgroup(::cgroup_set_value_int64(io, "io.weight", limits.io_weight), "io.weight");
    }
    check_cgroup(::cgroup_set_value_int64(pids, "pids.max", limits.pids), "pids.max");
    check_cgroup(::cgroup_set_value_int64(cpu, "cpu.weight", limits.cpu_weight), "cpu.weight");
}

// The number after the key in a flat keyed file of the kernel, the first one for ""; 0 if there is none.
std::int64_t value_in(const std::string& file, const std::string& key) {
    std::istringstream words(find_file(file).value_or(""));
    std::int64_t value = 0;
    if (key.empty()) {
        words >> value;
        return value;
    }
    for (std::string word; words >> word >> value;) {
        if (word == key) {
            return value;
        }
    }
    return 0;
}

void write_to(const std::string& file, const std::string& text) {
    const UniqueFd fd(check(::open(file.c_str(), O_WRONLY | O_CLOEXEC), "opening '", file, "'"));
    write_all(fd.get(), text);
}

void set_v1(cgroup* group, const CgroupLimits& limits) {
    cgroup_controller* const memory = add_controller(group, "memory");
    cgroup_controller* const pids = add_controller(group, "pids");
    cgroup_controller* const cpu = add_controller(group, "cpu");
    check_cgroup(::cgroup_set_value_int64(memory, "memory.limit_in_bytes", limits.memory_bytes),
                 "memory.limit_in_bytes");
    check_cgroup(::cgroup_set_value_int64(pids, "pids.max", limits.pids), "pids.max");
    // shares 1024 is the default as weight 100 is.
    check_cgroup(::cgroup_set_value_int64(cpu, "cpu.shares", limits.cpu_weight * 1024 / 100),
                 "cpu.shares");
}

}  // namespace

Cgroups::Cgroups(const std::string& parent) {
    const std::lock_guard guard(library_lock());
    check_cgroup(::cgroup_init(), "reading the mounted cgroups");
    struct statfs info {};
    const std::string memory = mount_point("memory");
    check(::statfs(memory.c_str(), &info), "looking at '", memory, "'");
    unified_ = info.f_type == CGROUP2_SUPER_MAGIC;
    parent_ = !parent.empty() ? parent : unified_ ? own_parent() : "gearbox";
    while (parent_.starts_with('/')) {
        parent_.erase(0, 1);
    }
    const auto delegated = find_file(str(memory, "/", parent_, "/cgroup.controllers"));
    has_io_ = unified_ && delegated && str(" ", *delegated, " ").find(" io") != std::string::npos;
}

std::string Cgroups::path_of(const std::string& child) const {
    return parent_.empty() ? child : str(parent_, "/", child);
}

std::string Cgroups::directory(const std::string& controller, const std::string& child) const {
    const std::lock_guard guard(library_lock());
    return str(mount_point(controller.c_str()), "/", path_of(child));
}

void Cgroups::ensure(const std::string& child, const CgroupLimits& limits) const {
    const std::lock_guard guard(library_lock());
    const Handle group = make_handle(path_of(child));
    while_doing([&] {
        unified_ ? set_v2(group.get(), limits, has_io_) : set_v1(group.get(), limits);
    },
                "setting limits of cgroup '", child, "'");
    // Ownership left as it is: giving root its own files would look each of them up, which costs as much as the rest.
    constexpr int ignore_ownership = 1;
    check_cgroup(::cgroup_create_cgroup(group.get(), ignore_ownership), "creating cgroup '", child, "'");
}

void Cgroups::limit_cpu(const std::string& child, std::int64_t percent) const {
    // Of a period of 100 ms, which is the kernel's own (scheduler/sched-bwc.rst).
    const std::string group = directory("cpu", child);
    const std::string quota = std::to_string(percent * 1000);
    unified_ ? write_to(group + "/cpu.max", quota + " 100000") : write_to(group + "/cpu.cfs_quota_us", quota);
}

UniqueFd Cgroups::open(const std::string& child) const {
    if (!unified_) {
        return UniqueFd();
    }
    const std::string path = directory("pids", child);
    return UniqueFd(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening cgroup '", child, "'"));
}

std::vector<UniqueFd> Cgroups::open_tasks(const std::string& child) const {
    std::vector<UniqueFd> out;
    for (std::size_t i = 0; !unified_ && i < controllers.size(); ++i) {
        const std::string path = directory(controllers[i], child) + "/tasks";
        out.emplace_back(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "opening '", path, "'"));
    }
    return out;
}

std::vector<pid_t> Cgroups::processes(const std::string& child) const {
    std::vector<pid_t> out;
    const auto text = find_file(directory("pids", child) + "/cgroup.procs");
    const char* at = text ? text->data() : nullptr;
    const char* const end = text ? at + text->size() : nullptr;
    while (at != end) {
        pid_t pid = 0;
        const auto [next, error] = std::from_chars(at, end, pid);
        if (error != std::errc{}) {
            break;
        }
        // 0 stands for a process of another pid namespace than ours.
        if (pid > 0) {
            out.push_back(pid);
        }
        at = next == end ? end : next + 1;
    }
    return out;
}

bool Cgroups::end_all(const std::string& child, uid_t user, pid_t but, std::chrono::milliseconds time) const {
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
        std::vector<UniqueFd> running;
        for (const pid_t pid : processes(child)) {
            auto pidfd = pid == but ? std::nullopt : find_pidfd(pid);
            // The user is asked for while the pidfd holds the identity. One that has ended is another's to reap.
            if (pidfd && find_user(pid) == user && !wait_for_end(pidfd->get(), std::chrono::milliseconds(0))) {
                running.push_back(std::move(*pidfd));
            }
        }
        if (running.empty()) {
            return true;
        }
        for (const UniqueFd& process : running) {
            kill_by_pidfd(process.get(), SIGTERM);
            kill_by_pidfd(process.get(), SIGCONT);  // one that is stopped would never hear of it
        }
        for (const UniqueFd& process : running) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0 || !wait_for_end(process.get(), left)) {
                return false;
            }
        }
    }
}

void Cgroups::kill_all(const std::string& child) const {
    const std::string kill_file = directory("pids", child) + "/cgroup.kill";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (auto pids = processes(child); !pids.empty(); pids = processes(child)) {
        if (std::chrono::steady_clock::now() > deadline) {
            fail(ErrorKind::unavailable, "processes of cgroup '", child, "' cannot be killed");
        }
        const UniqueFd all(::open(kill_file.c_str(), O_WRONLY | O_CLOEXEC));
        if (!all || ::write(all.get(), "1", 1) != 1) {
            for (const pid_t pid : pids) {
                ::kill(pid, SIGKILL);
            }
        }
        // The kernel offers no waitable event in v1; ends of processes take a few milliseconds.
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // allowed: nothing to wait for
    }
}

std::int64_t Cgroups::oom_kills(const std::string& child) const {
    return value_in(str(directory("memory", child), unified_ ? "/memory.events" : "/memory.oom_control"),
                    "oom_kill");
}

CgroupUse Cgroups::use(const std::string& child) const {
    CgroupUse use;
    use.memory_bytes =
        value_in(str(directory("memory", child), unified_ ? "/memory.current" : "/memory.usage_in_bytes"), "");
    use.cpu_us = unified_ ? value_in(directory("cpu", child) + "/cpu.stat", "usage_usec") : 0;
    use.processes = value_in(directory("pids", child) + "/pids.current", "");
    use.is_frozen = is_frozen(child);
    return use;
}

void Cgroups::freeze(const std::string& child) const {
    if (!unified_) {
        fail(ErrorKind::unavailable, "freezing needs cgroup v2");
    }
    const std::string group = directory("pids", child);
    write_to(group + "/cgroup.freeze", "1");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (value_in(group + "/cgroup.events", "frozen") != 1) {
        if (std::chrono::steady_clock::now() > deadline) {
            write_to(group + "/cgroup.freeze", "0");
            fail(ErrorKind::unavailable, "cgroup '", child, "' does not stand still");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // allowed: poll(2) would outlast the group
    }
}

void Cgroups::thaw(const std::string& child) const {
    if (is_frozen(child)) {
        write_to(directory("pids", child) + "/cgroup.freeze", "0");
    }
}

bool Cgroups::is_frozen(const std::string& child) const {
    return unified_ && value_in(directory("pids", child) + "/cgroup.freeze", "") == 1;
}

bool Cgroups::exists(const std::string& child) const {
    for (const char* controller : controllers) {
        const std::string path = directory(controller, child);
        if (::access(path.c_str(), F_OK) == 0) {
            return true;
        }
    }
    return false;
}

void Cgroups::destroy(const std::string& child) const {
    kill_all(child);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    // A group stays busy for a moment after its last process has left the list.
    for (;;) {
        int rc = 0;
        {
            const std::lock_guard guard(library_lock());
            const Handle group = make_handle(path_of(child));
            for (const char* controller : controllers) {
                add_controller(group.get(), controller);
            }
            rc = ::cgroup_delete_cgroup_ext(
                group.get(), CGFLAG_DELETE_RECURSIVE | CGFLAG_DELETE_IGNORE_MIGRATION);
        }
        // What it returns for a group that is not there depends on its version.
        if (!exists(child)) {
            return;
        }
        if (std::chrono::steady_clock::now() > deadline) {
            check_cgroup(rc, "removing cgroup '", child, "'");
            fail(ErrorKind::unavailable, "cgroup '", child, "' cannot be removed");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // allowed: nothing to wait for
    }
}

}  // namespace gearbox::sys
