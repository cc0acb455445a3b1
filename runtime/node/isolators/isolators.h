// Constructors of the isolators; the table is isolator_table.cpp.
#pragma once
#include "node/isolator.h"

namespace gearbox {

/// Unix account and group of the gear.
std::unique_ptr<Isolator> make_account_isolator(const Paths& paths);
/// Home directory in the v2 layout, with the gear's label, and the platform's variables.
std::unique_ptr<Isolator> make_home_isolator(const Profiles& profiles, const Paths& paths,
                                             const SecurityPolicy& policy);
/// Memory, process and processor limits.
std::unique_ptr<Isolator> make_cgroup_isolator(const Profiles& profiles, const Paths& paths,
                                               const sys::Cgroups& cgroups);
/// Limits of processes that run, when those of the gear change.
std::unique_ptr<Isolator> make_limit_isolator(const Profiles& profiles, const sys::Cgroups& cgroups);
/// Disk space and number of files.
std::unique_ptr<Isolator> make_quota_isolator(const Profiles& profiles, const Paths& paths);
/// veth pair, its bandwidth, port forwarding, and who may talk to whom.
std::unique_ptr<Isolator> make_network_isolator(const Settings& settings, const Profiles& profiles,
                                                const Paths& paths);
/// The gear's root: read-only system, private /tmp and /proc, its own /etc.
std::unique_ptr<Isolator> make_filesystem_isolator(const Settings& settings, const Profiles& profiles,
                                                   const Paths& paths);
/// Label, uid, resource limits, capabilities, system call filter.
std::unique_ptr<Isolator> make_privilege_isolator(const Profiles& profiles,
                                                  const SecurityPolicy& policy);

}  // namespace gearbox
