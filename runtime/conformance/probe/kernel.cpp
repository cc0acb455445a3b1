// The kernel: doors into it, and what the whole machine shares. Arguments are such that a call that
// is let through changes nothing, or what it says already.
#include "conformance/probe/groups.h"

#include <asm/ldt.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/acct.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <sys/io.h>
#endif

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <ctime>

namespace gearbox::probe::kernel {

Outcome bpf(const Targets&) {
    union bpf_attr attributes {};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return from_call(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes),
                     "BPF_MAP_CREATE");
}

Outcome perf_event(const Targets&) {
    struct perf_event_attr attributes {};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.exclude_kernel = 1;
    return from_call(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0),
                     "PERF_COUNT_SW_CPU_CLOCK");
}

Outcome userfaultfd(const Targets&) {
    return from_call(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY),
                     "UFFD_USER_MODE_ONLY");
}

Outcome io_uring(const Targets&) {
    struct io_uring_params parameters {};
    return from_call(::syscall(SYS_io_uring_setup, 1, &parameters), "one entry");
}

Outcome keyctl(const Targets&) {
    return from_call(::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1),
                     "its user's keyring");
}
Outcome add_key(const Targets&) {
    return from_call(::syscall(SYS_add_key, "user", "gear-probe", "x", 1, KEY_SPEC_PROCESS_KEYRING),
                     "process keyring");
}
// That there is no such key shows that the kernel looked.
Outcome request_key(const Targets&) {
    const long rc =
        ::syscall(SYS_request_key, "user", "gear-probe", nullptr, KEY_SPEC_PROCESS_KEYRING);
    return rc < 0 && errno == ENOKEY ? succeeded("it was looked for") : from_call(rc, "user key");
}

Outcome init_module(const Targets&) {
    constexpr char image[] = "not a module";
    const long rc = ::syscall(SYS_init_module, image, sizeof image, "");
    return rc < 0 && errno == ENOEXEC ? succeeded("the image was looked at")
                                      : from_call(rc, "a broken image");
}
Outcome finit_module(const Targets&) {
    const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const long rc = ::syscall(SYS_finit_module, fd, "", 0);
    return rc < 0 && errno == ENOEXEC ? succeeded("the file was looked at")
                                      : from_call(rc, "/proc/self/exe");
}
Outcome delete_module(const Targets&) {
    const long rc = ::syscall(SYS_delete_module, "gearbox_no_such_module", O_NONBLOCK);
    return rc < 0 && errno == ENOENT ? succeeded("it was looked for")
                                     : from_call(rc, "a module that is not there");
}

// No segments: takes a kernel away that nobody loaded.
Outcome kexec_load(const Targets&) {
    return from_call(::syscall(SYS_kexec_load, 0, 0, nullptr, 0), "no segments");
}
Outcome kexec_file_load(const Targets&) {
    const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const long rc = ::syscall(SYS_kexec_file_load, fd, -1, 1, "", 4 /* KEXEC_FILE_NO_INITRAMFS */);
    return rc < 0 && errno == ENOEXEC ? succeeded("the file was looked at")
                                      : from_call(rc, "/proc/self/exe");
}
// The kernel asks for CAP_SYS_BOOT before it looks at the magic numbers.
Outcome reboot(const Targets&) {
    const long rc = ::syscall(SYS_reboot, 0, 0, 0, nullptr);
    return rc < 0 && errno == EINVAL ? succeeded("the magic numbers were looked at")
                                     : from_call(rc, "wrong magic numbers");
}

namespace {

// Which files /proc has is the kernel's configuration; a mask does not take them away.
Outcome if_there(const std::string& path, Outcome (*attempt)(const std::string&)) {
    return ::access(path.c_str(), F_OK) < 0 && errno == ENOENT
               ? absent("this kernel has no " + path)
               : attempt(path);
}
Outcome open_for_writing(const std::string& path) {
    return try_open(path, O_WRONLY);
}

}  // namespace

