#include "node/isolators/isolators.h"

namespace gearbox {

namespace {

class CgroupIsolator final : public Isolator {
public:
    CgroupIsolator(const Settings& settings, const sys::Cgroups& cgroups)
        : limits_{settings.gear.memory_mb * 1024 * 1024, settings.gear.pids,
                  settings.gear.cpu_percent, settings.gear.cpu_weight},
          cgroups_(cgroups) {}
    const char* name() const override { return "cgroup"; }
    void acquire(const GearSpec& spec) override { cgroups_.ensure(cgroup_name(spec.id), limits_); }
    void connect(const GearRecord& record, pid_t pid) override {
        // Again: after a reboot the record is there and the group is not.
        cgroups_.ensure(cgroup_name(record.spec.id), limits_);
        cgroups_.attach(cgroup_name(record.spec.id), pid);
    }
    void admit(const GearRecord& record, pid_t pid) override {
        cgroups_.attach(cgroup_name(record.spec.id), pid);
    }
    void disconnect(const GearRecord& record) override {
        cgroups_.kill_all(cgroup_name(record.spec.id));
    }
    void release(const GearId& gear, uid_t) override { cgroups_.destroy(cgroup_name(gear)); }

private:
    sys::CgroupLimits limits_;
    const sys::Cgroups& cgroups_;
};

}  // namespace

std::unique_ptr<Isolator> make_cgroup_isolator(const Settings& settings,
                                               const sys::Cgroups& cgroups) {
    return std::make_unique<CgroupIsolator>(settings, cgroups);
}

}  // namespace gearbox
