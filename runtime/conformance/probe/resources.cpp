// Resources: more than the gear's share. All of it goes away with the attempt's process group.
#include "conformance/probe/groups.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

namespace gearbox::probe::resources {

namespace {

constexpr std::size_t mib = 1024 * 1024;

// More than any gear's limit, and no harm to a machine where nothing limits.
constexpr int most_processes = 3000;
constexpr int most_threads = 3000;
constexpr int most_files = 100'000;
constexpr int most_timers = 200'000;
constexpr int timers_without_limit = 20'000;
constexpr int most_terminals = 128;
constexpr int most_inodes = 20'000;  // more takes an emulated machine a minute

// Where not even one can be made, the limit was met by somebody else.
Outcome exhausted(int code, int made, const std::string& what) {
    return made > 0 ? denied(code, "after " + std::to_string(made) + " " + what)
                    : denied(0, "none of the " + what + " could be made: " + error_name(code));
}

// fork gives up with the same errno when the user has its number of tasks as when the cgroup has.
std::string who_counted() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    rlim_t tasks = 0;
    for (const std::string& name : list_directory("/proc")) {
        const bool is_process = name.front() >= '1' && name.front() <= '9';
        const std::string status = is_process ? read_text("/proc/" + name + "/status") : "";
        const auto uid = status.find("\nUid:\t");
        const auto threads = status.find("\nThreads:\t");
        if (uid != std::string::npos && threads != std::string::npos &&
            std::strtoul(status.c_str() + uid + 6, nullptr, 10) == ::getuid()) {
            tasks += std::strtoul(status.c_str() + threads + 10, nullptr, 10);
        }
    }
    return tasks >= limit.rlim_cur ? ": " + std::to_string(tasks) + ", as RLIMIT_NPROC says" : "";
}

std::string counted(int number, const char* what) {
    return std::to_string(number) + " " + what;
}

// The kernel is to choose this process when memory is short, not the application.
void offer_itself() {
    try_write("/proc/self/oom_score_adj", "1000");
}

std::size_t beyond_limit(const Targets& targets) {
    return (static_cast<std::size_t>(targets.memory_mb) * 5 / 4 + 64) * mib;
}

// Touching more takes longer than an attempt has.
constexpr int most_memory_mb = 2048;

Outcome touch(int fd, const Targets& targets) {
    if (targets.memory_mb > most_memory_mb && !targets.heavy) {
        return absent("a limit of " + std::to_string(targets.memory_mb) + " MiB; --heavy tries it");
    }
    const std::size_t size = beyond_limit(targets);
    const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        return denied(errno, "mapping memory");
    }
    for (std::size_t at = 0; at < size; at += 4096) {
        static_cast<volatile char*>(memory)[at] = 1;
    }
    return succeeded(std::to_string(size / mib) + " MiB");
}

}  // namespace

// One process makes them all and counts. They end with the process group.
Outcome fork_bomb(const Targets&) {
    for (int made = 0; made < most_processes; ++made) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::pause();
            ::_exit(0);
        }
        if (child < 0) {
            const int code = errno;
            return exhausted(code, made, "processes" + who_counted());
        }
    }
    return succeeded(counted(most_processes, "processes"));
}

namespace {

void* wait_for_ever(void*) {
    ::pause();
    return nullptr;
}

}  // namespace

Outcome thread_bomb(const Targets&) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, 64 * 1024);
    for (int made = 0; made < most_threads; ++made) {
        pthread_t thread{};
        const int code = ::pthread_create(&thread, &attributes, &wait_for_ever, nullptr);
        if (code != 0) {
            return exhausted(code, made, "threads" + who_counted());
        }
    }
    return succeeded(counted(most_threads, "threads"));
}

Outcome memory(const Targets& targets) {
    offer_itself();
    return touch(-1, targets);
}

Outcome shared_memory(const Targets& targets) {
    offer_itself();
    const int fd = ::memfd_create("gear-probe", MFD_CLOEXEC);
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(beyond_limit(targets))) < 0) {
        return denied(errno, "making a memory file");
    }
    return touch(fd, targets);
}

// Where the limit is higher than what the gear may use, the cgroup is met first.
Outcome locked_memory(const Targets& targets) {
    offer_itself();
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    const std::size_t size =
        std::min<std::size_t>(limit.rlim_cur, beyond_limit(targets) - mib) + mib;
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return denied(errno, "mapping memory");
    }
    return from_call(::mlock(memory, size), std::to_string(size / 1024) + " KiB");
}

