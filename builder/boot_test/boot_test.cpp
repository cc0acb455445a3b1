#include "boot_test/boot_test.h"

#include "boot_test/checks.h"
#include "boot_test/firmware.h"
#include "boot_test/report.h"
#include "interrupt.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <iostream>

namespace gearbox::builder {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

CheckResult run_check(const BootCheck& check, Bench& bench) {
    CheckResult result;
    result.name = check.name;
    const auto began = Clock::now();
    try {
        result.detail = check.run(bench);
        result.verdict = Verdict::good;
    } catch (const std::exception& error) {
        throw_if_interrupted();  // which may have been why
        result.detail = error.what();
        result.verdict = Verdict::failed;
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    return result;
}

// What helps to find out why: the screen as it is, and the journal if one can log in.
void keep_traces(Bench& bench, const fs::path& stem) {
    try {
        bench.machine.take_picture(stem.string() + "-failed");
        const ToolResult journal = bench.guest.try_run("sudo -n journalctl -b --no-pager");
        write_file_atomically(stem.string() + "-journal.log", journal.out + journal.err);
    } catch (const Error&) {
        throw_if_interrupted();
        // QEMU is gone: the console's log is all there is.
    }
}

MachineResult test_machine(const MachineSpec& spec, const BootTestRequest& request,
                           const fs::path& key) {
    MachineResult result{spec.firmware, spec.kvm, {}};
    Machine machine(spec);
    Bench bench{machine, Guest(machine, key), request.output, request.limit};
    bool over = false;
    for (const BootCheck& check : boot_checks()) {
        CheckResult found{check.name, Verdict::not_tried, 0, check.what};
        if (!over) {
            found = run_check(check, bench);
        }
        if (!request.json) {
            std::cout << table_row(spec.firmware, found) << std::endl;
        }
        over = over || (check.decisive && found.verdict == Verdict::failed);
        result.checks.push_back(std::move(found));
    }
    const fs::path stem = request.output / to_string(spec.firmware);
    if (!passed({result})) {
        keep_traces(bench, stem);
    }
    write_file_atomically(stem.string() + "-console.log", machine.console());
    return result;
}

}  // namespace

bool run_boot_test(const BootTestRequest& request) {
    const TempDir work("gearbox-test");
    MachineSpec spec;
    const ImageFile image = open_image_file(request.image, work.path());
    if (image.format.empty() && image.kind != ImageKind::iso) {
        fail(ErrorKind::invalid, "'", request.image.string(), "' is an image of format '",
             to_string(image.kind), "', which does not boot by itself");
    }
    spec.kind = image.kind;
    spec.medium = image.file;
    spec.format = image.format.empty() ? "raw" : image.format;
    const auto firmware =
        choose_firmware(find_firmware(spec.kind, spec.medium, spec.format), request.firmware);
    spec.kvm = can_use_kvm();
    fs::create_directories(request.output);
    const fs::path key = work.path() / "key";
    run_tool_checked({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key});
    spec.operator_key = read_file(key.string() + ".pub");
    spec.operator_key.erase(spec.operator_key.find_last_not_of(" \n") + 1);
    if (!request.json) {
        std::cout << request.image.string() << " (" << to_string(image.kind) << "), "
                  << (spec.kvm ? "with KVM" : "without KVM: this takes minutes") << "\n"
                  << table_head() << std::endl;
    }
    std::vector<MachineResult> machines;
    for (const Firmware each : firmware) {
        spec.firmware = each;
        spec.work = work.path() / to_string(each);
        fs::create_directory(spec.work);
        if (each != Firmware::bios) {
            const auto [code, variables] = find_uefi(each == Firmware::uefi_secure);
            spec.uefi_code = code;
            fs::copy_file(variables, spec.work / efi_variables);
        }
        spec.ssh_port = find_free_port();
        spec.http_port = find_free_port();
        machines.push_back(test_machine(spec, request, key));
    }
    const std::string report = to_json(request.image, image.kind, machines).dump(2) + "\n";
    write_file_atomically(request.output / "report.json", report);
    if (request.json) {
        std::cout << report;
    } else {
        std::cout << (passed(machines) ? "good" : "NOT GOOD") << "; pictures and logs are in "
                  << request.output.string() << "\n";
    }
    return passed(machines);
}

}  // namespace gearbox::builder
