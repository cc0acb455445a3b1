#include "sys/limits.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace gearbox::sys {

namespace {

void set_limits(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
    rlimit limit{};
    check(::getrlimit(resource, &limit), "reading resource limit ", resource);
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, hard);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, soft);
    check(::setrlimit(resource, &limit), "setting resource limit ", resource);
}

bool is_dump_piped() {
    constexpr const char* path = "/proc/sys/kernel/core_pattern";
    const UniqueFd fd(check(::open(path, O_RDONLY | O_CLOEXEC), "opening '", path, "'"));
    char first = 0;
    check(::read(fd.get(), &first, 1), "reading '", path, "'");
    return first == '|' || first == '@';
}

}  // namespace

void set_limit(int resource, std::uint64_t value) {
    set_limits(static_cast<__rlimit_resource>(resource), value, value);
}

void set_core_limit(std::uint64_t value) {
    // 1, not 0: a limit of 0 does not keep the kernel from starting that program.
    if (is_dump_piped()) {
        set_limits(RLIMIT_CORE, 1, 1);
    } else {
        set_limits(RLIMIT_CORE, 0, value);
    }
}

void reset_oom_score() {
    constexpr const char* path = "/proc/self/oom_score_adj";
    const UniqueFd fd(check(::open(path, O_WRONLY | O_CLOEXEC), "opening '", path, "'"));
    write_all(fd.get(), "0");
}

}  // namespace gearbox::sys
