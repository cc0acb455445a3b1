#include "base/log.h"
#include "node/disk_limit.h"
#include "node/isolators/isolators.h"
#include "sys/disk_quota.h"

namespace gearbox {

namespace {

class QuotaIsolator final : public Isolator {
public:
    QuotaIsolator(const Profiles& profiles, const Paths& paths) : profiles_(profiles), paths_(paths) {
        if (!sys::find_disk_use(paths_.gear_base, 0)) {
            log::warning("the file system of '", paths_.gear_base, "' keeps no user quota: a gear may fill it");
        }
    }
    const char* name() const override { return "quota"; }
    void acquire(const GearRecord& record) override { adapt(record, 0); }
    void adapt(const GearRecord& record, pid_t) override {
        sys::set_disk_quota(paths_.gear_base, record.spec.uid,
                            disk_quota_of(profiles_.limits(record), record.spec.resources, paths_.gear_base));
    }
    void release(const GearId&, uid_t uid) override {
        if (uid != 0) {
            sys::set_disk_quota(paths_.gear_base, uid, {});
        }
    }

private:
    const Profiles& profiles_;
    Paths paths_;
};

}  // namespace

std::unique_ptr<Isolator> make_quota_isolator(const Profiles& profiles, const Paths& paths) {
    return std::make_unique<QuotaIsolator>(profiles, paths);
}

}  // namespace gearbox
