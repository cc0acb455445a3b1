#include "node/isolators/isolators.h"
#include "sys/users.h"

#include <mutex>

namespace gearbox {

namespace {

constexpr const char* common_group = "gearbox-gears";

class AccountIsolator final : public Isolator {
public:
    explicit AccountIsolator(const Paths& paths) : paths_(paths) {}
    const char* name() const override { return "account"; }
    void restore(const std::vector<GearRecord>&) override { sys::ensure_group(common_group); }
    void acquire(const GearRecord& record) override {
        const GearSpec& spec = record.spec;
        // userdel locks the files but gives up soon when somebody else has them.
        const std::lock_guard guard(tools_);
        sys::ensure_account({spec.id.text(), spec.uid, paths_.home(spec.id), paths_.gear_shell(), common_group});
    }
    void release(const GearId& gear, uid_t) override {
        const std::lock_guard guard(tools_);
        sys::destroy_account(gear.text());
    }

private:
    Paths paths_;
    std::mutex tools_;
};

}  // namespace

std::unique_ptr<Isolator> make_account_isolator(const Paths& paths) {
    return std::make_unique<AccountIsolator>(paths);
}

}  // namespace gearbox
