#include "layers.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// user_namespaces(7): in one of its own anybody may mount, and so may the tools.
void enter_user_namespace() {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    check(::unshare(CLONE_NEWUSER), "creating a user namespace");
    for (const auto& [file, text] : {std::pair<const char*, std::string>{"setgroups", "deny"},
                                     {"uid_map", str("0 ", uid, " 1")},
                                     {"gid_map", str("0 ", gid, " 1")}}) {
        const std::string path = str("/proc/self/", file);
        const UniqueFd fd(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "opening '", path, "'"));
        write_all(fd.get(), text);
    }
}

}  // namespace

void enter_private_mounts() {
    if (::geteuid() != 0) {
        enter_user_namespace();
    }
    check(::unshare(CLONE_NEWNS), "creating a mount namespace");
    check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making the mounts private");
}

LayerMount::LayerMount(const std::vector<fs::path>& lowers, const fs::path& upper,
                       const fs::path& work, const fs::path& point)
    : point_(point) {
    fs::create_directories(point);
    const std::string target = point.string();
    if (upper.empty() && lowers.size() == 1) {
        const std::string only = lowers.front().string();
        check(::mount(only.c_str(), target.c_str(), nullptr, MS_BIND, nullptr), "mounting '", only,
              "'");
        return;
    }
    // metacopy: a new label or owner copies the inode, not the data. The lower layers never change
    // after they are committed, which is what makes it safe.
    std::string options = "metacopy=on,redirect_dir=on,lowerdir=";
    for (auto lower = lowers.rbegin(); lower != lowers.rend(); ++lower) {
        options += (lower == lowers.rbegin() ? "" : ":") + lower->string();
    }
    if (!upper.empty()) {
        // volatile: no sync on every copy; a layer that was not committed is thrown away anyway.
        options += ",volatile,upperdir=" + upper.string() + ",workdir=" + work.string();
    }
    if (options.find(' ') != std::string::npos || options.size() > 4000) {
        fail(ErrorKind::invalid, "the path of the cache has blanks or is too long: '", target, "'");
    }
    check(::mount("overlay", target.c_str(), "overlay", upper.empty() ? MS_RDONLY : 0,
                  options.c_str()),
          "mounting the layers on '", target,
          "' (does this kernel have overlayfs, and is the "
          "cache on a file system that can be an upper layer?)");
}

LayerMount::~LayerMount() {
    ::umount2(point_.c_str(), MNT_DETACH);
    ::rmdir(point_.c_str());
}

}  // namespace gearbox::builder
