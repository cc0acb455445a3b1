#include "sys/network_namespace.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <future>
#include <string>

namespace gearbox::sys {

void in_network_of(pid_t pid, const std::function<void()>& call) {
    const std::string path = str("/proc/", pid, "/ns/net");
    const UniqueFd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space && (errno == ENOENT || errno == ESRCH)) {
        fail(ErrorKind::unavailable, "process ", pid, " has ended, and its network with it");
    }
    check(space.get(), "opening '", path, "'");
    std::async(std::launch::async, [&] {
        check(::setns(space.get(), CLONE_NEWNET), "entering the network of process ", pid);
        call();
    }).get();
}

}  // namespace gearbox::sys
