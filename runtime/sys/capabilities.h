// Capabilities by name: which of them programs of a gear may be given.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gearbox::sys {

struct Capability {
    int number;           ///< linux/capability.h
    const char* name;     ///< as in capabilities(7), "net_bind_service"
    const char* refused;  ///< why no gear gets it; null: a profile may keep it
};

/// THE table.
const std::vector<Capability>& capabilities();

/// Null if there is none of that name.
const Capability* find_capability(const std::string& name);

/// One bit each. Throws Error(invalid) for an unknown name.
std::uint64_t capability_mask(const std::vector<std::string>& names);

/// Whether this process and what it executes may have it at all.
bool is_in_bounding_set(const Capability& capability);

}  // namespace gearbox::sys
