#include "sys/limits.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gearbox::sys {

namespace {

void set_limits(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
    rlimit limit{};
    check(::getrlimit(resource, &limit), "reading resource limit ", resource);
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, hard);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, soft);
    check(::setrlimit(resource, &limit), "setting resource limit ", resource);
}

// By a new limit or, without, as it is.
std::optional<rlimit> exchange_limit(pid_t pid, int resource, const rlimit* limit) {
    rlimit old{};
    if (::prlimit(pid, static_cast<__rlimit_resource>(resource), limit, &old) < 0) {
        if (errno == ESRCH) {
            return std::nullopt;
        }
        fail_errno(limit == nullptr ? "reading" : "setting", " resource limit ", resource, " of process ", pid);
    }
    return old;
}

bool is_dump_piped() {
    constexpr const char* path = "/proc/sys/kernel/core_pattern";
    const UniqueFd fd(check(::open(path, O_RDONLY | O_CLOEXEC), "opening '", path, "'"));
    char first = 0;
    check(::read(fd.get(), &first, 1), "reading '", path, "'");
    return first == '|' || first == '@';
}

}  // namespace

int resource_of(const std::string& name) {
    constexpr std::pair<const char*, int> resources[] = {
        {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"memlock", RLIMIT_MEMLOCK}, {"sigpending", RLIMIT_SIGPENDING}};
    for (const auto& [known, resource] : resources) {
        if (name == known) {
            return resource;
        }
    }
    fail(ErrorKind::invalid, "unknown resource limit '", name, "'");
}

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

std::optional<std::uint64_t> find_hard_limit(pid_t pid, int resource) {
    const auto limit = exchange_limit(pid, resource, nullptr);
    return limit ? std::optional<std::uint64_t>(limit->rlim_max) : std::nullopt;
}

bool change_limit(pid_t pid, int resource, std::uint64_t from, std::uint64_t to) {
    const auto old = exchange_limit(pid, resource, nullptr);
    if (!old) {
        return false;
    }
    const auto changed = [&](rlim_t value) { return value == from ? to : std::min<rlim_t>(value, to); };
    const rlimit limit{changed(old->rlim_cur), changed(old->rlim_max)};
    if (limit.rlim_cur == old->rlim_cur && limit.rlim_max == old->rlim_max) {
        return false;
    }
    return exchange_limit(pid, resource, &limit).has_value();
}

void reset_oom_score() {
    constexpr const char* path = "/proc/self/oom_score_adj";
    const UniqueFd fd(check(::open(path, O_WRONLY | O_CLOEXEC), "opening '", path, "'"));
    write_all(fd.get(), "0");
}

}  // namespace gearbox::sys
