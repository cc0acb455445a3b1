// What the router's map says of a gear.
#pragma once
#include "node/gear_record.h"

#include <map>
#include <string>

namespace gearbox {

/// "HOST/" or "HOST/FRONTEND/" → "ADDRESS:PORT" of the gear's side, and behind it, where a mapping says more,
/// ":KIND:PARTS:BACKEND": PARTS of the path ("" for none at all) are replaced by BACKEND. haproxy.cfg takes the longest key.
using Routes = std::map<std::string, std::string>;

/// The routes of a gear's hosts. Of two cartridges with one frontend the first has it, or the one whose endpoint is primary.
Routes routes_of(const GearRecord& record);

}  // namespace gearbox
