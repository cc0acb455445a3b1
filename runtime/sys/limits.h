// Limits of a process and of what it starts. For the single-threaded gear-init, while it is still root.
#pragma once
#include <cstdint>

namespace gearbox::sys {

/// Soft and hard limit of this process (RLIMIT_…); a hard limit that is lower already stays.
void set_limit(int resource, std::uint64_t value);

/// The size of core dumps: 0 at first, and at most this if somebody asks for more. None at all where the kernel
/// hands them to a program of the host (core(5), "Piping core dumps to a program"), which no size limits: a dump
/// is to stay in the gear.
void set_core_limit(std::uint64_t value);

/// The memory killer no longer spares this process. By CAP_SYS_RESOURCE the value is the lowest from here on, too.
void reset_oom_score();

}  // namespace gearbox::sys
