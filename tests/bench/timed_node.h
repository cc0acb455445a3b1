// A node whose isolators are timed one by one, for the benchmarks.
#pragma once
#include "functional/node_fixture.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gearbox::test {

using Milliseconds = std::chrono::duration<double, std::milli>;

/// Part → milliseconds, of the gear that is being made.
using Parts = std::map<std::string, double>;

template <typename Act>
void timed(Parts& parts, const std::string& part, Act act) {
    const auto began = std::chrono::steady_clock::now();
    act();
    const double took = Milliseconds(std::chrono::steady_clock::now() - began).count();
    static std::mutex mutex;  // equip() has a thread of its own
    const std::lock_guard guard(mutex);
    parts[part] += took;
}

/// Of none: 0.
inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

/// An isolator whose calls are timed one by one.
class Timed final : public Isolator {
public:
    Timed(std::unique_ptr<Isolator> inner, Parts& parts) : inner_(std::move(inner)), parts_(parts) {}
    const char* name() const override { return inner_->name(); }
    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        inner_->contribute(record, plan);
    }
    void acquire(const GearRecord& record) override {
        note("acquire", [&] { inner_->acquire(record); });
    }
    void prepare(const GearRecord& record, sys::Program& program) override {
        note("prepare", [&] { inner_->prepare(record, program); });
    }
    void connect(const GearRecord& record, pid_t pid) override {
        note("connect", [&] { inner_->connect(record, pid); });
    }
    void equip(const GearRecord& record, pid_t pid) override {
        note("equip", [&] { inner_->equip(record, pid); });
    }
    void disconnect(const GearRecord& record) override { inner_->disconnect(record); }
    void release(const GearId& gear, uid_t uid) override {
        note("release", [&] { inner_->release(gear, uid); });
    }

private:
    template <typename Act>
    void note(const char* call, Act act) {
        timed(parts_, str(call, "-", name()), act);
    }
    std::unique_ptr<Isolator> inner_;
    Parts& parts_;
};

/// What a LocalAgent has, with timed isolators. The host's rules are loaded by an agent of its own.
struct TimedNode {
    TimedNode() {
        for (auto& isolator : make_isolators(settings, paths, profiles, *policy, cgroups)) {
            isolators.push_back(std::make_unique<Timed>(std::move(isolator), parts));
        }
    }

    Settings settings = private_host_settings();
    SystemClock clock;
    LocalAgent agent{settings, clock};
    Paths paths{settings};
    std::unique_ptr<SecurityPolicy> policy = make_security_policy(settings.security.policy);
    Profiles profiles{settings, *policy};
    sys::Cgroups cgroups{settings.node.cgroup_parent};
    Parts parts;
    Isolators isolators;
    sys::Reaper reaper;
    GearStore store{paths};
    Launcher launcher{profiles, paths, *policy, isolators, store, reaper};
};

}  // namespace gearbox::test
