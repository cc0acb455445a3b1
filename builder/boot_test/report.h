// What a boot test found, for a person while it runs and for a program at its end.
#pragma once
#include "boot_test/machine.h"

#include "base/json.h"

#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

enum class Verdict { good, failed, not_tried };

struct CheckResult {
    std::string name;
    Verdict verdict = Verdict::not_tried;
    double seconds = 0;
    std::string detail;
};

struct MachineResult {
    Firmware firmware = Firmware::bios;
    bool kvm = false;
    std::vector<CheckResult> checks;
};

/// Every check of every machine is good, and there is one.
bool passed(const std::vector<MachineResult>& machines);

std::string table_head();
/// A row of the table; further lines of the detail are indented below it.
std::string table_row(Firmware firmware, const CheckResult& check);
/// {"image","kind","passed","machines":[{"firmware","accelerator","checks":[{"name","result","seconds","detail"}]}]}
Json to_json(const std::filesystem::path& image, ImageKind kind,
             const std::vector<MachineResult>& machines);

}  // namespace gearbox::builder
