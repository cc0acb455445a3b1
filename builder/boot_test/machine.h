// A virtual machine that boots an image, as QEMU's command line and as a running process.
#pragma once
#include "boot_test/qmp.h"
#include "inspect.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

/// The last is UEFI with Secure Boot and the keys that machines are sold with.
enum class Firmware { bios, uefi, uefi_secure };
const char* to_string(Firmware firmware);

struct MachineSpec {
    ImageKind kind = ImageKind::iso;  ///< decides about the hardware
    std::filesystem::path medium;     ///< never written to
    std::string format;               ///< QEMU's name of the medium's
    Firmware firmware = Firmware::bios;
    std::filesystem::path
        uefi_code;  ///< of the firmware; its variables are efi_variables in `work`
    bool kvm = false;
    std::filesystem::path work;  ///< a folder for sockets and the console's log
    std::string operator_key;    ///< public ssh key that logs in as the operator
    int ssh_port = 0;            ///< on loopback, like the next
    int http_port = 0;
};

inline constexpr const char* efi_variables = "efivars.fd";

/// QEMU's whole command line. Pure.
std::vector<std::string> machine_arguments(const MachineSpec& spec);

/// Starts this machine's own kernel under KVM until it looks for a root: /dev/kvm may be there, even
/// run some code, and yet no kernel (nested virtualization). At most 15 s.
bool can_use_kvm();

/// A TCP port of loopback that nobody listens on right now.
int find_free_port();

/// What a terminal would keep of a console's output: no escape sequences, no carriage returns.
/// Pure.
std::string plain_text(std::string_view console);

/// Runs from construction to destruction, and never longer than this process: the kernel kills it
/// then.
class Machine {
public:
    /// Throws Error(unavailable) with what QEMU said if it does not start.
    explicit Machine(MachineSpec spec);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    const MachineSpec& spec() const { return spec_; }
    /// Everything that the serial console has said so far, as plain_text().
    std::string console() const;
    /// Lets some time pass. Throws Error(unavailable) if QEMU ended, Interrupted if somebody wants
    /// us to end.
    void wait(std::chrono::milliseconds time);
    /// The screen, as `stem`.png, or .ppm if this QEMU writes no PNG. Returns the file.
    std::filesystem::path take_picture(const std::filesystem::path& stem);

private:
    struct Process;
    [[noreturn]] void fail_ended();
    MachineSpec spec_;
    std::unique_ptr<Process> process_;
    std::unique_ptr<Qmp> control_;
};

}  // namespace gearbox::builder