Outcome sysrq_trigger(const Targets&) {
    return if_there("/proc/sysrq-trigger", open_for_writing);
}
Outcome kernel_log(const Targets&) {
    char buffer[64];
    return from_call(::klogctl(3, buffer, sizeof buffer), "SYSLOG_ACTION_READ_ALL");
}
Outcome kmsg_device(const Targets&) {
    return try_open("/dev/kmsg", O_RDWR);
}
Outcome kmsg_proc(const Targets&) {
    return if_there("/proc/kmsg", try_read);
}
Outcome memory_device(const Targets&) {
    return try_open("/dev/mem", O_RDWR);
}
Outcome port_device(const Targets&) {
    return try_open("/dev/port", O_RDWR);
}
Outcome kvm_device(const Targets&) {
    return try_open("/dev/kvm", O_RDWR);
}
Outcome fuse_device(const Targets&) {
    return try_open("/dev/fuse", O_RDWR);
}
Outcome kcore(const Targets&) {
    return if_there("/proc/kcore", try_read);
}
Outcome kallsyms(const Targets&) {
    return if_there("/proc/kallsyms", try_read);
}
Outcome keys_proc(const Targets&) {
    return if_there("/proc/keys", try_read);
}
Outcome interrupts(const Targets&) {
    return if_there("/proc/interrupts", try_read);
}
Outcome page_flags(const Targets&) {
    return if_there("/proc/kpageflags", try_read);
}

namespace {

Outcome try_node(mode_t type, dev_t device) {
    const Scratch node("node");
    return from_call(::mknod(node.path().c_str(), type | 0600, device),
                     std::to_string(major(device)) + ":" + std::to_string(minor(device)));
}

// With a terminal of its own as the controlling one, as a session has it. In another process: the
// attempt leads its process group and so cannot begin a session. Its exit status is the errno.
Outcome with_terminal(int (*call)(int terminal), const char* name) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    char path[64];
    if (master < 0 || ::unlockpt(master) < 0 || ::ptsname_r(master, path, sizeof path) != 0) {
        return denied(0, "no terminal could be made");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::setsid();
        const int terminal = ::open(path, O_RDWR);
        ::signal(SIGHUP, SIG_IGN);
        ::_exit(terminal < 0 ? 255 : call(terminal) < 0 ? errno : 0);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) == 255) {
        return denied(0, "no terminal could be opened");
    }
    errno = WEXITSTATUS(status);
    return from_call(errno == 0 ? 0 : -1, name);
}

int push_input(int terminal) {
    char character = 'x';
    return ::ioctl(terminal, TIOCSTI, &character);
}
int push_input_hidden(int terminal) {
    char character = 'x';
    return static_cast<int>(::syscall(SYS_ioctl, terminal, TIOCSTI | 1L << 32, &character));
}
// Only virtual consoles know it; that the kernel says so means that it was let through.
int paste_selection(int terminal) {
    char subcommand = 3;  // TIOCL_PASTESEL
    const int rc = ::ioctl(terminal, TIOCLINUX, &subcommand);
    return rc < 0 && errno == ENOTTY ? 0 : rc;
}

}  // namespace

Outcome mknod_block(const Targets&) {
    return try_node(S_IFBLK, makedev(8, 0));
}
Outcome mknod_char(const Targets&) {
    return try_node(S_IFCHR, makedev(1, 1));
}

// The number is process_madvise's, which has been there for long; with no such process it is EBADF.
Outcome unlisted_call(const Targets&) {
    const Outcome outcome = from_call(::syscall(SYS_process_madvise, -1, nullptr, 0, 0, 0));
    return outcome.code == EBADF ? succeeded("the kernel looked at it") : outcome;
}
Outcome terminal_input_upper_half(const Targets&) {
    return with_terminal(&push_input_hidden, "TIOCSTI");
}
Outcome terminal_input(const Targets&) {
    return with_terminal(&push_input, "TIOCSTI");
}
Outcome terminal_selection(const Targets&) {
    return with_terminal(&paste_selection, "TIOCLINUX");
}
Outcome hang_up(const Targets&) {
    return with_terminal([](int) { return ::vhangup(); }, "vhangup");
}

#if defined(__x86_64__)
Outcome io_privilege(const Targets&) {
    return from_call(::iopl(3), "level 3");
}
Outcome io_ports(const Targets&) {
    return from_call(::ioperm(0x80, 1, 1), "port 0x80");
}