namespace {

double seconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Longer than several of the kernel's periods of 100 ms (scheduler/sched-bwc.rst).
constexpr double spinning_seconds = 0.8;

void* spin(void*) {
    for (const double began = seconds(CLOCK_MONOTONIC); seconds(CLOCK_MONOTONIC) < began + spinning_seconds;) {
    }
    return nullptr;
}

}  // namespace

// A thread for each processor. A busy machine gives less than the share, too.
Outcome processor(const Targets& targets) {
    const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
    if (targets.cpu_percent == 0 || targets.cpu_percent >= processors * 100) {
        return absent(counted(targets.cpu_percent, "%: not less than all ") + counted(static_cast<int>(processors), "processors"));
    }
    std::vector<pthread_t> threads(static_cast<std::size_t>(processors));
    const double began = seconds(CLOCK_MONOTONIC);
    for (pthread_t& thread : threads) {
        if (::pthread_create(&thread, nullptr, &spin, nullptr) != 0) {
            return denied(0, "a thread for each processor could not be made");
        }
    }
    for (const pthread_t thread : threads) {
        ::pthread_join(thread, nullptr);
    }
    const double used = 100 * seconds(CLOCK_PROCESS_CPUTIME_ID) / (seconds(CLOCK_MONOTONIC) - began);
    const std::string what = counted(static_cast<int>(used), "% of a processor, ") + counted(targets.cpu_percent, "% of its share");
    // It may begin with what it did not use of a period, and end with the next one's.
    return used > targets.cpu_percent * 1.25 ? succeeded(what) : denied(0, what);
}

namespace {

// tmpfs compares with its size before it takes a page: nothing is used up. Another file system
// would take blocks until there are none, so it is not tried on one.
Outcome fill(const std::string& place) {
    struct statfs size {};
    if (::statfs(place.c_str(), &size) < 0) {
        return denied(errno, place);
    }
    if (size.f_type != TMPFS_MAGIC) {
        return succeeded(place + " is not a file system of its own");
    }
    const auto bytes = static_cast<off_t>(size.f_blocks) * size.f_bsize + static_cast<off_t>(mib);
    const Scratch file("fill", place);
    const int fd = ::open(file.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return denied(0, "no file could be made in " + place);
    }
    Outcome outcome =
        from_call(::fallocate(fd, 0, 0, bytes),
                  std::to_string(bytes / static_cast<off_t>(mib)) + " MiB in " + place);
    ::close(fd);
    return outcome;
}

}  // namespace

Outcome tmp_fill(const Targets&) {
    return fill("/tmp");
}
Outcome var_tmp_fill(const Targets&) {
    return fill("/var/tmp");
}
Outcome dev_shm_fill(const Targets&) {
    return fill("/dev/shm");
}

Outcome open_files(const Targets&) {
    for (int opened = 0; opened < most_files; ++opened) {
        if (::dup(0) < 0) {
            return exhausted(errno, opened, "files");
        }
    }
    return succeeded(counted(most_files, "files"));
}

namespace {

Outcome raise_limit(__rlimit_resource which) {
    rlimit limit{};
    ::getrlimit(which, &limit);
    if (limit.rlim_max == RLIM_INFINITY) {
        return succeeded("it is unlimited");
    }
    ++limit.rlim_max;
    return from_call(::setrlimit(which, &limit), "to " + std::to_string(limit.rlim_max));
}

}  // namespace

Outcome raise_open_files(const Targets&) {
    return raise_limit(RLIMIT_NOFILE);
}
// The kernel starts that program whatever the limit is, unless it is 1 (core(5)).
Outcome core_handler(const Targets&) {
    if (!read_text("/proc/sys/kernel/core_pattern").starts_with('|')) {
        return absent("dumps are files of who crashes");
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_max == 1 ? denied(0, "limit 1") : succeeded("limit " + std::to_string(limit.rlim_max));
}

Outcome locked_limit(const Targets&) {
    return raise_limit(RLIMIT_MEMLOCK);
}

Outcome pipe_size(const Targets&) {
    int ends[2];
    const int most = std::atoi(read_text("/proc/sys/fs/pipe-max-size").c_str());
    if (most <= 0 || ::pipe2(ends, O_CLOEXEC) < 0) {
        return denied(0, "no pipe to try with");
    }
    return from_call(::fcntl(ends[0], F_SETPIPE_SZ, 2 * most), counted(2 * most, "bytes"));
}

Outcome file_watches(const Targets&) {
    for (int made = 0; made < most_files; ++made) {
        if (::inotify_init1(IN_CLOEXEC) < 0) {
            return exhausted(errno, made, "instances");
        }
    }
    return succeeded(counted(most_files, "instances"));
}

Outcome terminals(const Targets&) {
    for (int made = 0; made < most_terminals; ++made) {
        if (::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) < 0) {
            return exhausted(errno, made, "terminals");
        }
    }
    return succeeded(counted(most_terminals, "terminals"));
}

