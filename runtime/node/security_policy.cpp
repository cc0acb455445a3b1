#include "node/security_policy.h"

#include "base/error.h"
#include "base/log.h"
#include "model/gear.h"
#include "sys/selinux.h"

namespace gearbox {

namespace {

class SelinuxPolicy final : public SecurityPolicy {
public:
    SelinuxPolicy() {
        if (!sys::is_selinux_enforcing()) {
            fail(ErrorKind::unavailable,
                 "SELinux is not enforcing, and security.policy is \"selinux\": gears would not be "
                 "separated. Boot with enforcing=1, or set security.policy = \"none\" for "
                 "development");
        }
    }
    GearLabels labels(uid_t uid) const override {
        const std::string level = mcs_level(uid);
        return {str("system_u:system_r:gear_t:", level),
                str("system_u:object_r:gear_file_t:", level)};
    }
};

class NoPolicy final : public SecurityPolicy {
public:
    NoPolicy() {
        log::warning(
            "security.policy is \"none\": NOT ENFORCED are the gear_t domain, the category pair "
            "of each gear, and the daemon's own domain; users, namespaces, capabilities, seccomp "
            "and cgroups still are. For development only");
    }
    GearLabels labels(uid_t) const override { return {}; }
};

}  // namespace

std::unique_ptr<SecurityPolicy> make_security_policy(const std::string& name) {
    if (name == "selinux") {
        return std::make_unique<SelinuxPolicy>();
    }
    return std::make_unique<NoPolicy>();
}

}  // namespace gearbox
