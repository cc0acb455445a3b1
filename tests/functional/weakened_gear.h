// A gear of the real gear-init with one layer switched off: by a security profile, as an operator would; or, where
// the product has no switch, by one more isolator, through which launch plan, clone flags and descriptors go; or by a
// gear-init that was linked without a step of its own (weakened/).
#pragma once
#include "node_fixture.h"

#include "node/cartridge_runner.h"

#include <functional>

namespace gearbox::test {

/// What is different from the product; all empty: nothing.
struct Weakness {
    std::string gear_init;                    ///< program to take in place of gear-init
    std::string profile;                      ///< security profile, but for what it is assigned to
    std::uint64_t shared_namespaces = 0;      ///< CLONE_NEW… flags: the host's own
    std::function<void(LaunchPlan&)> plan;    ///< edits it
    std::function<void(Settings&)> settings;  ///< edits those that processes are started with
    std::function<void(pid_t)> connect;       ///< its first process, which waits
    bool outside_cgroups = false;             ///< each further process
    std::vector<int> inherited;               ///< descriptors for each further process, from 7 on
    std::vector<std::string> environment;     ///< NAME=value, in front of a further process's program
    std::function<void(const GearRecord&)> ready;  ///< the sandbox runs; may change it from outside
};

class WeakeningIsolator final : public Isolator {
public:
    explicit WeakeningIsolator(const Weakness& weakness) : weakness_(weakness) {}
    const char* name() const override { return "weakening"; }
    void contribute(const GearRecord&, LaunchPlan& plan) const override {
        if (weakness_.plan) {
            weakness_.plan(plan);
        }
    }
    void prepare(const GearRecord&, sys::Program& program) override {
        program.namespaces &= ~weakness_.shared_namespaces;
        const bool is_first = program.namespaces != 0;
        if (!is_first && weakness_.outside_cgroups) {
            program.cgroup.reset();
            program.cgroup_tasks.clear();
        }
        for (std::size_t i = 0; !is_first && i < weakness_.inherited.size(); ++i) {
            program.descriptors.emplace_back(weakness_.inherited[i], static_cast<int>(7 + i));
        }
    }
    void connect(const GearRecord&, pid_t pid) override {
        if (weakness_.connect) {
            weakness_.connect(pid);
        }
    }

private:
    const Weakness& weakness_;
};

/// Moves a process into the machine's root cgroups; what it makes from then on is there, too.
void leave_cgroups(pid_t pid);

/// The gear's sandbox, started weakened after the gear was stopped; ends with this object. Its
/// application is not started.
class WeakenedGear {
public:
    /// All must outlive it.
    WeakenedGear(LocalAgent& agent, const Settings& settings, const GearId& gear, const Weakness& weakness);
    ~WeakenedGear();
    WeakenedGear(const WeakenedGear&) = delete;
    WeakenedGear& operator=(const WeakenedGear&) = delete;

    const GearRecord& record() const { return record_; }
    const CartridgeRunner& runner() const { return runner_; }
    std::string probe() const { return settings_.node.libexec_dir + "/gear-probe"; }
    /// What a bash program prints, run as a session would run it.
    std::string inside(const std::string& program) const;

private:
    const Weakness& weakness_;
    Settings settings_;
    Paths paths_;
    std::unique_ptr<SecurityPolicy> policy_;
    Profiles profiles_;
    sys::Cgroups cgroups_;
    Isolators isolators_;
    sys::Reaper reaper_;
    Launcher launcher_;
    NodeContext context_;
    CartridgeRunner runner_;
    GearRecord record_;
};

}  // namespace gearbox::test
