// Linked into gear-init in the place of sys/privileges.cpp: the gear's user keeps what root has, across
// exec, too, and set-uid programs work.
#include "sys/privileges.h"

#include "base/error.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gearbox::sys {

void become(uid_t uid, gid_t gid, std::uint64_t) {
    check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keeping capabilities");
    check(::setgroups(1, &gid), "setting the groups");
    check(::setresgid(gid, gid, gid), "becoming the group");
    check(::setresuid(uid, uid, uid), "becoming the user");
}

void drop_bounding_set(std::uint64_t) {}

void drop_capabilities(std::uint64_t) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    check(::syscall(SYS_capget, &header, data), "reading capabilities");
    for (__user_cap_data_struct& word : data) {
        word.effective = word.inheritable = word.permitted;
    }
    check(::syscall(SYS_capset, &header, data), "taking capabilities");
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        // The machine itself may lack some.
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    }
}

void leave_keyring() {}

// The filter does not take hold without it, unless the process has CAP_SYS_ADMIN, as here.
void set_no_new_privileges() {}

}  // namespace gearbox::sys
