// Control groups of gears: libcgroup, for v1 hierarchies and the unified v2 one.
#pragma once
#include "base/fd.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gearbox::sys {

struct CgroupLimits {
    std::int64_t memory_bytes = 0;
    std::int64_t swap_bytes = 0;  ///< v2 only
    std::int64_t pids = 0;
    std::int64_t cpu_weight = 100;
    std::int64_t io_weight = 100;  ///< v2 only, where the io controller was delegated; 0: none
};

struct CgroupUse {
    std::int64_t memory_bytes = 0;
    std::int64_t cpu_us = 0;
    std::int64_t processes = 0;
    bool is_frozen = false;
};

/// Groups below one parent. Thread-safe: libcgroup is not, so all of its calls are behind one mutex
/// (its tasks.h and api.c mark several as unsafe).
class Cgroups {
public:
    /// Empty parent: on v2 the parent of our own group (unit with Delegate=yes and
    /// DelegateSubgroup=), on v1 "/gearbox".
    explicit Cgroups(const std::string& parent);

    /// Creates the child with its limits, or sets the limits of an existing one.
    void ensure(const std::string& child, const CgroupLimits& limits) const;
    /// The most that the child gets of processors, in percent of one. By itself, so that a caller can do it beside something
    /// else: the kernel looks at every group of the machine for it (__cfs_schedulable in kernel/sched/core.c).
    void limit_cpu(const std::string& child, std::int64_t percent) const;
    /// The directory of the child on v2, for processes to be born in it, which costs nothing; moving one
    /// waits for the whole machine. None on v1.
    UniqueFd open(const std::string& child) const;
    /// On v1 its `tasks` in each controller, for processes that join it by themselves. Empty on v2.
    std::vector<UniqueFd> open_tasks(const std::string& child) const;
    /// Asks the user's processes inside, but for one, to end by themselves (TERM), and waits until they have: those that
    /// come meanwhile as well. False: after that time some are left.
    bool end_all(const std::string& child, uid_t user, pid_t but, std::chrono::milliseconds time) const;
    /// Kills everything inside and waits until it is empty; a child that does not exist is fine.
    void kill_all(const std::string& child) const;
    /// kill_all() and removes the child.
    void destroy(const std::string& child) const;
    /// Processes inside, as seen from our pid namespace.
    std::vector<pid_t> processes(const std::string& child) const;

    /// All zero for a child that does not exist.
    CgroupUse use(const std::string& child) const;
    /// Throws Error(unavailable) on v1, and when the child does not stand still within some seconds.
    void freeze(const std::string& child) const;
    /// A child that does not exist or is not frozen is fine.
    void thaw(const std::string& child) const;
    /// Or about to be: what is born in it stands still before it is a program of its own.
    bool is_frozen(const std::string& child) const;
    /// Processes of the child that were killed because of its memory limit, since it exists.
    std::int64_t oom_kills(const std::string& child) const;

    /// Of version 2.
    bool is_unified() const { return unified_; }
    /// In any controller.
    bool exists(const std::string& child) const;

private:
    std::string path_of(const std::string& child) const;
    std::string directory(const std::string& controller, const std::string& child) const;

    bool unified_ = false;
    bool has_io_ = false;
    std::string parent_;  ///< without leading slash
};

}  // namespace gearbox::sys
