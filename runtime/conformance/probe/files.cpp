// Files: other tenants' and the daemon's.
#include "conformance/probe/groups.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace gearbox::probe::files {

namespace {

Outcome open_for_reading(const std::string& path) {
    return try_open(path, O_RDONLY);
}
Outcome open_for_writing(const std::string& path) {
    return try_open(path, O_WRONLY);
}

// The host's pid may be the number of a process of this gear as well: that is not a neighbour.
Outcome of_other(const Targets& targets, const std::string& below,
                 Outcome (*attempt)(const std::string&)) {
    const std::string directory = "/proc/" + std::to_string(targets.other_pid);
    struct stat theirs {};
    struct stat ours {};
    if (::stat((directory + "/root").c_str(), &theirs) == 0 && ::stat("/", &ours) == 0 &&
        theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino) {
        return denied(0, directory + " is this gear's own");
    }
    return attempt(directory + below);
}

}  // namespace

Outcome other_home_list(const Targets& targets) {
    return try_list(targets.other_home);
}
Outcome other_home_read(const Targets& targets) {
    return try_read(targets.other_home + "/.env/OPENSHIFT_APP_NAME");
}
Outcome other_home_write(const Targets& targets) {
    return try_create(targets.other_home + "/app-root/data/gear-probe");
}

Outcome other_homes_walk(const Targets&) {
    const std::string base = home().substr(0, home().rfind('/'));
    const std::string own = home().substr(home().rfind('/') + 1);
    const Outcome listed = try_list(base);
    if (listed.result != Result::succeeded) {
        return listed;
    }
    for (const std::string& name : list_directory(base)) {
        if (name != own) {
            return succeeded("found " + base + "/" + name);
        }
    }
    return denied(0, "nothing else in " + base);
}

Outcome other_home_by_symlink(const Targets& targets) {
    const Scratch link("link");
    if (::symlink((targets.other_home + "/.env").c_str(), link.path().c_str()) < 0) {
        return denied(0, "no link could be made");
    }
    return try_read(link.path() + "/OPENSHIFT_APP_NAME");
}

// A race that is always won: between the check of a name and its use a link takes the file's place.
Outcome other_home_by_race(const Targets& targets) {
    const Scratch file("race-file");
    const Scratch link("race-link");
    if (!file.make_file() || ::symlink((targets.other_home + "/.env").c_str(), link.path().c_str()) < 0) {
        return denied(0, "no link could be made");
    }
    struct stat info {};
    if (::lstat(file.path().c_str(), &info) < 0 || !S_ISREG(info.st_mode) ||
        ::renameat2(AT_FDCWD, file.path().c_str(), AT_FDCWD, link.path().c_str(), RENAME_EXCHANGE) < 0) {
        return denied(0, "nothing could be exchanged");
    }
    return try_read(file.path() + "/OPENSHIFT_APP_NAME");
}

Outcome other_root_by_proc(const Targets& targets) {
    return of_other(targets, "/root/etc", try_list);
}
Outcome other_memory(const Targets& targets) {
    return of_other(targets, "/mem", open_for_reading);
}
Outcome other_descriptors(const Targets& targets) {
    return of_other(targets, "/fd", try_list);
}

Outcome shadow_by_init_root(const Targets&) {
    return try_read("/proc/1/root/etc/shadow");
}

Outcome shadow_by_dots(const Targets&) {
    const std::string up = "/../../../../../../../..";
    return first_found({home() + up + "/etc/shadow", "/proc/1/cwd" + up + "/etc/shadow",
                        "/proc/self/root" + up + "/etc/shadow", "/tmp" + up + "/etc/shadow"},
                       try_read);
}

Outcome shadow_by_symlink(const Targets&) {
    const Scratch link("link");
    if (::symlink("/proc/1/root/etc/shadow", link.path().c_str()) < 0) {
        return denied(0, "no link could be made");
    }
    return try_read(link.path());
}

Outcome shadow_by_passed_directory(const Targets&) {
    int ends[2];
    const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return denied(0, "no descriptor could be passed");
    }
    char byte = 'x';
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &root, sizeof root);
    if (::sendmsg(ends[0], &message, 0) < 0 || ::recvmsg(ends[1], &message, 0) < 0) {
        return denied(0, "no descriptor could be passed");
    }
    int passed = -1;
    std::memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof passed);
    const int fd = ::openat(passed, "../../../etc/shadow", O_RDONLY | O_CLOEXEC);
    return from_call(fd, "below the passed descriptor of /");
}

Outcome shadow_read(const Targets&) {
    return try_read("/etc/shadow");
}
Outcome shadow_backup_read(const Targets&) {
    return first_found({"/etc/shadow-", "/var/backups/shadow.bak", "/etc/gshadow"}, try_read);
}

