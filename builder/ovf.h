// The description of a virtual machine around a VMDK, for VirtualBox and VMware. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gearbox::builder {

struct PortForward {
    const char* name;
    int host;
    int guest;
};

/// TCP ports of the host's loopback address that lead into an imported machine.
const std::vector<PortForward>& port_forwards();

struct VirtualMachine {
    std::string name;
    std::string product;
    std::string version;
    std::string disk;                  ///< file name of the VMDK
    std::uint64_t disk_bytes = 0;      ///< of that file
    std::uint64_t capacity_bytes = 0;  ///< of the disk in it
    std::string disk_uuid;             ///< as in the VMDK
    std::string machine_uuid;
    std::string mac;  ///< 12 hex digits; empty: the importer chooses
    int memory_mib = 2048;
    int processors = 2;
};

/// OVF 1.0 with VirtualBox' extension. Throws nothing; the texts may have any characters.
std::string make_ovf(const VirtualMachine& machine);

/// A line of the manifest that OVA files have (DSP0243, 6).
std::string manifest_line(const std::string& file, const std::string& sha256);

}  // namespace gearbox::builder
