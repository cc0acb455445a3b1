// The kernel: the mount tree and namespaces.
#include "conformance/probe/groups.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace gearbox::probe::kernel {

namespace {

// Mounted and at once unmounted.
Outcome try_mount(const char* source, const std::string& target, const char* type,
                  unsigned long flags) {
    const int rc = ::mount(source, target.c_str(), type, flags, nullptr);
    Outcome outcome = from_call(rc, std::string(type) + " on " + target);
    if (rc == 0) {
        ::umount2(target.c_str(), MNT_DETACH);
    }
    return outcome;
}

Outcome try_unshare(int flag, const char* name) {
    return from_call(::unshare(flag), name);
}

}  // namespace

Outcome mount_tmpfs(const Targets&) {
    return try_mount("tmpfs", data_directory(), "tmpfs", 0);
}
Outcome mount_proc(const Targets&) {
    return try_mount("proc", data_directory(), "proc", 0);
}
Outcome mount_bind(const Targets&) {
    return try_mount("/", data_directory(), "bind", MS_BIND | MS_REC);
}
Outcome remount_writable(const Targets&) {
    struct statvfs before {};
    ::statvfs("/", &before);
    const int rc = ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr);
    Outcome outcome = from_call(rc, "/");
    if (rc == 0) {
        // ST_RDONLY, ST_NOSUID and ST_NODEV have the values of the mount flags.
        const unsigned long flags = before.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV);
        ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | flags, nullptr);
    }
    return outcome;
}

// MNT_EXPIRE only marks at the first call and answers EAGAIN: allowed, and nothing has changed.
Outcome umount_mask(const Targets&) {
    constexpr const char* masked = "/proc/interrupts";  // every kernel has it
    const int rc = ::umount2(masked, MNT_EXPIRE);
    return rc < 0 && (errno == EAGAIN || errno == EBUSY) ? succeeded(masked)
                                                         : from_call(rc, masked);
}

Outcome new_mount_interface(const Targets&) {
    return from_call(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), "tmpfs");
}
Outcome open_tree(const Targets&) {
    return from_call(::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                     "/");
}
Outcome mount_attributes(const Targets&) {
    struct mount_attr change {};
    change.attr_clr = MOUNT_ATTR_NOSUID;
    const long rc = ::syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, &change, sizeof change);
    Outcome outcome = from_call(rc, "/usr");
    if (rc == 0) {
        change = {};
        change.attr_set = MOUNT_ATTR_NOSUID;
        ::syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, &change, sizeof change);
    }
    return outcome;
}

Outcome pivot_root(const Targets&) {
    const std::string place = data_directory();
    const long rc = ::syscall(SYS_pivot_root, place.c_str(), place.c_str());
    // The kernel asks for CAP_SYS_ADMIN before it sees that nothing is mounted there.
    return rc < 0 && errno == EINVAL ? succeeded("the directories were looked at") : from_call(rc, place);
}
Outcome chroot(const Targets&) {
    return from_call(::chroot("/tmp"), "/tmp");
}

Outcome unshare_user(const Targets&) {
    return try_unshare(CLONE_NEWUSER, "CLONE_NEWUSER");
}
Outcome unshare_mount(const Targets&) {
    return try_unshare(CLONE_NEWNS, "CLONE_NEWNS");
}
Outcome unshare_pid(const Targets&) {
    return try_unshare(CLONE_NEWPID, "CLONE_NEWPID");
}
Outcome unshare_network(const Targets&) {
    return try_unshare(CLONE_NEWNET, "CLONE_NEWNET");
}
Outcome unshare_ipc(const Targets&) {
    return try_unshare(CLONE_NEWIPC, "CLONE_NEWIPC");
}
Outcome unshare_uts(const Targets&) {
    return try_unshare(CLONE_NEWUTS, "CLONE_NEWUTS");
}
Outcome unshare_cgroup(const Targets&) {
    return try_unshare(CLONE_NEWCGROUP, "CLONE_NEWCGROUP");
}
Outcome unshare_time(const Targets&) {
    return try_unshare(CLONE_NEWTIME, "CLONE_NEWTIME");
}

Outcome clone_user(const Targets&) {
    const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (child == 0) {
        ::_exit(0);
    }
    return from_call(child, "CLONE_NEWUSER");
}

Outcome clone3_user(const Targets&) {
    struct clone_args arguments {};
    arguments.flags = CLONE_NEWUSER;
    arguments.exit_signal = SIGCHLD;
    const long child = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        ::_exit(0);
    }
    return from_call(child, "CLONE_NEWUSER");
}

Outcome setns_init(const Targets&) {
    const int fd = ::open("/proc/1/ns/uts", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return denied(errno, "opening /proc/1/ns/uts");
    }
    return from_call(::setns(fd, 0), "/proc/1/ns/uts");
}

}  // namespace gearbox::probe::kernel
