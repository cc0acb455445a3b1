// Limits of a process and of what it starts: for the single-threaded gear-init, while it is still root, and for who changes
// those of processes that run.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace gearbox::sys {

/// RLIMIT_… of a name in a plan: nofile, nproc, memlock, sigpending. Throws Error(invalid) for another.
int resource_of(const std::string& name);

/// Soft and hard limit of this process (RLIMIT_…); a hard limit that is lower already stays.
void set_limit(int resource, std::uint64_t value);

/// The size of core dumps: 0 at first, and at most this if somebody asks for more. None at all where the kernel
/// hands them to a program of the host (core(5), "Piping core dumps to a program"), which no size limits: a dump
/// is to stay in the gear.
void set_core_limit(std::uint64_t value);

/// The hard limit of a process (0: of this one); empty if there is none with this pid.
std::optional<std::uint64_t> find_hard_limit(pid_t pid, int resource);

/// A limit that many processes have has changed: gives the new one to a process that has the old one. What it has lowered for
/// itself is not raised. True if that changes anything; a process that is gone is fine. Needs CAP_SYS_RESOURCE.
bool change_limit(pid_t pid, int resource, std::uint64_t from, std::uint64_t to);

/// The memory killer no longer spares this process. By CAP_SYS_RESOURCE the value is the lowest from here on, too.
void reset_oom_score();

}  // namespace gearbox::sys
