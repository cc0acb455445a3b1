#include "sys/capabilities.h"

#include "base/error.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include <algorithm>

namespace gearbox::sys {

namespace {

constexpr const char* may_keep = nullptr;
// Gears share the host's user namespace: a capability over users or files is one over everybody's.
constexpr const char* users = "gears are told apart by their users, and it makes one of another";
constexpr const char* files = "it passes by the owners and modes that keep gears and the system apart";
constexpr const char* machine = "it changes the machine for all";
constexpr const char* kernel = "it opens most of the kernel, and with it the machine";
constexpr const char* labels = "labels and the audit trail are the platform's";
constexpr const char* network = "the gear's link and addresses are the platform's";

}  // namespace

const std::vector<Capability>& capabilities() {
    static const std::vector<Capability> table = {
        // in the gear's own network: ports below 1024
        {CAP_NET_BIND_SERVICE, "net_bind_service", may_keep},
        // in the gear's own network: ping; the host drops packets with other sender addresses (rp_filter)
        {CAP_NET_RAW, "net_raw", may_keep},
        // priorities and processors of the gear's own processes; its cgroup's share stays
        {CAP_SYS_NICE, "sys_nice", may_keep},
        // memory that is not swapped, and huge pages; up to its cgroup's limit
        {CAP_IPC_LOCK, "ipc_lock", may_keep},
        {CAP_CHOWN, "chown", files},
        {CAP_DAC_OVERRIDE, "dac_override", files},
        {CAP_DAC_READ_SEARCH, "dac_read_search", files},
        {CAP_FOWNER, "fowner", files},
        {CAP_FSETID, "fsetid", files},
        {CAP_LEASE, "lease", files},
        {CAP_LINUX_IMMUTABLE, "linux_immutable", files},
        {CAP_MKNOD, "mknod", files},
        {CAP_SETFCAP, "setfcap", files},
        {CAP_IPC_OWNER, "ipc_owner", files},
        {CAP_KILL, "kill", users},
        {CAP_SETGID, "setgid", users},
        {CAP_SETUID, "setuid", users},
        {CAP_SETPCAP, "setpcap", users},
        {CAP_NET_ADMIN, "net_admin", network},
        {CAP_NET_BROADCAST, "net_broadcast", network},
        {CAP_SYS_ADMIN, "sys_admin", kernel},
        {CAP_SYS_PTRACE, "sys_ptrace", kernel},
        {CAP_SYS_MODULE, "sys_module", kernel},
        {CAP_SYS_RAWIO, "sys_rawio", kernel},
        {CAP_SYS_CHROOT, "sys_chroot", kernel},
        {CAP_BPF, "bpf", kernel},
        {CAP_PERFMON, "perfmon", kernel},
        {CAP_CHECKPOINT_RESTORE, "checkpoint_restore", kernel},
        {CAP_SYS_BOOT, "sys_boot", machine},
        {CAP_SYS_TIME, "sys_time", machine},
        {CAP_SYS_PACCT, "sys_pacct", machine},
        {CAP_SYS_RESOURCE, "sys_resource", machine},
        {CAP_SYS_TTY_CONFIG, "sys_tty_config", machine},
        {CAP_SYSLOG, "syslog", machine},
        {CAP_WAKE_ALARM, "wake_alarm", machine},
        {CAP_BLOCK_SUSPEND, "block_suspend", machine},
        {CAP_AUDIT_CONTROL, "audit_control", labels},
        {CAP_AUDIT_READ, "audit_read", labels},
        {CAP_AUDIT_WRITE, "audit_write", labels},
        {CAP_MAC_ADMIN, "mac_admin", labels},
        {CAP_MAC_OVERRIDE, "mac_override", labels},
    };
    return table;
}

const Capability* find_capability(const std::string& name) {
    const auto& table = capabilities();
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const Capability& c) { return c.name == name; });
    return row == table.end() ? nullptr : &*row;
}

std::uint64_t capability_mask(const std::vector<std::string>& names) {
    std::uint64_t mask = 0;
    for (const std::string& name : names) {
        const Capability* const found = find_capability(name);
        if (found == nullptr) {
            fail(ErrorKind::invalid, "unknown capability '", name, "'");
        }
        mask |= std::uint64_t{1} << found->number;
    }
    return mask;
}

bool is_in_bounding_set(const Capability& capability) {
    return ::prctl(PR_CAPBSET_READ, capability.number, 0, 0, 0) > 0;
}

}  // namespace gearbox::sys
