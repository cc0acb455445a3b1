// Network interfaces of the own network namespace.
#pragma once
#include <string>

namespace gearbox::sys {

/// Gives it the IPv4 address with a /31, unless that is "", and brings it up (netdevice(7)).
void raise_interface(const std::string& name, const std::string& address);

}  // namespace gearbox::sys
