#include "sys/network_namespace.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/fd.h"
#include "sys/process.h"

#include <fcntl.h>
#include <sched.h>

#include <exception>

namespace gearbox::sys {

void in_network_of(pid_t pid, const std::function<void()>& call) {
    // Not by /proc/PID/ns/net: to open that waits for an execve() of the process to end (proc_ns_get_link of the kernel).
    const auto process = find_pidfd(pid);
    if (!process) {
        fail(ErrorKind::unavailable, "process ", pid, " has ended, and its network with it");
    }
    // In this very thread: a new one waits for a processor, which the start of a gear has just taken.
    const UniqueFd own(check(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "opening my own network"));
    check(::setns(process->get(), CLONE_NEWNET), "entering the network of process ", pid);
    const Defer back([&] {
        if (::setns(own.get(), CLONE_NEWNET) < 0) {
            std::terminate();  // whatever came next would be done to a gear's network
        }
    });
    call();
}

}  // namespace gearbox::sys
