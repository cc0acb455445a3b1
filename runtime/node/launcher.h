// Sandboxes: starts and ends them, runs programs inside.
#pragma once
#include "base/settings.h"
#include "model/events.h"
#include "model/launch_plan.h"
#include "model/purpose.h"
#include "node/gear_store.h"
#include "node/isolator.h"
#include "node/profiles.h"
#include "sys/process.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// A program to be run inside a gear to its end.
struct GearCommand {
    Purpose purpose = Purpose::git;  ///< unless it is said: what may do least
    std::vector<std::string> argv;   ///< argv[0] is a path
    std::string name = {};           ///< what messages call it; argv[0] unless it is said
    std::vector<std::string> environment;
    std::string directory;
    std::string input;          ///< for its standard input
    TextSink output;            ///< both streams as they come; may be empty
    std::chrono::seconds deadline{3600};
};

struct GearResult {
    int status = 0;   ///< exit code; 128 + signal number when killed
    std::string out;  ///< at most some MiB
    std::string err;
};

/// A program inside a gear that somebody else talks to.
struct GearProgram {
    sys::Child child;  ///< gear-init enter; TERM ends the program's whole process group
    UniqueFd status;
    /// Throws what gear-init reported, if the program could not be started. Call after its end.
    void check_start(int exit_status) const;
};

/// Limits of each process of a gear, by their names in a plan.
std::vector<std::pair<std::string, std::uint64_t>> make_limits(const GearSettings& gear);

/// What processes of the gear are and may do.
Privileges make_privileges(const GearRecord& record, const Profiles& profiles, const SecurityPolicy& policy,
                           Purpose purpose);

/// Pure but for looking at what is installed; printed by tests.
LaunchPlan make_launch_plan(const GearRecord& record, const Isolators& isolators);

/// Thread-safe; calls for one gear are serialised by the caller, but for run() and spawn().
class Launcher {
public:
    Launcher(const Profiles& profiles, const Paths& paths, const SecurityPolicy& policy,
             const Isolators& isolators, const GearStore& store, sys::Reaper& reaper);

    bool is_running(const GearRecord& record) const;
    /// Starts the sandbox unless it runs, and saves the record. planned: the record as it is about
    /// to become, which the sandbox is made for.
    void ensure_running(GearRecord& record, const GearRecord* planned = nullptr) const;
    /// Asks everything of the gear to end (TERM), waits some seconds for it, if there is anything, and then does as kill().
    void end(GearRecord& record) const;
    /// Kills everything of the gear and saves the record. Idempotent.
    void kill(GearRecord& record) const;
    /// Brings the forwardings of a running sandbox in line with the record.
    void refresh_forwardings(const GearRecord& record) const;

    /// Runs the program to its end. Throws Error(unavailable) if the sandbox is gone or the
    /// deadline has passed; a non-zero exit is a value.
    GearResult run(const GearRecord& record, const GearCommand& command) const;

    /// Starts it with the given descriptors: ours → its number. 0 to 2 must be there; others from 7
    /// on.
    GearProgram spawn(const GearRecord& record, const GearCommand& command,
                      const std::vector<std::pair<int, int>>& descriptors) const;

private:
    UniqueFd make_nursery() const;
    std::optional<UniqueFd> find_init(const GearRecord& record) const;

    const Profiles& profiles_;
    Paths paths_;
    const SecurityPolicy& policy_;
    const Isolators& isolators_;
    const GearStore& store_;
    sys::Reaper& reaper_;
    UniqueFd nursery_;  // the mount namespace that gears' are copies of (gear-init/nursery.cpp)
};

}  // namespace gearbox
