#include "boot_test/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gearbox::builder {

namespace {

const char* to_string(Verdict verdict) {
    static constexpr const char* names[] = {"ok", "FAILED", "not tried"};
    return names[static_cast<int>(verdict)];
}

std::string row(std::string first, std::string second, std::string third, std::string number,
                const std::string& rest) {
    first.resize(std::max<std::size_t>(first.size() + 1, 10), ' ');
    second.resize(std::max<std::size_t>(second.size() + 1, 13), ' ');
    third.resize(std::max<std::size_t>(third.size() + 1, 10), ' ');
    number.insert(0, 7 - std::min<std::size_t>(number.size(), 7), ' ');
    return first + second + third + number + "  " + rest;
}

}  // namespace

bool passed(const std::vector<MachineResult>& machines) {
    return !machines.empty() &&
           std::all_of(machines.begin(), machines.end(), [](const MachineResult& machine) {
               return !machine.checks.empty() &&
                      std::all_of(
                          machine.checks.begin(), machine.checks.end(),
                          [](const CheckResult& check) { return check.verdict == Verdict::good; });
           });
}

std::string table_head() {
    return row("firmware", "check", "result", "seconds", "");
}

std::string table_row(Firmware firmware, const CheckResult& check) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.1f", check.seconds);
    std::string detail;
    for (const char c : check.detail) {
        detail += c == '\n' ? "\n    " : std::string(1, c);
    }
    return row(to_string(firmware), check.name, to_string(check.verdict), seconds, detail);
}

Json to_json(const std::filesystem::path& image, ImageKind kind,
             const std::vector<MachineResult>& machines) {
    Json list = Json::array();
    for (const MachineResult& machine : machines) {
        Json checks = Json::array();
        for (const CheckResult& check : machine.checks) {
            checks.push_back({{"name", check.name},
                              {"result", to_string(check.verdict)},
                              {"seconds", std::round(check.seconds * 10) / 10},
                              {"detail", check.detail}});
        }
        list.push_back({{"firmware", to_string(machine.firmware)},
                        {"accelerator", machine.kvm ? "kvm" : "tcg"},
                        {"checks", checks}});
    }
    return {{"image", image.string()},
            {"kind", to_string(kind)},
            {"passed", passed(machines)},
            {"machines", list}};
}

}  // namespace gearbox::builder
