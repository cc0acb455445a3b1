// Work inside another process's network namespace.
#pragma once
#include <sys/types.h>

#include <functional>

namespace gearbox::sys {

/// Calls it while the calling thread is in the namespace; sockets that it makes stay there. Throws what the call
/// throws, and Error(unavailable) if the process is gone. Needs CAP_SYS_ADMIN (setns(2)).
void in_network_of(pid_t pid, const std::function<void()>& call);

}  // namespace gearbox::sys
