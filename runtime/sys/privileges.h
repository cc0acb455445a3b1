// Giving up what root has, in the order that the kernel demands. For the single-threaded gear-init.
#pragma once
#include <sys/types.h>

#include <cstdint>

namespace gearbox::sys {

// keep: capabilities, one bit each (sys/capabilities.h); the same in all three calls.

/// Takes all others out of the bounding set: nothing that is executed later can have them. Before become().
void drop_bounding_set(std::uint64_t keep);

/// Leaves every group but the one, then becomes the user: real, effective, saved. Capabilities of
/// the process go with that, but those to keep, which only stay permitted.
void become(uid_t uid, gid_t gid, std::uint64_t keep);

/// Empties what is left of all others: effective, permitted, inheritable and ambient set. What is kept is in
/// all four, so that programs that are executed have it.
void drop_capabilities(std::uint64_t keep);

/// A session keyring of its own in the place of the daemon's (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING). As root: it
/// does not count among the few keys that the user may have.
void leave_keyring();

void set_no_new_privileges();

}  // namespace gearbox::sys
