#include "gear-init/steps.h"

#include "base/error.h"
#include "base/fd.h"
#include "gear-init/run_steps.h"
#include "sys/capabilities.h"
#include "sys/gear_filter.h"
#include "sys/interface.h"
#include "sys/limits.h"
#include "sys/privileges.h"
#include "sys/selinux.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iterator>

namespace gearbox {

namespace {

// ----- launch only

void wait_for_go(const LaunchPlan&) {
    gearbox::wait_for_go();
}

void hide_cgroups(const LaunchPlan&) {
    check(::unshare(CLONE_NEWCGROUP), "making a cgroup namespace");
}

// By an instance of /proc of its own: in the host's, the files of all network namespaces that were ever looked up there
// hang in one chain of the name cache, and each gear would take longer to find its own than the one before.
void set_sysctls(const LaunchPlan& plan) {
    const UniqueFd context(check(::fsopen("proc", FSOPEN_CLOEXEC), "making an instance of /proc"));
    check(::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "making an instance of /proc");
    const UniqueFd proc(check(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC),
                              "making an instance of /proc"));
    for (const auto& [name, value] : plan.sysctls) {
        const std::string path = str("sys/", name);
        const UniqueFd fd(check(::openat(proc.get(), path.c_str(), O_WRONLY | O_CLOEXEC), "opening '/proc/", path, "'"));
        write_all(fd.get(), value);
    }
}

// The daemon has put eth0 there; nobody in the gear may change it later.
void raise_network(const LaunchPlan& plan) {
    sys::raise_interface("lo", "");
    if (!plan.address.empty()) {
        sys::raise_interface("eth0", plan.address);
        sys::set_default_route(plan.gateway);
    }
}

void set_hostname(const LaunchPlan& plan) {
    check(::sethostname(plan.hostname.data(), plan.hostname.size()), "setting the host name");
}

// ----- launch and enter

void set_limits(const Privileges& privileges) {
    for (const auto& [name, value] : privileges.limits) {
        if (name == "core") {
            sys::set_core_limit(value);
        } else {
            sys::set_limit(sys::resource_of(name), value);
        }
    }
}

void reset_oom_score(const Privileges&) {
    sys::reset_oom_score();
}

void leave_keyring(const Privileges&) {
    sys::leave_keyring();
}

void set_label(const Privileges& privileges) {
    if (!privileges.label.empty()) {
        sys::set_exec_label(privileges.label);
    }
}

void drop_bounding_set(const Privileges& privileges) {
    sys::drop_bounding_set(sys::capability_mask(privileges.capabilities));
}
void become(const Privileges& privileges) {
    sys::become(privileges.uid, privileges.gid, sys::capability_mask(privileges.capabilities));
}
void drop_capabilities(const Privileges& privileges) {
    sys::drop_capabilities(sys::capability_mask(privileges.capabilities));
}
void set_no_new_privileges(const Privileges&) {
    sys::set_no_new_privileges();
}
void install_filter(const Privileges& privileges) {
    if (privileges.filter != no_filter) {
        sys::install_filters(filter_fd);
    }
}

constexpr Step<LaunchPlan> launch_steps[] = {
    {"nursery", enter_nursery},
    {"mounts", make_root},
    {"root", move_root},
    {"go", wait_for_go},
    {"cgroup ns", hide_cgroups},
    {"sysctls", set_sysctls},
    {"network", raise_network},
    {"hostname", set_hostname},
};

constexpr Step<Privileges> drop_steps[] = {
    {"limits", set_limits},
    {"oom score", reset_oom_score},
    {"keyring", leave_keyring},
    {"label", set_label},
    {"bounding set", drop_bounding_set},
    {"become", become},
    {"capabilities", drop_capabilities},
    {"no_new_privs", set_no_new_privileges},
    {"seccomp", install_filter},
};

}  // namespace

void wait_for_go() {
    char byte = 0;
    if (::read(status_fd, &byte, 1) != 1) {
        ::_exit(gear_init_failed);
    }
}

void run_launch_steps(const LaunchPlan& plan) {
    run(launch_steps, plan);
    run_drop_steps(plan.privileges);
}

void run_drop_steps(const Privileges& privileges) {
    run(drop_steps, privileges);
}

}  // namespace gearbox
