// Addresses and ports of a gear's cartridges (cartridge contract, 3.1.4 and 12).
#pragma once
#include "model/cartridge.h"
#include "node/gear_record.h"
#include "sys/packet_filter.h"

#include <vector>

namespace gearbox {

/// Places the endpoints of one more cartridge: the lowest free loopback address for each distinct
/// name, the next public port for what can be reached from outside. Pure. Throws Error(quota) when
/// the gear has no address or public port left. there: of another version that the gear has; they keep their numbers.
std::vector<PlacedEndpoint> plan_endpoints(const GearRecord& record, const Cartridge& cartridge,
                                           const std::vector<PlacedEndpoint>& there = {});

/// What leads from the gear's outer address to its loopback addresses.
std::vector<sys::Forwarding> forwardings_of(const GearRecord& record);

}  // namespace gearbox
