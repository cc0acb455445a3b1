#include "ovf.h"

#include "base/str.h"

#include <map>

namespace gearbox::builder {

namespace {

std::string escaped(const std::string& text) {
    static const std::map<char, const char*> entities{
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
    std::string out;
    for (const char c : text) {
        const auto found = entities.find(c);
        out += found == entities.end() ? std::string(1, c) : found->second;
    }
    return out;
}

// One piece of virtual hardware (CIM_ResourceAllocationSettingData; its elements are sorted, the
// schema wants that).
struct Item {
    int id;
    int type;  ///< CIM ResourceType
    const char* name;
    std::map<std::string, std::string> more;
};

std::string item_text(const Item& item) {
    std::map<std::string, std::string> fields = item.more;
    fields["Caption"] = fields["ElementName"] = item.name;
    fields["InstanceID"] = std::to_string(item.id);
    fields["ResourceType"] = std::to_string(item.type);
    std::string text = "      <Item>\n";
    for (const auto& [key, value] : fields) {
        text += str("        <rasd:", key, ">", escaped(value), "</rasd:", key, ">\n");
    }
    return text + "      </Item>\n";
}

// E1000 and AHCI: what every importer has; others become these without a word.
std::string hardware(const VirtualMachine& machine) {
    const std::string processors = std::to_string(machine.processors);
    const std::string memory = std::to_string(machine.memory_mib);
    std::string text;
    for (const Item& item : {
             Item{1,
                  3,
                  "processors",
                  {{"AllocationUnits", "hertz * 10^6"}, {"VirtualQuantity", processors}}},
             Item{2, 4, "memory", {{"AllocationUnits", "MegaBytes"}, {"VirtualQuantity", memory}}},
             Item{3, 20, "SATA controller", {{"Address", "0"}, {"ResourceSubType", "AHCI"}}},
             Item{4,
                  17,
                  "disk",
                  {{"AddressOnParent", "0"}, {"HostResource", "/disk/disk1"}, {"Parent", "3"}}},
             Item{5,
                  10,
                  "network card",
                  {{"AddressOnParent", "0"},
                   {"AutomaticAllocation", "true"},
                   {"Connection", "NAT"},
                   {"ResourceSubType", "E1000"}}},
         }) {
        text += item_text(item);
    }
    return text;
}

std::string forwarding() {
    std::string text;
    for (const PortForward& port : port_forwards()) {
        text += str("              <Forwarding name=\"", port.name,
                    "\" proto=\"1\" hostip=\"127.0.0.1\" hostport=\"", port.host, "\" guestport=\"",
                    port.guest, "\"/>\n");
    }
    return text;
}

// What OVF has no words for: firmware, screen, forwarded ports. Importers but VirtualBox pass over
// it.
std::string virtualbox_machine(const VirtualMachine& machine) {
    return str("    <vbox:Machine ovf:required=\"false\" version=\"1.19-linux\" uuid=\"{",
               machine.machine_uuid, "}\" name=\"", escaped(machine.name),
               "\" OSType=\"Debian_64\" snapshotFolder=\"Snapshots\">\n"
               "      <ovf:Info>VirtualBox machine configuration</ovf:Info>\n"
               "      <Hardware>\n"
               "        <CPU count=\"",
               machine.processors,
               "\">\n"
               "          <PAE enabled=\"true\"/>\n"
               "          <LongMode enabled=\"true\"/>\n"
               "        </CPU>\n"
               "        <Memory RAMSize=\"",
               machine.memory_mib,
               "\"/>\n"
               "        <Firmware type=\"BIOS\"/>\n"
               "        <Boot>\n"
               "          <Order position=\"1\" device=\"HardDisk\"/>\n"
               "          <Order position=\"2\" device=\"None\"/>\n"
               "          <Order position=\"3\" device=\"None\"/>\n"
               "          <Order position=\"4\" device=\"None\"/>\n"
               "        </Boot>\n"
               "        <Display controller=\"VMSVGA\" VRAMSize=\"16\"/>\n"
               "        <BIOS>\n"
               "          <IOAPIC enabled=\"true\"/>\n"
               "        </BIOS>\n"
               "        <Network>\n"
               "          <Adapter slot=\"0\" enabled=\"true\"",
               machine.mac.empty() ? "" : str(" MACAddress=\"", machine.mac, "\""),
               " type=\"82540EM\">\n"
               "            <NAT>\n",
               forwarding(),
               "            </NAT>\n"
               "          </Adapter>\n"
               "        </Network>\n"
               "        <AudioAdapter enabled=\"false\"/>\n"
               "        <RTC localOrUTC=\"UTC\"/>\n"
               "      </Hardware>\n"
               "      <StorageControllers>\n"
               "        <StorageController name=\"SATA\" type=\"AHCI\" PortCount=\"1\""
               " useHostIOCache=\"true\" Bootable=\"true\">\n"
               "          <AttachedDevice type=\"HardDisk\" port=\"0\" device=\"0\">\n"
               "            <Image uuid=\"{",
               machine.disk_uuid,
               "}\"/>\n"
               "          </AttachedDevice>\n"
               "        </StorageController>\n"
               "      </StorageControllers>\n"
               "    </vbox:Machine>\n");
}

}  // namespace

const std::vector<PortForward>& port_forwards() {
    static const std::vector<PortForward> table{
        {"ssh", 2222, 22}, {"http", 8080, 80}, {"https", 8443, 443}};
    return table;
}

std::string make_ovf(const VirtualMachine& machine) {
    return str(
        "<?xml version=\"1.0\"?>\n"
        "<Envelope ovf:version=\"1.0\" xml:lang=\"en-US\""
        " xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\""
        " xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\""
        " xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
        "CIM_ResourceAllocationSettingData\""
        " xmlns:vssd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
        "CIM_VirtualSystemSettingData\""
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        " xmlns:vbox=\"http://www.virtualbox.org/ovf/machine\">\n"
        "  <References>\n"
        "    <File ovf:id=\"file1\" ovf:href=\"",
        escaped(machine.disk), "\" ovf:size=\"", machine.disk_bytes,
        "\"/>\n"
        "  </References>\n"
        "  <DiskSection>\n"
        "    <Info>Virtual disks</Info>\n"
        "    <Disk ovf:diskId=\"disk1\" ovf:fileRef=\"file1\" ovf:capacity=\"",
        machine.capacity_bytes,
        "\" "
        "ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\""
        " vbox:uuid=\"",
        machine.disk_uuid,
        "\"/>\n"
        "  </DiskSection>\n"
        "  <NetworkSection>\n"
        "    <Info>Logical networks</Info>\n"
        "    <Network ovf:name=\"NAT\">\n"
        "      <Description>Leads out through the host</Description>\n"
        "    </Network>\n"
        "  </NetworkSection>\n"
        "  <VirtualSystem ovf:id=\"",
        escaped(machine.name),
        "\">\n"
        "    <Info>A virtual machine</Info>\n"
        "    <ProductSection>\n"
        "      <Info>What it is</Info>\n"
        "      <Product>",
        escaped(machine.product),
        "</Product>\n"
        "      <Version>",
        escaped(machine.version),
        "</Version>\n"
        "    </ProductSection>\n"
        "    <OperatingSystemSection ovf:id=\"96\">\n"
        "      <Info>The kind of installed operating system</Info>\n"
        "      <Description>Debian_64</Description>\n"
        "      <vbox:OSType ovf:required=\"false\">Debian_64</vbox:OSType>\n"
        "    </OperatingSystemSection>\n"
        "    <VirtualHardwareSection>\n"
        "      <Info>Virtual hardware</Info>\n"
        "      <System>\n"
        "        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>\n"
        "        <vssd:InstanceID>0</vssd:InstanceID>\n"
        "        <vssd:VirtualSystemIdentifier>",
        escaped(machine.name),
        "</vssd:VirtualSystemIdentifier>\n"
        "        <vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType>\n"
        "      </System>\n",
        hardware(machine), "    </VirtualHardwareSection>\n", virtualbox_machine(machine),
        "  </VirtualSystem>\n"
        "</Envelope>\n");
}

std::string manifest_line(const std::string& file, const std::string& sha256) {
    return str("SHA256 (", file, ") = ", sha256, "\n");
}

}  // namespace gearbox::builder
