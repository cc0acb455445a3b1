// Labels: SELinux, extended attributes, cgroups, and other marks that follow a process.
#include "conformance/probe/groups.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

namespace gearbox::probe::labels {

namespace {

constexpr const char* cgroup_root = "/sys/fs/cgroup";
constexpr const char* unconfined = "system_u:system_r:unconfined_t:s0";

// The path in the hierarchy of the controller (version 1) or the only one.
std::string own_cgroup(const std::string& controller) {
    const std::string text = "\n" + read_text("/proc/self/cgroup");
    const std::string first = ":" + controller + ":/";
    auto at = text.find(first);
    const bool is_unified = at == std::string::npos;
    at = is_unified ? text.find("\n0::/") + 4 : at + first.size() - 1;
    const std::string path = text.substr(at, text.find('\n', at) - at);
    return std::string(cgroup_root) + (is_unified ? "" : "/" + controller) + path;
}

Outcome open_for_writing(const std::string& path) {
    return try_open(path, O_WRONLY);
}

Outcome mount_on_data(const char* type) {
    const std::string target = data_directory();
    const int rc = ::mount(type, target.c_str(), type, 0, nullptr);
    Outcome outcome = from_call(rc, std::string(type) + " on " + target);
    if (rc == 0) {
        ::umount2(target.c_str(), MNT_DETACH);
    }
    return outcome;
}

// The child that tries is gone soon, and what it set with it.
Outcome set_attribute(const std::string& name, const std::string& label) {
    if (own_label().empty()) {
        return absent("SELinux is not on");
    }
    return try_write("/proc/self/attr/" + name, label);
}

Outcome set_xattr(const char* name, const void* value, std::size_t size) {
    const Scratch file("xattr");
    if (!file.make_file()) {
        return denied(0, "no file could be made");
    }
    const int rc = ::setxattr(file.path().c_str(), name, value, size, 0);
    if (rc < 0 && errno == EOPNOTSUPP) {
        return absent("this file system has no such attributes");
    }
    return from_call(rc, name);
}

}  // namespace

Outcome cgroup_leave(const Targets&) {
    const std::string root = cgroup_root;
    return first_found(
        {root + "/cgroup.procs", root + "/pids/cgroup.procs", root + "/memory/cgroup.procs"},
        open_for_writing);
}
Outcome cgroup_own_memory(const Targets&) {
    const std::string own = own_cgroup("memory");
    return first_found({own + "/memory.max", own + "/memory.limit_in_bytes"}, open_for_writing);
}
Outcome cgroup_own_pids(const Targets&) {
    return open_for_writing(own_cgroup("pids") + "/pids.max");
}
Outcome cgroup_path(const Targets&) {
    std::istringstream lines(read_text("/proc/self/cgroup"));
    for (std::string line; std::getline(lines, line);) {
        const std::string path = line.substr(line.rfind(':') + 1);
        if (path != "/") {
            return succeeded(path);
        }
    }
    return denied(0, "its own root");
}
Outcome cgroup_mount(const Targets&) {
    return mount_on_data("cgroup2");
}
Outcome selinuxfs_mount(const Targets&) {
    return mount_on_data("selinuxfs");
}
Outcome selinuxfs_enforce(const Targets&) {
    return open_for_writing("/sys/fs/selinux/enforce");
}
Outcome selinuxfs_load(const Targets&) {
    return open_for_writing("/sys/fs/selinux/load");
}

Outcome exec_label(const Targets&) {
    return set_attribute("exec", unconfined);
}
Outcome current_label(const Targets&) {
    return set_attribute("current", unconfined);
}
// Its own label up to the level, and everybody's categories.
Outcome current_categories(const Targets&) {
    const std::string own = own_label();
    std::size_t at = 0;
    for (int colons = 0; colons < 3 && at != std::string::npos; ++colons) {
        at = own.find(':', at + 1);
    }
    return set_attribute("current", own.substr(0, at) + ":s0-s0:c0.c1023");
}
Outcome file_creation_label(const Targets&) {
    return set_attribute("fscreate", "system_u:object_r:bin_t:s0");
}
Outcome socket_creation_label(const Targets&) {
    return set_attribute("sockcreate", unconfined);
}
Outcome key_creation_label(const Targets&) {
    return set_attribute("keycreate", unconfined);
}

// Without a policy the kernel lets an owner set this, and it means nothing.
Outcome label_own_file(const Targets&) {
    if (own_label().empty()) {
        return absent("SELinux is not on");
    }
    constexpr char value[] = "system_u:object_r:bin_t:s0";
    return set_xattr("security.selinux", value, sizeof value);
}
Outcome capability_own_file(const Targets&) {
    vfs_cap_data value{};
    value.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
    value.data[0].permitted = 1u << CAP_NET_RAW;
    return set_xattr("security.capability", &value, sizeof value);
}
Outcome trusted_attribute(const Targets&) {
    return set_xattr("trusted.gear-probe", "x", 1);
}
Outcome integrity_attribute(const Targets&) {
    constexpr char digest[] =
        "\x01"
        "01234567890123456789";
    return set_xattr("security.ima", digest, sizeof digest - 1);
}

Outcome immutable_own_file(const Targets&) {
    const Scratch file("immutable");
    const int fd = ::open(file.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int flags = 0;
    if (fd < 0 || ::ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) {
        return absent("this file system has no such flags");
    }
    flags |= FS_IMMUTABLE_FL;
    const int rc = ::ioctl(fd, FS_IOC_SETFLAGS, &flags);
    Outcome outcome = from_call(rc, "FS_IMMUTABLE_FL");
    flags &= ~FS_IMMUTABLE_FL;
    ::ioctl(fd, FS_IOC_SETFLAGS, &flags);
    return outcome;
}

Outcome out_of_memory_score(const Targets&) {
    return try_write("/proc/self/oom_score_adj", "-1000");
}
// What the daemon is protected by is inherited unless somebody resets it.
Outcome out_of_memory_inherited(const Targets&) {
    const int value = std::atoi(read_text("/proc/self/oom_score_adj").c_str());
    const std::string detail = "oom_score_adj " + std::to_string(value);
    return value < 0 ? succeeded(detail) : denied(0, "not protected: " + detail);
}
Outcome autogroup_nice(const Targets&) {
    if (::access("/proc/self/autogroup", F_OK) < 0) {
        return absent("this kernel has no scheduler groups of sessions");
    }
    return try_write("/proc/self/autogroup", "-5");
}

Outcome user_map(const Targets&) {
    return try_write("/proc/self/uid_map", "0 0 1\n");
}
Outcome group_map(const Targets&) {
    return try_write("/proc/self/gid_map", "0 0 1\n");
}
Outcome setgroups_switch(const Targets&) {
    return try_write("/proc/self/setgroups", "deny");
}

}  // namespace gearbox::probe::labels
