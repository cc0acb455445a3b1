#include "boot_test/machine.h"

#include "base/error.h"

#include <algorithm>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr const char* optical[] = {"ide-cd,drive=medium,bootindex=1"};
constexpr const char* paravirtual[] = {"virtio-blk-pci,drive=medium,bootindex=1"};
constexpr const char* sata[] = {"ahci,id=sata", "ide-hd,bus=sata.0,drive=medium,bootindex=1"};

// The machines that the formats are made for, as far as QEMU has them: VirtualBox and VMware are
// SATA and an Intel card.
struct Hardware {
    ImageKind kind;
    const char* const* devices;
    std::size_t device_count;
    const char* network;
};
constexpr Hardware hardware[] = {{ImageKind::iso, optical, 1, "virtio-net-pci"},
                                 {ImageKind::raw, paravirtual, 1, "virtio-net-pci"},
                                 {ImageKind::qcow2, paravirtual, 1, "virtio-net-pci"},
                                 {ImageKind::vmdk, sata, 2, "e1000"},
                                 {ImageKind::vdi, sata, 2, "e1000"},
                                 {ImageKind::ova, sata, 2, "e1000"},
                                 {ImageKind::vagrant_virtualbox, sata, 2, "e1000"},
                                 {ImageKind::vagrant_libvirt, paravirtual, 1, "virtio-net-pci"}};

const Hardware& hardware_of(ImageKind kind) {
    const auto* found = std::find_if(std::begin(hardware), std::end(hardware),
                                     [kind](const Hardware& row) { return row.kind == kind; });
    if (found == std::end(hardware)) {
        fail(ErrorKind::invalid, "an image of format '", to_string(kind),
             "' does not boot by itself");
    }
    return *found;
}

// QEMU splits option lists at commas; a doubled one is a comma.
std::string option_value(const fs::path& path) {
    std::string escaped;
    for (const char c : path.string()) {
        escaped += c == ',' ? ",," : std::string(1, c);
    }
    return escaped;
}

}  // namespace

const char* to_string(Firmware firmware) {
    static constexpr const char* names[] = {"bios", "uefi", "uefi-secure"};
    return names[static_cast<int>(firmware)];
}

std::vector<std::string> machine_arguments(const MachineSpec& spec) {
    const Hardware& parts = hardware_of(spec.kind);
    const bool secure = spec.firmware == Firmware::uefi_secure;
    std::vector<std::string> argv{"qemu-system-x86_64",
                                  "-name",
                                  "gearbox-build-test",
                                  "-machine",
                                  "q35",
                                  "-nodefaults",
                                  "-m",
                                  "2048"};
    const auto add = [&argv](std::initializer_list<std::string> words) {
        argv.insert(argv.end(), words);
    };
    if (spec.kvm) {
        add({"-accel", "kvm", "-cpu", "host", "-smp", "2"});
    } else {
        // QEMU 7.2's cmpxchg16b is wrong: guests that use it crash at random. With two processors
        // it may run a breakpoint that the other has already patched away ("Oops: int3").
        add({"-accel", "tcg,thread=multi", "-cpu", "qemu64,-cx16", "-smp", "1"});
    }
    if (secure) {
        // Its variables are the firmware's alone, which writes them in system management mode.
        add({"-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"});
    }
    if (spec.firmware != Firmware::bios) {
        add({"-drive",
             "if=pflash,format=raw,unit=0,readonly=on,file=" + option_value(spec.uefi_code),
             "-drive",
             "if=pflash,format=raw,unit=1,file=" + option_value(spec.work / efi_variables)});
    }
    const bool disk = spec.kind != ImageKind::iso;
    add({"-drive", str("if=none,id=medium,format=", spec.format, ",",
                       disk ? "snapshot=on" : "readonly=on", ",file=", option_value(spec.medium))});
    for (std::size_t i = 0; i < parts.device_count; ++i) {
        add({"-device", parts.devices[i]});
    }
    add({"-netdev",
         str("user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:", spec.ssh_port,
             "-:22,hostfwd=tcp:127.0.0.1:", spec.http_port, "-:80"),
         "-device", str(parts.network, ",netdev=network"), "-device", "virtio-rng-pci", "-vga",
         "std", "-display", "none", "-serial", "file:" + option_value(spec.work / "console.log"),
         "-qmp", str("unix:", option_value(spec.work / "qmp"), ",server=on,wait=off"),
         // A systemd credential, by SMBIOS (systemd.system-credentials(7)).
         "-smbios",
         "type=11,value=io.systemd.credential:gearbox.operator_key=" + spec.operator_key});
    return argv;
}

std::string plain_text(std::string_view console) {
    std::string plain;
    for (std::size_t at = 0; at < console.size(); ++at) {
        if (console[at] != '\x1b') {
            plain.append(console[at] == '\r' ? 0 : 1, console[at]);
            continue;
        }
        const char kind = ++at < console.size() ? console[at] : '\0';
        if (kind == '[') {  // up to a letter
            at = console.find_first_not_of("0123456789;?", at + 1);
        } else if (kind == ']') {  // up to a bell
            at = console.find('\a', at + 1);
        } else if (kind == '(' || kind == ')') {
            ++at;
        }
        if (at >= console.size()) {
            break;
        }
    }
    return plain;
}

}  // namespace gearbox::builder
