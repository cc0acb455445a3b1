#include "sys/privileges.h"

#include "base/error.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gearbox::sys {

void become(uid_t uid, gid_t gid, std::uint64_t keep) {
    if (keep != 0) {
        // Until the next exec.
        check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keeping capabilities");
    }
    check(::setgroups(1, &gid), "setting the groups to ", gid);
    check(::setresgid(gid, gid, gid), "becoming group ", gid);
    check(::setresuid(uid, uid, uid), "becoming user ", uid);
}

void drop_bounding_set(std::uint64_t keep) {
    for (int capability = 0; capability < 64; ++capability) {
        if ((keep >> capability & 1) != 0) {
            continue;
        }
        const int rc = ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (rc < 0 && errno == EINVAL) {
            return;  // the first that the kernel does not know
        }
        check(rc, "dropping capability ", capability);
    }
}

void drop_capabilities(std::uint64_t keep) {
    check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "dropping capabilities");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {};
    for (int half = 0; half < _LINUX_CAPABILITY_U32S_3; ++half) {
        const auto bits = static_cast<std::uint32_t>(keep >> (32 * half));
        kept[half] = {bits, bits, bits};
    }
    check(::syscall(SYS_capset, &header, kept), "dropping capabilities");
    for (int capability = 0; capability < 64; ++capability) {
        if ((keep >> capability & 1) != 0) {
            check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "keeping capability ", capability);
        }
    }
}

void leave_keyring() {
    // A kernel without keys has none to share.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS) {
        check(-1, "making a keyring");
    }
}

void set_no_new_privileges() {
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "setting no_new_privs");
}

}  // namespace gearbox::sys
