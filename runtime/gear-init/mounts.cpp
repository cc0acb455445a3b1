#include "gear-init/steps.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <optional>

namespace gearbox {

namespace {

mode_t parse_mode(const std::string& octal) {
    unsigned mode = 0;
    std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
    return mode;
}

// With its parents; one that is there stays as it is.
void make_directory(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) {
        return;
    }
    if (errno != ENOENT) {
        fail_errno("creating '", path, "'");
    }
    make_directory(path.substr(0, path.rfind('/')), 0755);
    check(::mkdir(path.c_str(), mode), "creating '", path, "'");
}

void make_parent(const std::string& path) {
    make_directory(path.substr(0, path.rfind('/')), 0755);
}

std::optional<struct stat> find_stat(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        fail_errno("looking at '", path, "'");
    }
    return info;
}

// The kernel ignores all flags but MS_REC when it binds; they need a second call, which mount(2)
// would apply to the top mount only.
void bind_mount(const std::string& source, const std::string& target, std::uint64_t attributes) {
    check(::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr), "binding '",
          source, "' to '", target, "'");
    mount_attr wanted{};
    wanted.attr_set = attributes;
    check(::mount_setattr(AT_FDCWD, target.c_str(), AT_RECURSIVE, &wanted, sizeof wanted),
          "setting attributes of '", target, "'");
}

/// Carries out one step below the new root.
class Builder {
public:
    explicit Builder(const LaunchPlan& plan) : plan_(plan) {}

    void root() const {
        make_directory(plan_.root, 0755);
        std::string options = str("mode=0755,size=", plan_.root_kb, "k");
        // Quoted: the label's categories are separated by a comma.
        if (!plan_.file_label.empty()) {
            options += str(",context=\"", plan_.file_label, "\"");
        }
        check(::mount("tmpfs", plan_.root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()),
              "mounting tmpfs on '", plan_.root, "'");
    }
    void operator()(const WritableStep& step) const {
        (*this)(DirectoryStep{step.target, step.mode});
        bind_mount(place(step.target), place(step.target), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }
    void operator()(const BindStep& step) const {
        const auto info = find_stat(step.source);
        if (!info && step.optional) {
            return;
        }
        const std::string target = place(step.target);
        if (info && !S_ISDIR(info->st_mode)) {
            file(target, "");
        } else {
            make_directory(target, 0755);
        }
        bind_mount(step.source, target,
                   MS_NOSUID | (step.devices ? 0 : MS_NODEV) | (step.read_only ? MS_RDONLY : 0));
    }
    void operator()(const ProcStep& step) const {
        const std::string target = place(step.target);
        make_directory(target, 0555);
        check(::mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
              "mounting proc on '", target, "'");
    }
    void operator()(const TerminalsStep& step) const {
        const std::string target = place(step.target);
        make_directory(target, 0755);
        // max: all instances share kernel.pty.max.
        check(::mount("devpts", target.c_str(), "devpts", MS_NOSUID | MS_NOEXEC,
                      "newinstance,ptmxmode=0666,mode=0620,max=64"),
              "mounting devpts on '", target, "'");
    }
    void operator()(const MaskStep& step) const {
        const std::string target = place(step.target);
        const auto info = find_stat(target);
        if (info && S_ISDIR(info->st_mode)) {
            // Not a file system of its own: the kernel keeps a list of all that there are in each cgroup.
            const std::string empty = place("/var/empty");
            make_directory(empty, 0555);
            bind_mount(empty, target,
                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        } else if (info) {
            bind_mount("/dev/null", target,
                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        }
    }
    void operator()(const ReadOnlyStep& step) const {
        const std::string target = place(step.target);
        if (find_stat(target)) {
            bind_mount(
                target, target,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        }
    }
    void operator()(const DirectoryStep& step) const {
        const std::string target = place(step.target);
        make_directory(target, 0755);
        const mode_t mode = parse_mode(step.mode);
        check(::chmod(target.c_str(), mode), "setting the mode of '", target, "'");
    }
    void operator()(const SymlinkStep& step) const {
        const std::string target = place(step.target);
        make_parent(target);
        check(::symlink(step.text.c_str(), target.c_str()), "linking '", target, "'");
    }
    void operator()(const FileStep& step) const { file(place(step.target), step.content); }

private:
    std::string place(const std::string& target) const { return plan_.root + target; }
    static void file(const std::string& target, const std::string& content) {
        make_parent(target);
        const UniqueFd fd(
            check(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644),
                  "creating '", target, "'"));
        write_all(fd.get(), content);
    }

    const LaunchPlan& plan_;
};

}  // namespace

void make_root(const LaunchPlan& plan) {
    ::umask(022);
    const Builder builder(plan);
    builder.root();
    for (const MountStep& step : plan.mounts) {
        std::visit(builder, step);
    }
}

}  // namespace gearbox
