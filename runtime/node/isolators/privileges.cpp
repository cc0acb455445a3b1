#include "node/isolators/isolators.h"
#include "node/launcher.h"

namespace gearbox {

namespace {

class PrivilegeIsolator final : public Isolator {
public:
    PrivilegeIsolator(const Profiles& profiles, const SecurityPolicy& policy)
        : profiles_(profiles), policy_(policy) {}
    const char* name() const override { return "privileges"; }
    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        plan.file_label = policy_.file_label(record.spec.uid, FileKind::home);
        plan.privileges = make_privileges(record, profiles_, policy_, Purpose::init);
    }

private:
    const Profiles& profiles_;
    const SecurityPolicy& policy_;
};

}  // namespace

std::unique_ptr<Isolator> make_privilege_isolator(const Profiles& profiles,
                                                  const SecurityPolicy& policy) {
    return std::make_unique<PrivilegeIsolator>(profiles, policy);
}

}  // namespace gearbox
