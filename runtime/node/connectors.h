// Publish and subscribe between the cartridges of a gear (cartridge contract, 8).
#pragma once
#include "node/gear_record.h"

#include <string>
#include <vector>

namespace gearbox {

struct Connection {
    const RecordedCartridge* publisher;
    const Connector* from;
    const RecordedCartridge* subscriber;
    const Connector* to;
    bool is_environment() const { return from->type.starts_with("ENV:"); }
    bool is_required() const { return from->required || to->required; }
};

/// What fits each other in the gear, where one side is the cartridge of that name.
std::vector<Connection> connections_of(const GearRecord& record, const std::string& name);

/// Where variables that a cartridge publishes are kept: ".env/" and its name without the version.
std::string published_directory(const RecordedCartridge& publisher);

}  // namespace gearbox
