// How gears are separated by labels.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

namespace gearbox {

struct GearLabels {
    std::string process;  ///< "": none
    std::string file;
};

class SecurityPolicy {
public:
    virtual ~SecurityPolicy() = default;
    virtual GearLabels labels(uid_t uid) const = 0;
};

/// "selinux" throws Error(unavailable) unless SELinux is enforcing; "none" says in the log what is
/// missing then.
std::unique_ptr<SecurityPolicy> make_security_policy(const std::string& name);

}  // namespace gearbox
