// What a hostile tenant may have learnt about its neighbours and the host, or can guess.
#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace gearbox::probe {

struct Targets {
    uid_t other_uid = 0;
    std::string other_home;
    pid_t other_pid = 0;                       ///< in the host's pid namespace
    std::vector<std::string> other_addresses;  ///< gear ends of other links
    int other_port = 0;
    std::vector<std::string> host_addresses;  ///< beside its end of the own link
    std::string own_host_end;
    int memory_mb = 512;  ///< the own memory limit, as far as known
    int cpu_percent = 0;  ///< the own share of the processors, percent of one; 0: not known
    bool heavy = false;
};

/// From the own uid: the neighbours by number, and addresses that hosts often have.
Targets guess_targets();

/// {"other_uid","other_home","other_pid","other_address","other_port","host_addresses","memory_mb","cpu_percent"},
/// all optional, over the guess. Throws Error(invalid).
Targets parse_targets(std::string_view json);

}  // namespace gearbox::probe
