// Child processes held by pidfd, started by clone3(2): a multi-threaded daemon may do nothing else
// between clone and exec.
#pragma once
#include "base/fd.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gearbox::sys {

/// A program to start. Descriptors that are not listed are closed by their CLOEXEC flag.
struct Program {
    std::string path;
    std::vector<std::string> argv;
    std::vector<std::string> environment;          ///< NAME=value; nothing is inherited
    std::vector<std::pair<int, int>> descriptors;  ///< ours → the number it has in the child
    std::uint64_t namespaces = 0;                  ///< CLONE_NEW… flags
    int parent_death_signal = 0;                   ///< sent when the starting thread ends; 0: none
    UniqueFd cgroup = {};                          ///< directory of a v2 group to be born in; none: ours
    std::vector<UniqueFd> cgroup_tasks = {};       ///< `tasks` of v1 groups that it joins before it executes
};

/// A running child. Kills and reaps it when destroyed, unless detached.
class Child {
public:
    Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
    Child& operator=(Child&&) = delete;
    ~Child();

    pid_t pid() const { return pid_; }
    int pidfd() const { return pidfd_.get(); }

    /// Exit code, 128 + signal number when killed. Reaps.
    int wait();
    /// Empty when it still runs at the end of the time.
    std::optional<int> wait_for(std::chrono::milliseconds time);
    void kill(int signal) const;
    /// Gives the process up: it lives on, and the caller reaps it by its number, which no other process gets before.
    pid_t detach() { return std::exchange(pid_, 0); }

private:
    pid_t pid_;
    UniqueFd pidfd_;
};

/// Throws SysError if the process cannot be made or the program not be executed.
Child spawn(const Program& program);

/// Empty if there is no such process: none at all, or a thread of one that is not its first.
std::optional<UniqueFd> find_pidfd(pid_t pid);
/// Start time in clock ticks since boot (proc(5), stat field 22): with the pid, a process's
/// identity. Empty if there is no such process.
std::optional<std::uint64_t> find_start_time(pid_t pid);
/// The real user of a process. Empty if there is no such process.
std::optional<uid_t> find_user(pid_t pid);
/// Sends the signal; a process that is gone is fine.
void kill_by_pidfd(int pidfd, int signal);
/// True when the process has ended (a zombie counts) within the time.
bool wait_for_end(int pidfd, std::chrono::milliseconds time);

/// Reaps detached children. Thread-safe. Keeps no descriptors: each would be copied and closed again by every program
/// that the daemon starts.
class Reaper {
public:
    void adopt(pid_t detached);
    /// Reaps those that have ended; call it on SIGCHLD.
    void collect();

private:
    std::mutex mutex_;
    std::vector<pid_t> adopted_;  ///< guarded by mutex_
};

}  // namespace gearbox::sys