// getpid by the entry for 32-bit programs, number 20 there. A kernel without it has no such gate: the
// processor faults.
Outcome call_32_bit(const Targets&) {
    static sigjmp_buf before;
    ::signal(SIGSEGV, [](int) { siglongjmp(before, 1); });
    if (sigsetjmp(before, 1) != 0) {
        return absent("this kernel has no 32-bit calls");
    }
    long result = 20;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "cc", "r8", "r9", "r10", "r11");
    return result == ::getpid() ? succeeded("getpid") : absent("this kernel has no 32-bit calls");
}
// getpid with the bit of the x32 interface; a kernel without it answers ENOSYS.
Outcome call_x32(const Targets&) {
    const long rc = ::syscall(0x40000000 | SYS_getpid);
    return from_call(rc, "getpid");
}

// A 16-bit data segment: what old holes of this call were used with.
Outcome local_descriptors(const Targets&) {
    user_desc descriptor{};
    descriptor.entry_number = 1;
    descriptor.limit = 0xfff;
    return from_call(::syscall(SYS_modify_ldt, 1, &descriptor, sizeof descriptor),
                     "a 16-bit data segment");
}
Outcome file_system_types(const Targets&) {
    return from_call(::syscall(SYS_sysfs, 3), "number of types");
}
Outcome file_system_status(const Targets&) {
    struct stat info {};
    ::stat("/", &info);
    char buffer[64];
    return from_call(::syscall(SYS_ustat, static_cast<unsigned>(info.st_dev), buffer), "/");
}
#else
Outcome io_privilege(const Targets&) {
    return absent("not on this architecture");
}
Outcome io_ports(const Targets&) {
    return absent("not on this architecture");
}
Outcome call_32_bit(const Targets&) {
    return absent("not on this architecture");
}
Outcome call_x32(const Targets&) {
    return absent("not on this architecture");
}
Outcome local_descriptors(const Targets&) {
    return absent("not on this architecture");
}
Outcome file_system_types(const Targets&) {
    return absent("not on this architecture");
}
Outcome file_system_status(const Targets&) {
    return absent("not on this architecture");
}
#endif

Outcome set_time(const Targets&) {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    return from_call(::settimeofday(&now, nullptr), "settimeofday");
}
Outcome set_clock(const Targets&) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return from_call(::clock_settime(CLOCK_REALTIME, &now), "CLOCK_REALTIME");
}
Outcome adjust_clock(const Targets&) {
    timex change{};
    change.modes = ADJ_TICK;
    change.tick = 10'000;
    return from_call(::adjtimex(&change), "ADJ_TICK");
}
Outcome set_host_name(const Targets&) {
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    return from_call(::sethostname(name, std::string(name).size()), name);
}
Outcome set_domain_name(const Targets&) {
    utsname names{};
    ::uname(&names);
    return from_call(::setdomainname(names.domainname, std::string(names.domainname).size()),
                     names.domainname);
}

namespace {

// For calls that ask for privilege first and then for the file.
Outcome looked_for(long rc, const char* path) {
    return rc < 0 && (errno == ENOENT || errno == EINVAL)
               ? succeeded(std::string(path) + " was looked for")
               : from_call(rc, path);
}
constexpr const char* nowhere = "/tmp/gear-probe-nowhere";

}  // namespace

Outcome swap_on(const Targets&) {
    return looked_for(::swapon(nowhere, 0), nowhere);
}
Outcome swap_off(const Targets&) {
    return looked_for(::swapoff(nowhere), nowhere);
}
Outcome accounting(const Targets&) {
    return looked_for(::acct(nowhere), nowhere);
}
// Writes quota files of all file systems to disk: open to everybody where it is not filtered.
Outcome quota_control(const Targets&) {
    return from_call(::quotactl(QCMD(Q_SYNC, USRQUOTA), nullptr, 0, nullptr), "Q_SYNC");
}

Outcome fanotify(const Targets&) {
    return from_call(::fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC, O_RDONLY),
                     "FAN_REPORT_FID");
}
Outcome directory_cookie(const Targets&) {
    char buffer[64];
    return from_call(::syscall(SYS_lookup_dcookie, 0ul, buffer, sizeof buffer), "cookie 0");
}

}  // namespace gearbox::probe::kernel
