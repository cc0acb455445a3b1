// Who listens in a network namespace.
#pragma once
#include <sys/types.h>

#include <set>
#include <string>
#include <utility>

namespace gearbox::sys {

/// TCP ports with a listener in the network namespace of the process, each with its IPv4 address;
/// "0.0.0.0" stands for every address, of IPv6 too. Nothing for a process that has gone.
std::set<std::pair<std::string, int>> listeners(pid_t pid);

/// Whether one of these, as above, has a listener. The kernel shows listeners first and then looks through a table of all
/// connections that the machine could have, some milliseconds: nothing is read beyond the answer.
bool is_listened_on(pid_t pid, const std::set<std::pair<std::string, int>>& any_of);

/// The same of the text of /proc/PID/net/tcp (proc_pid_net(5)) or tcp6.
std::set<std::pair<std::string, int>> parse_listeners(const std::string& text);

}  // namespace gearbox::sys