// One place of fs.aio-max-nr tells as much as all.
Outcome asynchronous_io(const Targets&) {
    unsigned long context = 0;
    return from_call(static_cast<int>(::syscall(SYS_io_setup, 1, &context)), "one place");
}

// Each timer that signals holds one queued signal.
Outcome pending_signals(const Targets&) {
    offer_itself();
    rlimit limit{};
    ::getrlimit(RLIMIT_SIGPENDING, &limit);
    // One more than the limit. Without one, so many that there is none: more take an emulated machine too long.
    const int most = limit.rlim_cur < most_timers ? static_cast<int>(limit.rlim_cur) + 1 : timers_without_limit;
    for (int made = 0; made < most; ++made) {
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        timer_t timer{};
        if (::timer_create(CLOCK_MONOTONIC, &event, &timer) < 0) {
            return exhausted(errno, made, "timers");
        }
    }
    return succeeded(counted(most, "timers"));
}

// Without --heavy four MiB tell only whether the quota is used up already. With it, the disk is
// written on until something says no, but never its last tenth.
Outcome disk(const Targets& targets) {
    const Scratch file("disk");
    const int fd = ::open(file.path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return denied(0, "no file could be made");
    }
    const std::size_t most = targets.heavy ? 64 * 1024 : 4;
    const std::string block(mib, 'x');
    for (std::size_t written = 0; written < most; ++written) {
        if (::write(fd, block.data(), block.size()) < 0) {
            return denied(errno, "after " + std::to_string(written) + " MiB");
        }
        struct statvfs space {};
        ::fstatvfs(fd, &space);
        if (targets.heavy && space.f_bavail < space.f_blocks / 10) {
            return succeeded("nine tenths of the disk: " + std::to_string(written) + " MiB more");
        }
    }
    return targets.heavy ? succeeded(std::to_string(most) + " MiB")
                         : absent("no limit within 4 MiB; --heavy tries on");
}

// Up to what it may have and a little more.
Outcome inodes(const Targets& targets) {
    const int limit = std::atoi(variable("GEARBOX_FILES").c_str());
    if (!targets.heavy || limit > most_inodes) {
        return absent(counted(limit, "files; --heavy tries up to ") + std::to_string(most_inodes));
    }
    const Scratch directory("inodes");
    ::mkdir(directory.path().c_str(), 0700);
    const int most = limit + 100;
    for (int made = 0; made < most; ++made) {
        const std::string path = directory.path() + "/" + std::to_string(made);
        const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) {
            return exhausted(errno, made, "files");
        }
        ::close(fd);
    }
    return succeeded(counted(most, "files"));
}

// A MiB for the platform's program for logs, when it is to keep two files of 64 KiB.
Outcome own_log_flood(const Targets&) {
    const Scratch directory("logs");
    ::mkdir(directory.path().c_str(), 0700);
    const Ran ran = run({"/bin/sh", "-c", "head -c 1048576 /dev/zero | tr '\\0' x | logshifter -tag flood"},
                        {"PATH=" + variable("PATH"), "OPENSHIFT_LOG_DIR=" + directory.path(),
                         "LOGSHIFTER_FLOOD_MAX_FILESIZE=64K", "LOGSHIFTER_FLOOD_MAX_FILES=2"});
    off_t kept = 0;
    for (const std::string& name : list_directory(directory.path())) {
        struct stat info {};
        ::stat((directory.path() + "/" + name).c_str(), &info);
        kept += info.st_size;
    }
    if (kept == 0) {
        return denied(0, "nothing was logged: " + ran.output);
    }
    constexpr off_t most_kib = 4 * 64;  // a file may be one piece longer than it should be
    const std::string told = std::to_string(kept / 1024) + " of 1024 KiB are kept";
    return kept > most_kib * 1024 ? succeeded(told) : denied(0, "rotated: " + told);
}

Outcome log_flood(const Targets&) {
    return try_connect("/dev/log");
}
Outcome journal_flood(const Targets&) {
    return first_found({"/run/systemd/journal/socket", "/run/systemd/journal/stdout",
                        "/run/systemd/journal/dev-log"},
                       try_connect);
}

}  // namespace gearbox::probe::resources
