// Makes gears up to a number and leaves each running a sleep: prints what one costs in time, part by part,
// and in memory. The part of tests/bench/density.py that needs the node's own code. Its host is private, as
// in the functional tests.
//
// usage: gear_density GEARS     output: lines NAME VALUE
#include "bench/timed_node.h"

#include "base/subprocess.h"
#include "sys/git.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>

namespace gearbox::test {

namespace {

GearSpec make_numbered_spec(int number) {
    GearSpec spec;
    char id[25];
    std::snprintf(id, sizeof id, "5f%022d", number);
    spec.id = GearId(id);
    spec.application = ApplicationId(id);
    spec.uid = static_cast<uid_t>(2000 + number);
    spec.application_name = *ApplicationName::parse("idle");
    spec.domain = *Namespace::parse(str("acme", number));
    spec.dns = str("idle-acme", number, ".gearbox.localhost");
    return spec;
}

double value_kib(const std::string& file, const std::string& key) {
    std::ifstream lines(file);
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(key)) {
            sum += std::atof(line.c_str() + line.find(':') + 1);
        }
    }
    return sum;
}

class Density {
public:
    void measure(int gears) {
        for (int pass = 1; pass < passes; ++pass) {
            fill(gears);
            empty();
        }
        const double before = value_kib("/proc/meminfo", "MemAvailable");
        fill(gears);
        const double after = value_kib("/proc/meminfo", "MemAvailable");
        for (int number = 10; number <= gears; number *= 10) {
            print_times(number);
        }
        std::printf("available-mib %.1f\n", (before - after) / 1024);
        print_memory();
        empty();
    }

private:
    void fill(int gears) {
        for (int number = 1; number <= gears; ++number) {
            node_.parts.clear();
            make(make_numbered_spec(number));
            made_[number].push_back(node_.parts);
        }
    }

    void empty() {
        while (!records_.empty()) {
            remove_last();
        }
    }

    /// Medians over the gears up to a number, 40 of them or as many as there are, and all passes: a single one says little
    /// on a machine with others. Nothing is removed meanwhile: the kernel goes on with that for a while.
    void print_times(int number) {
        std::map<std::string, std::vector<double>> values;
        for (int gear = std::max(1, number - 39); gear <= number; ++gear) {
            for (const Parts& parts : made_[gear]) {
                for (const auto& [part, time] : parts) {
                    values[part].push_back(time);
                }
            }
        }
        for (const auto& [part, times] : values) {
            std::printf("%d:%s %.3f\n", number, part.c_str(), median(times));
        }
    }

    void remove_last() {
        GearRecord& record = records_.back();
        node_.launcher.kill(record);
        for (auto isolator = node_.isolators.rbegin(); isolator != node_.isolators.rend(); ++isolator) {
            (*isolator)->release(record.spec.id, record.spec.uid);
        }
        node_.store.remove(record.spec.id);
        records_.pop_back();
    }

    void make(const GearSpec& spec) {
        GearRecord record;
        record.spec = spec;
        // What the machine takes for a program that has nothing to do with gears: others may be at work.
        timed(node_.parts, "control", [] { run_tool_checked({"true"}); });
        timed(node_.parts, "create", [&] {
            node_.store.save(record);
            for (const auto& isolator : node_.isolators) {
                isolator->acquire(record);
            }
        });
        timed(node_.parts, "start", [&] { node_.launcher.ensure_running(record); });
        node_.parts["create+start"] = node_.parts["create"] + node_.parts["start"];
        GearCommand command;
        command.argv = {"/bin/sh", "-c", "sleep infinity >/dev/null 2>&1 &"};
        command.directory = "/";
        timed(node_.parts, "run", [&] { node_.launcher.run(record, command); });
        records_.push_back(record);
    }

    void print_memory() const {
        double charged = 0;
        std::vector<double> init;
        std::vector<double> idle;
        for (const GearRecord& record : records_) {
            charged += static_cast<double>(node_.cgroups.use(cgroup_name(record.spec.id)).memory_bytes) / 1024;
            for (const pid_t pid : node_.cgroups.processes(cgroup_name(record.spec.id))) {
                const double kib = value_kib(str("/proc/", pid, "/smaps_rollup"), "Private_");
                (pid == record.init_pid ? init : idle).push_back(kib);
            }
        }
        std::printf("cgroups-mib %.1f\n", charged / 1024);
        std::printf("init-private-kib %.0f\n", median(init));
        std::printf("init-private-most-kib %.0f\n", *std::max_element(init.begin(), init.end()));
        std::printf("sleeps %zu\n", idle.size());
    }

    static constexpr int passes = 3;

    TimedNode node_;
    std::vector<GearRecord> records_;
    std::map<int, std::vector<Parts>> made_;  // by the gear's number, one of each pass
};

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    gearbox::test::enter_private_host("gearbox-density");
    const gearbox::sys::GitLibrary git;
    gearbox::test::Density().measure(argc > 1 ? std::atoi(argv[1]) : 1000);
}
