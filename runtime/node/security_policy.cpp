#include "node/security_policy.h"

#include "base/error.h"
#include "base/log.h"
#include "model/gear.h"
#include "sys/selinux.h"

#include <algorithm>
#include <iterator>

namespace gearbox {

namespace {

template <typename Key>
struct Type {
    Key key;
    const char* name;
};

// What each may do: runtime/selinux/README.md.
constexpr Type<Purpose> domains[] = {
    {Purpose::git, "gear_git_t"},     {Purpose::init, "gear_init_t"},
    {Purpose::service, "gear_t"},     {Purpose::database, "gear_db_t"},
    {Purpose::build, "gear_build_t"}, {Purpose::session, "gear_session_t"},
};

constexpr Type<FileKind> file_types[] = {
    {FileKind::home, "gear_file_t"},        {FileKind::repository, "gear_repository_t"},
    {FileKind::log, "gear_log_t"},          {FileKind::cartridge, "gear_cartridge_t"},
    {FileKind::database, "gear_db_file_t"},
};

template <typename Key, std::size_t count>
const char* type_of(const Type<Key> (&table)[count], Key key) {
    return std::find_if(std::begin(table), std::end(table),
                        [key](const Type<Key>& row) { return row.key == key; })
        ->name;
}

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
    std::string process_label(uid_t uid, Purpose purpose) const override {
        return selinux_label(uid, purpose);
    }
    std::string file_label(uid_t uid, FileKind kind) const override {
        return selinux_label(uid, kind);
    }
    void check_type(const std::string& type) const override {
        const std::string own = str("system_u:system_r:", type, ":s0:c0,c1");
        if (!sys::is_label(own)) {
            fail(ErrorKind::invalid, "the SELinux policy has no type '", type, "' for processes");
        }
        if (!sys::is_allowed("system_u:system_r:gear_setup_t:s0", own, "process", "transition")) {
            fail(ErrorKind::invalid, "the SELinux policy lets gear_setup_t (gear-init) start no program as '", type, "': it is not in gear_domain");
        }
        if (sys::is_allowed(own, "system_u:object_r:gear_file_t:s0:c2,c3", "file", "read")) {
            fail(ErrorKind::invalid, "the SELinux policy does not keep '", type,
                 "' from files of other gears: it is not in mcs_constrained_type");
        }
    }
};

class NoPolicy final : public SecurityPolicy {
public:
    NoPolicy() {
        log::warning(
            "security.policy is \"none\": NOT ENFORCED are the SELinux domains of gears, the "
            "category pair of each gear, and the daemon's own domain; users, namespaces, "
            "capabilities, seccomp and cgroups still are. For development only");
    }
    std::string process_label(uid_t, Purpose) const override { return ""; }
    std::string file_label(uid_t, FileKind) const override { return ""; }
};

}  // namespace

std::string selinux_label(uid_t uid, Purpose purpose) {
    return str("system_u:system_r:", type_of(domains, purpose), ":", mcs_level(uid));
}

std::string selinux_label(uid_t uid, FileKind kind) {
    return str("system_u:object_r:", type_of(file_types, kind), ":", mcs_level(uid));
}

std::string with_type(const std::string& label, const std::string& type) {
    const auto begin = label.find(':', label.find(':') + 1);
    const auto end = label.find(':', begin + 1);
    if (label.empty() || begin == std::string::npos || end == std::string::npos) {
        return label;
    }
    return label.substr(0, begin + 1) + type + label.substr(end);
}

std::unique_ptr<SecurityPolicy> make_security_policy(const std::string& name) {
    if (name == "selinux") {
        return std::make_unique<SelinuxPolicy>();
    }
    return std::make_unique<NoPolicy>();
}

}  // namespace gearbox
