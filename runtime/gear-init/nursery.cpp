// The nursery: the mount namespace that those of gears are copies of. Its root is an empty file system, and the host's
// tree hangs in it as /host, to which it follows. A gear's root is moved over the empty one. Changing the root from
// the host's own namespace would need pivot_root(2) for each gear, and that looks at every process of the machine
// (chroot_fs_refs in the kernel's fs/fs_struct.c).
#include "gear-init/steps.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gearbox {

namespace {

constexpr const char* host = "host";

}  // namespace

void make_nursery(const std::string& place) {
    check(::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr), "making all mounts follow the host's");
    check(::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=4k"),
          "mounting tmpfs on '", place, "'");
    check(::chdir(place.c_str()), "entering '", place, "'");
    check(::mkdir(host, 0755), "creating '", host, "'");
    check(::syscall(SYS_pivot_root, ".", host), "changing the root");
    mount_attr wanted{};
    wanted.attr_set = MOUNT_ATTR_RDONLY;
    check(::mount_setattr(AT_FDCWD, "/", 0, &wanted, sizeof wanted), "making the empty root read-only");
}

void enter_nursery(const LaunchPlan&) {
    check(::setns(nursery_fd, CLONE_NEWNS), "entering the nursery");
    check(::unshare(CLONE_NEWNS), "making a mount namespace");
    const UniqueFd root(check(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "opening the empty root"));
    check(::dup3(root.get(), nursery_fd, O_CLOEXEC), "keeping the empty root");
    check(::chroot(host), "entering the host's tree");
    check(::chdir("/"), "entering the host's tree");
    check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making all mounts private");
}

void move_root(const LaunchPlan& plan) {
    const UniqueFd root(check(::open(plan.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "opening '", plan.root, "'"));
    check(::move_mount(root.get(), "", nursery_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
          "moving the new root");
    check(::fchdir(nursery_fd), "entering the empty root");
    check(::umount2(host, MNT_DETACH), "detaching the host's tree");
    check(::fchdir(root.get()), "entering the new root");
    check(::chroot("."), "changing the root");
    check(::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr),
          "making the new root read-only");
}

}  // namespace gearbox
