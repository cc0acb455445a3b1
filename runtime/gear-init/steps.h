// What gear-init does, in order. Single-threaded; runs as root until `become`.
#pragma once
#include "model/launch_plan.h"

namespace gearbox {

/// The order is THE table in steps.cpp; the reasons are here.
///
///   nursery        a mount namespace of its own, with nothing shared: what we mount must not show up on the host
///   mounts         in the plan's order: a later one may lie in an earlier one; meanwhile the daemon plugs the network
///   root           the host's tree goes away with everything that was not bound
///   go             the daemon has put us into the cgroup and plugged the network: nothing of the
///                  gear may run before that
///   cgroup ns      in the gear's own group by now: that is the root which the gear sees
///   sysctls        once eth0 is there
///   network        after them: eth0 must not give itself an address of IPv6
///   hostname       needs CAP_SYS_ADMIN
///   limits         root may still set what the user may not raise
///   oom score      the daemon is spared when memory is short, its gears are not
///   keyring        an empty one: the daemon's is not for gears
///   label          before `become`: an own attribute of a changed process is root's
///   bounding set   needs CAP_SETPCAP; what the plan keeps of it stays
///   become         groups, gid, uid
///   capabilities   what is left after a change of uid; the kept ones become those of the program
///   no_new_privs   the filter below needs it; after the label, which stays settable
///   seccomp        last: it forbids most of the above; compiled by the daemon, on descriptor 5
struct StepFailure {
    const char* step;
    int code;  ///< errno, 0 if none
    std::string text;
};

/// A row of that table.
template <typename Plan>
struct Step {
    const char* name;
    void (*run)(const Plan&);
};

/// Ends the process if the daemon has gone: nobody wants this any more.
void wait_for_go();

/// Everything up to the exec. Throws StepFailure.
void run_launch_steps(const LaunchPlan& plan);

/// limits … seccomp of the list above, for a program that enters. Throws StepFailure.
void run_drop_steps(const Privileges& privileges);

/// Makes the calling process's own mount namespace the nursery (nursery.cpp). place: an empty directory.
void make_nursery(const std::string& place);

/// From the nursery on descriptor nursery_fd into a copy of it, with the host's tree as root. The descriptor is then the
/// copy's empty root.
void enter_nursery(const LaunchPlan& plan);
/// Moves plan.root over the empty root, and detaches the host's tree.
void move_root(const LaunchPlan& plan);

/// The mounts alone, below plan.root.
void make_root(const LaunchPlan& plan);

}  // namespace gearbox
