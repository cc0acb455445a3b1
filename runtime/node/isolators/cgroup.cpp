#include "node/isolators/isolators.h"

namespace gearbox {

namespace {

constexpr std::int64_t mebibyte = 1024 * 1024;

class CgroupIsolator final : public Isolator {
public:
    CgroupIsolator(const Settings& settings, const sys::Cgroups& cgroups)
        : settings_(settings), cgroups_(cgroups) {}
    const char* name() const override { return "cgroup"; }
    void acquire(const GearSpec& spec) override { adapt(spec); }
    void adapt(const GearSpec& spec) override {
        const GearSettings& size = settings_.size(spec.resources.size);
        cgroups_.ensure(cgroup_name(spec.id),
                        {size.memory_mb * mebibyte, size.swap_mb * mebibyte, size.pids,
                         size.cpu_percent, size.cpu_weight, size.io_weight});
    }
    void prepare(const GearRecord& record, sys::Program& program) override {
        // Again: after a reboot the record is there and the group is not.
        if (!cgroups_.exists(cgroup_name(record.spec.id))) {
            adapt(record.spec);
        }
        program.cgroup = cgroups_.open(cgroup_name(record.spec.id));
    }
    void connect(const GearRecord& record, pid_t pid) override { admit(record, pid); }
    void admit(const GearRecord& record, pid_t pid) override {
        if (!cgroups_.is_unified()) {
            cgroups_.attach(cgroup_name(record.spec.id), pid);
        }
    }
    void disconnect(const GearRecord& record) override {
        cgroups_.kill_all(cgroup_name(record.spec.id));
    }
    void release(const GearId& gear, uid_t) override { cgroups_.destroy(cgroup_name(gear)); }

private:
    const Settings& settings_;
    const sys::Cgroups& cgroups_;
};

}  // namespace

std::unique_ptr<Isolator> make_cgroup_isolator(const Settings& settings,
                                               const sys::Cgroups& cgroups) {
    return std::make_unique<CgroupIsolator>(settings, cgroups);
}

}  // namespace gearbox
