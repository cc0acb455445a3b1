// How gears are separated by labels.
#pragma once
#include "model/purpose.h"

#include <sys/types.h>

#include <memory>
#include <string>

namespace gearbox {

enum class FileKind {
    home,        ///< everything that has no row below
    repository,  ///< git/
    log,         ///< app-root/logs and the logs/ of cartridges
    cartridge,   ///< a cartridge's scripts and metadata
    database,    ///< a database cartridge's directory, but for those
};

/// The SELinux labels of a gear; its uid gives the pair of categories.
std::string selinux_label(uid_t uid, Purpose purpose);
std::string selinux_label(uid_t uid, FileKind kind);

class SecurityPolicy {
public:
    virtual ~SecurityPolicy() = default;
    /// Of a program that is started; "": none.
    virtual std::string process_label(uid_t uid, Purpose purpose) const = 0;
    /// Of a file that is made; "": none.
    virtual std::string file_label(uid_t uid, FileKind kind) const = 0;
    /// Throws Error(invalid) for a type that processes of gears may not have.
    virtual void check_type(const std::string&) const {}
};

/// The process label with another type: "system_u:system_r:gear_t:s0:c1,c2". No label stays none.
std::string with_type(const std::string& label, const std::string& type);

/// "selinux" throws Error(unavailable) unless SELinux is enforcing; "none" says in the log what is
/// missing then.
std::unique_ptr<SecurityPolicy> make_security_policy(const std::string& name);

}  // namespace gearbox