// root, the gear, nobody.
Outcome passwd_of_host(const Targets&) {
    const std::string text = read_text("/etc/passwd");
    const auto lines = std::count(text.begin(), text.end(), '\n');
    if (lines == 3) {
        return denied(0, "three accounts: root, its own, nobody");
    }
    return succeeded(std::to_string(lines) + " accounts");
}

namespace {

Outcome try_link(const std::string& path) {
    const Scratch copy("hard");
    const int rc = ::link(path.c_str(), copy.path().c_str());
    return from_call(rc, path);
}

}  // namespace

Outcome hard_link_to_system(const Targets&) {
    return try_link("/etc/passwd");
}
Outcome hard_link_to_other(const Targets& targets) {
    return try_link(targets.other_home + "/.env/OPENSHIFT_APP_NAME");
}
Outcome hard_link_to_setuid(const Targets&) {
    return first_found({"/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount"}, try_link);
}

// AT_EMPTY_PATH answers ENOENT without CAP_DAC_READ_SEARCH; older kernels ask nothing more.
Outcome hard_link_by_descriptor(const Targets&) {
    const Scratch copy("hard");
    const int fd = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return denied(0, "/etc/passwd cannot be read");
    }
    const int rc = ::linkat(fd, "", AT_FDCWD, copy.path().c_str(), AT_EMPTY_PATH);
    return from_call(rc, "linkat with AT_EMPTY_PATH");
}

Outcome open_by_handle(const Targets&) {
    alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
    auto* const handle = reinterpret_cast<file_handle*>(space);
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    const std::string place = data_directory();
    const int directory = ::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (::name_to_handle_at(AT_FDCWD, place.c_str(), handle, &mount, 0) < 0) {
        return absent("this file system has no handles");
    }
    return from_call(::open_by_handle_at(directory, handle, O_RDONLY | O_CLOEXEC),
                     "with the handle of its own data");
}

// Standard streams and the session's socket may be inherited; a directory or file of another mount
// namespace may not.
Outcome inherited_descriptors(const Targets&) {
    for (const std::string& name : list_directory("/proc/self/fd")) {
        const int fd = std::atoi(name.c_str());
        struct stat info {};
        if (fd < 3 || ::fstat(fd, &info) < 0) {
            continue;
        }
        char path[PATH_MAX] = {};
        const std::string link = "/proc/self/fd/" + name;
        const ssize_t size = ::readlink(link.c_str(), path, sizeof path - 1);
        const bool is_own = size > 0 && std::strncmp(path, "/proc/", 6) == 0;
        if (!is_own && (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode) || S_ISBLK(info.st_mode))) {
            return succeeded("descriptor " + name + " is " + path);
        }
    }
    return denied(0, "none is open");
}

namespace {

// A running program is ETXTBSY for whoever could write it otherwise.
Outcome write_program(const std::string& path) {
    Outcome outcome = open_for_writing(path);
    return outcome.code == ETXTBSY ? succeeded("only because it runs it could not be written")
                                   : outcome;
}

}  // namespace

Outcome init_program_write(const Targets&) {
    return write_program("/proc/1/exe");
}
Outcome own_program_write(const Targets&) {
    return write_program("/proc/self/exe");
}

Outcome usr_create(const Targets&) {
    return try_create("/usr/bin/gear-probe-was-here");
}
Outcome usr_overwrite(const Targets&) {
    return open_for_writing("/usr/bin/env");
}
Outcome libexec_create(const Targets&) {
    char path[PATH_MAX] = {};
    if (::readlink("/proc/self/exe", path, sizeof path - 1) < 0) {
        return denied(0, "its own program has no path");
    }
    return try_create(std::string(path) + "-was-here");
}
Outcome etc_create(const Targets&) {
    return try_create("/etc/gear-probe-was-here");
}
Outcome passwd_write(const Targets&) {
    return open_for_writing("/etc/passwd");
}
Outcome loader_preload_create(const Targets&) {
    return try_create("/etc/ld.so.preload");
}
Outcome root_create(const Targets&) {
    const int rc = ::mkdir("/gear-probe-was-here", 0700);
    if (rc == 0) {
        ::rmdir("/gear-probe-was-here");
    }
    return from_call(rc, "/gear-probe-was-here");
}
Outcome dev_create(const Targets&) {
    return try_create("/dev/gear-probe-was-here");
}

Outcome run_create(const Targets&) {
    sockaddr_un address{AF_UNIX, "/run/gear-probe-was-here"};
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int rc = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    Outcome outcome = from_call(rc, address.sun_path);
    if (rc == 0) {
        ::unlink(address.sun_path);
    }
    return outcome;
}

Outcome core_pattern_write(const Targets&) {
    return open_for_writing("/proc/sys/kernel/core_pattern");
}
Outcome modprobe_path_write(const Targets&) {
    constexpr const char* path = "/proc/sys/kernel/modprobe";
    return ::access(path, F_OK) < 0 ? absent("this kernel loads no modules")
                                    : open_for_writing(path);
}
Outcome forwarding_sysctl_write(const Targets&) {
    return open_for_writing("/proc/sys/net/ipv4/ip_forward");
}

