#include "base/log.h"
#include "node/disk_limit.h"
#include "node/isolators/isolators.h"
#include "sys/disk_quota.h"

namespace gearbox {

namespace {

constexpr std::int64_t mebibyte = 1024 * 1024;

class QuotaIsolator final : public Isolator {
public:
    QuotaIsolator(const Settings& settings, const Paths& paths) : settings_(settings), paths_(paths) {
        if (!sys::find_disk_use(paths_.gear_base, 0)) {
            log::warning("the file system of '", paths_.gear_base, "' keeps no user quota: a gear may fill it");
        }
    }
    const char* name() const override { return "quota"; }
    void acquire(const GearSpec& spec) override { adapt(spec, 0); }
    void adapt(const GearSpec& spec, pid_t) override {
        sys::set_disk_quota(paths_.gear_base, spec.uid,
                            {disk_limit_mb(spec.resources, settings_) * mebibyte,
                             settings_.size(spec.resources.size).files});
    }
    void release(const GearId&, uid_t uid) override {
        if (uid != 0) {
            sys::set_disk_quota(paths_.gear_base, uid, {});
        }
    }

private:
    const Settings& settings_;
    Paths paths_;
};

}  // namespace

std::unique_ptr<Isolator> make_quota_isolator(const Settings& settings, const Paths& paths) {
    return std::make_unique<QuotaIsolator>(settings, paths);
}

}  // namespace gearbox
