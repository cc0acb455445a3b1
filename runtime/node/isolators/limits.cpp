#include "base/log.h"
#include "node/isolators/isolators.h"
#include "node/launcher.h"
#include "sys/capabilities.h"
#include "sys/limits.h"

#include <algorithm>

namespace gearbox {

namespace {

// Programs get them in gear-init; here are those that run already.
class LimitIsolator final : public Isolator {
public:
    LimitIsolator(const Profiles& profiles, const sys::Cgroups& cgroups)
        : profiles_(profiles), cgroups_(cgroups), is_able_(sys::is_in_bounding_set(*sys::find_capability("sys_resource"))) {
        if (!is_able_) {
            log::warning("without CAP_SYS_RESOURCE, new limits of processes reach programs that are started, not those that run");
        }
    }
    const char* name() const override { return "limits"; }
    void adapt(const GearRecord& record, pid_t init) override {
        for (const auto& [name, value] : make_limits(profiles_.limits(record))) {
            // No setting says how large dumps may be.
            if (is_able_ && init != 0 && name != "core") {
                change(record, init, sys::resource_of(name), value);
            }
        }
    }

private:
    // The gear's first process changes none of its limits, and so tells which they were; it is the last to get the new one.
    void change(const GearRecord& record, pid_t init, int resource, std::uint64_t value) const {
        const auto from = sys::find_hard_limit(init, resource);
        // As at a start: no gear has more than the daemon.
        const std::uint64_t to = std::min(value, sys::find_hard_limit(0, resource).value_or(value));
        if (!from || *from == to) {
            return;
        }
        // Again while somebody was found: what they had started meanwhile has the old limit. Who starts processes without end
        // is not followed for ever.
        constexpr int most_looks = 20;
        bool found = true;
        for (int look = 0; found && look < most_looks; ++look) {
            found = false;
            for (const pid_t pid : cgroups_.processes(cgroup_name(record.spec.id))) {
                // Not the host's halves of sessions, which are root's.
                if (pid != init && sys::find_user(pid) == record.spec.uid) {
                    found = sys::change_limit(pid, resource, *from, to) || found;
                }
            }
        }
        sys::change_limit(init, resource, *from, to);
    }

    const Profiles& profiles_;
    const sys::Cgroups& cgroups_;
    const bool is_able_;  // the appliance is; machines of developers may be not
};

}  // namespace

std::unique_ptr<Isolator> make_limit_isolator(const Profiles& profiles, const sys::Cgroups& cgroups) {
    return std::make_unique<LimitIsolator>(profiles, cgroups);
}

}  // namespace gearbox