// glibc shows the auxiliary vector, unless the program has more privilege than who started it: then
// it hides it. So the line of the effective user is there exactly if the set-uid bit was without
// effect.
Outcome setuid_program(const Targets&) {
    for (const char* program : {"/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount"}) {
        struct stat info {};
        if (::stat(program, &info) < 0 || (info.st_mode & S_ISUID) == 0 || info.st_uid != 0) {
            continue;
        }
        const Ran ran = probe::run({program, "--help"}, {"LD_SHOW_AUXV=1", "LC_ALL=C"});
        const auto at = ran.output.find("AT_EUID:");
        if (at == std::string::npos) {
            return succeeded(std::string(program) + " does not tell its user: it is privileged");
        }
        const int euid = std::atoi(ran.output.c_str() + at + 8);
        struct statvfs mount {};
        ::statvfs(program, &mount);
        const bool nosuid = (mount.f_flag & ST_NOSUID) != 0;
        const std::string detail = std::string(program) + " runs as " + std::to_string(euid) +
                                   (nosuid ? ", mounted nosuid" : ", mounted with set-uid bits");
        return euid == 0 ? succeeded(detail) : denied(0, detail);
    }
    return absent("no set-uid program is installed");
}

namespace {

Outcome give_to(uid_t uid) {
    const Scratch file("owner");
    if (!file.make_file()) {
        return denied(0, "no file could be made");
    }
    return from_call(::chown(file.path().c_str(), uid, uid), "uid " + std::to_string(uid));
}

}  // namespace

Outcome chown_to_root(const Targets&) {
    return give_to(0);
}
Outcome chown_to_other(const Targets& targets) {
    return give_to(targets.other_uid);
}

Outcome host_keys_read(const Targets&) {
    return first_found({"/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key",
                        "/etc/ssh/ssh_host_ecdsa_key"},
                       try_read);
}
Outcome sshd_config_read(const Targets&) {
    return try_read("/etc/ssh/sshd_config");
}
Outcome root_keys_read(const Targets&) {
    return first_found({"/root/.ssh", "/root"}, try_list);
}
Outcome daemon_database(const Targets&) {
    return first_found({"/var/lib/gearbox/state.db", "/var/lib/gearbox/state.db-wal"}, try_read);
}
Outcome daemon_records(const Targets&) {
    return try_list("/var/lib/gearbox/gears");
}
Outcome daemon_keys(const Targets&) {
    return first_found({"/var/lib/gearbox/tls", "/etc/gearbox/tls"}, try_list);
}
Outcome daemon_settings(const Targets&) {
    return try_read("/etc/gearbox/gearboxd.toml");
}
Outcome daemon_credentials(const Targets&) {
    const Outcome listed = try_list("/run/gearbox");
    if (listed.result == Result::succeeded) {
        return listed;
    }
    return first_found({"/run/gearbox/credentials", "/var/lib/gearbox/operator-password"}, try_read);
}
Outcome daemon_socket(const Targets&) {
    return try_connect("/run/gearbox/control.sock");
}
Outcome router_socket(const Targets&) {
    return try_connect("/run/gearbox/router-admin.sock");
}
Outcome bus_socket(const Targets&) {
    return try_connect("/run/dbus/system_bus_socket");
}
Outcome systemd_socket(const Targets&) {
    return try_connect("/run/systemd/private");
}

Outcome foreign_temporary_files(const Targets&) {
    for (const std::string& place :
         {std::string("/tmp"), std::string("/var/tmp"), std::string("/dev/shm")}) {
        for (const std::string& name : list_directory(place)) {
            struct stat info {};
            const std::string path = place + "/" + name;
            if (::lstat(path.c_str(), &info) == 0 && info.st_uid != ::getuid()) {
                return succeeded("found " + path + " of user " + std::to_string(info.st_uid));
            }
        }
    }
    return denied(0, "private: everything there is its own");
}

Outcome host_disks(const Targets&) {
    return first_found(
        {"/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/sr0", "/dev/loop0", "/dev/dm-0"},
        open_for_reading);
}
Outcome boot_files(const Targets&) {
    return try_list("/boot");
}
Outcome sysfs(const Targets&) {
    return first_found({"/sys/kernel", "/sys/fs", "/sys/class/net"}, try_list);
}
Outcome host_logs(const Targets&) {
    return try_list("/var/log");
}

Outcome home_create(const Targets&) {
    const std::string path = home() + "/gear-probe-was-here";
    const int rc = ::mkdir(path.c_str(), 0700);
    if (rc == 0) {
        ::rmdir(path.c_str());
    }
    return from_call(rc, path);
}
Outcome home_rename(const Targets&) {
    return try_rename(home());
}
Outcome sandbox_list(const Targets&) {
    return try_list(home() + "/.sandbox");
}

}  // namespace gearbox::probe::files
