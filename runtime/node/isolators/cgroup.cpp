#include "base/error.h"
#include "base/log.h"
#include "node/isolators/isolators.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace gearbox {

namespace {

// A loop device charges what it writes to the memory of the group whose I/O it is, if that has the io
// controller (drivers/block/loop.c). With its file in RAM, as on the live medium, that would be the size
// of the gear's files; and a gear at its limit would hold up the device, and with it all others. There the device
// mapper lies on it (/sys/dev/block, Documentation/ABI/testing/sysfs-dev).
bool is_on_loop_device(const std::string& path) {
    constexpr unsigned loop_major = 7;  // admin-guide/devices.txt
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0) {
        return false;
    }
    const std::string below = str("/sys/dev/block/", major(info.st_dev), ":", minor(info.st_dev), "/slaves");
    std::error_code ignored;
    const std::filesystem::directory_iterator slaves(below, ignored);
    return major(info.st_dev) == loop_major ||
           std::any_of(begin(slaves), end(slaves), [](const auto& slave) { return slave.path().filename().string().starts_with("loop"); });
}

class CgroupIsolator final : public Isolator {
public:
    CgroupIsolator(const Profiles& profiles, const Paths& paths, const sys::Cgroups& cgroups)
        : profiles_(profiles), cgroups_(cgroups), weighs_io_(!is_on_loop_device(paths.gear_base)) {
        if (!cgroups.is_unified()) {
            log::warning("the cgroups of this machine are of version 1: swap_mb and io_weight limit nothing");
        }
    }
    const char* name() const override { return "cgroup"; }
    void acquire(const GearRecord& record) override {
        const GearSettings limits = profiles_.limits(record);
        cgroups_.ensure(cgroup_name(record.spec.id),
                        {limits.memory_mb << 20, limits.swap_mb << 20, limits.pids, limits.cpu_weight,
                         weighs_io_ ? limits.io_weight : 0});
    }
    void adapt(const GearRecord& record, pid_t) override {
        acquire(record);
        limit_cpu(record);
    }
    void prepare(const GearRecord& record, sys::Program& program) override {
        // Again: after a reboot the record is there and the group is not.
        if (!cgroups_.exists(cgroup_name(record.spec.id))) {
            acquire(record);
        }
        // Who starts it would wait for a program that stands still before its first instruction.
        if (cgroups_.is_frozen(cgroup_name(record.spec.id))) {
            fail(ErrorKind::unavailable, "the gear is frozen; 'gearbox admin gear thaw' or a start lets it go on");
        }
        program.cgroup = cgroups_.open(cgroup_name(record.spec.id));
        program.cgroup_tasks = cgroups_.open_tasks(cgroup_name(record.spec.id));
    }
    // Nothing of the gear runs before all of equip() is done.
    void equip(const GearRecord& record, pid_t) override { limit_cpu(record); }
    void dismiss(const GearRecord& record) override {
        // What takes longer, as a database may, is the stop script's to wait for. The host's halves of sessions are root's:
        // they end with the program that they wait for.
        constexpr std::chrono::seconds grace(5);
        cgroups_.end_all(cgroup_name(record.spec.id), record.spec.uid, record.init_pid, grace);
    }
    void disconnect(const GearRecord& record) override {
        cgroups_.kill_all(cgroup_name(record.spec.id));
    }
    void release(const GearId& gear, uid_t) override { cgroups_.destroy(cgroup_name(gear)); }

private:
    void limit_cpu(const GearRecord& record) const {
        cgroups_.limit_cpu(cgroup_name(record.spec.id), profiles_.limits(record).cpu_percent);
    }

    const Profiles& profiles_;
    const sys::Cgroups& cgroups_;
    const bool weighs_io_;
};

}  // namespace

std::unique_ptr<Isolator> make_cgroup_isolator(const Profiles& profiles, const Paths& paths,
                                               const sys::Cgroups& cgroups) {
    return std::make_unique<CgroupIsolator>(profiles, paths, cgroups);
}

}  // namespace gearbox
