// Network interfaces of the own network namespace.
#pragma once
#include <string>

namespace gearbox::sys {

/// Gives it the IPv4 address with a /31, unless that is "", and brings it up (netdevice(7)).
void raise_interface(const std::string& name, const std::string& address);

/// Sends what is for nobody here to the IPv4 address, a neighbour (route(8)).
void set_default_route(const std::string& gateway);

}  // namespace gearbox::sys
