// Giving up what root has, in the order that the kernel demands. For the single-threaded gear-init.
#pragma once
#include <sys/types.h>

#include <cstdint>

namespace gearbox::sys {

/// Soft and hard limit of this process; a hard limit that is lower already stays.
void set_limit(int resource, std::uint64_t value);

/// Leaves every group but the one, then becomes the user: real, effective, saved. Capabilities of
/// the process go with that.
void become(uid_t uid, gid_t gid);

/// Empties the bounding set: nothing that is executed later can have a capability. Before become().
void drop_bounding_set();

/// Empties what is left: effective, permitted, inheritable and ambient capabilities.
void drop_capabilities();

void set_no_new_privileges();

}  // namespace gearbox::sys
