#include "sys/disk_quota.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gearbox::sys {

namespace {

constexpr std::int64_t block = 1024;  // bytes, of limits: quotactl(2), QIF_DQBLKSIZE

// False: the kernel or this file system keeps none (quotactl(2): ENOSYS, ESRCH), or it is one that
// cannot (overlayfs).
bool call_quota(const std::string& path, int command, uid_t uid, dqblk& data) {
    const UniqueFd fd(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening '", path, "'"));
    if (::syscall(SYS_quotactl_fd, fd.get(), QCMD(command, USRQUOTA), uid, &data) == 0) {
        return true;
    }
    if (errno == ENOSYS || errno == ESRCH || errno == EOPNOTSUPP) {
        return false;
    }
    fail_errno("disk quota of user ", uid, " on '", path, "'");
}

}  // namespace

bool set_disk_quota(const std::string& path, uid_t uid, const DiskQuota& quota) {
    dqblk data{};
    data.dqb_bhardlimit = data.dqb_bsoftlimit = static_cast<std::uint64_t>(quota.bytes / block);
    data.dqb_ihardlimit = data.dqb_isoftlimit = static_cast<std::uint64_t>(quota.files);
    data.dqb_valid = QIF_LIMITS;
    return call_quota(path, Q_SETQUOTA, uid, data);
}

std::optional<DiskUse> find_disk_use(const std::string& path, uid_t uid) {
    dqblk data{};
    if (!call_quota(path, Q_GETQUOTA, uid, data)) {
        return std::nullopt;
    }
    return DiskUse{static_cast<std::int64_t>(data.dqb_curspace), static_cast<std::int64_t>(data.dqb_curinodes)};
}

}  // namespace gearbox::sys
