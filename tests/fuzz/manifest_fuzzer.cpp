// Cartridge manifests. What is accepted can be named and kept.
#include "base/error.h"
#include "model/cartridge.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        for (const gearbox::Cartridge& cartridge :
             gearbox::parse_manifest({reinterpret_cast<const char*>(data), size})) {
            if (!gearbox::CartridgeName::parse(cartridge.full_name())) {
                std::abort();
            }
        }
    } catch (const gearbox::Error&) {
        return 0;
    }
    return 0;
}
