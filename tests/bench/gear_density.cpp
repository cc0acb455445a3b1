// Makes gears up to a number and leaves each running a sleep: prints what one costs in time, part by part,
// and in memory. The part of tests/bench/density.py that needs the node's own code. Its host is private, as
// in the functional tests.
//
// usage: gear_density GEARS     output: lines NAME VALUE
#include "functional/node_fixture.h"

#include "base/subprocess.h"
#include "sys/git.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>

namespace gearbox::test {

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

/// Part → milliseconds, of the gear that is being made.
using Parts = std::map<std::string, double>;

template <typename Act>
void timed(Parts& parts, const std::string& part, Act act) {
    const auto began = std::chrono::steady_clock::now();
    act();
    const double took = Milliseconds(std::chrono::steady_clock::now() - began).count();
    static std::mutex mutex;  // equip() has a thread of its own
    const std::lock_guard guard(mutex);
    parts[part] += took;
}

/// An isolator whose calls are timed one by one.
class Timed final : public Isolator {
public:
    Timed(std::unique_ptr<Isolator> inner, Parts& parts) : inner_(std::move(inner)), parts_(parts) {}
    const char* name() const override { return inner_->name(); }
    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        inner_->contribute(record, plan);
    }
    void acquire(const GearRecord& record) override {
        note("acquire", [&] { inner_->acquire(record); });
    }
    void prepare(const GearRecord& record, sys::Program& program) override {
        note("prepare", [&] { inner_->prepare(record, program); });
    }
    void connect(const GearRecord& record, pid_t pid) override {
        note("connect", [&] { inner_->connect(record, pid); });
    }
    void equip(const GearRecord& record, pid_t pid) override {
        note("equip", [&] { inner_->equip(record, pid); });
    }
    void admit(const GearRecord& record, pid_t pid) override {
        note("admit", [&] { inner_->admit(record, pid); });
    }
    void disconnect(const GearRecord& record) override { inner_->disconnect(record); }
    void release(const GearId& gear, uid_t uid) override {
        note("release", [&] { inner_->release(gear, uid); });
    }

private:
    template <typename Act>
    void note(const char* call, Act act) {
        timed(parts_, str(call, "-", name()), act);
    }
    std::unique_ptr<Isolator> inner_;
    Parts& parts_;
};

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

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

class Density {
public:
    Density() : agent_(settings_, clock_), cgroups_(settings_.node.cgroup_parent) {
        for (auto& isolator : make_isolators(settings_, paths_, profiles_, *policy_, cgroups_)) {
            isolators_.push_back(std::make_unique<Timed>(std::move(isolator), parts_));
        }
    }

    void fill(int gears) {
        const double before = value_kib("/proc/meminfo", "MemAvailable");
        for (int number = 1; number <= gears; ++number) {
            parts_.clear();
            make(make_numbered_spec(number));
            history_.push_back(parts_);
            if (number == 10 || number == 100 || number == 1000) {
                print_mark(number);
            }
        }
        const double after = value_kib("/proc/meminfo", "MemAvailable");
        std::printf("available-mib %.1f\n", (before - after) / 1024);
        print_memory();
    }

    void empty() {
        for (auto record = records_.rbegin(); record != records_.rend(); ++record) {
            launcher_.kill(*record);
            for (auto isolator = isolators_.rbegin(); isolator != isolators_.rend(); ++isolator) {
                (*isolator)->release(record->spec.id, record->spec.uid);
            }
            store_.remove(record->spec.id);
        }
    }

private:
    void make(const GearSpec& spec) {
        GearRecord record;
        record.spec = spec;
        // What the machine takes for a program that has nothing to do with gears: others may be at work.
        timed(parts_, "control", [] { run_tool_checked({"true"}); });
        timed(parts_, "create", [&] {
            store_.save(record);
            for (const auto& isolator : isolators_) {
                isolator->acquire(record);
            }
        });
        timed(parts_, "start", [&] { launcher_.ensure_running(record); });
        parts_["create+start"] = parts_["create"] + parts_["start"];
        GearCommand command;
        command.argv = {"/bin/sh", "-c", "sleep infinity >/dev/null 2>&1 &"};
        command.directory = "/";
        timed(parts_, "run", [&] { launcher_.run(record, command); });
        records_.push_back(record);
    }

    /// Medians over the ten gears that end with this one.
    void print_mark(int number) const {
        std::map<std::string, std::vector<double>> values;
        for (std::size_t i = history_.size() - 10; i < history_.size(); ++i) {
            for (const auto& [part, time] : history_[i]) {
                values[part].push_back(time);
            }
        }
        for (const auto& [part, times] : values) {
            std::printf("%d:%s %.3f\n", number, part.c_str(), median(times));
        }
        std::fflush(stdout);
    }

    void print_memory() const {
        double charged = 0;
        std::vector<double> init;
        std::vector<double> idle;
        for (const GearRecord& record : records_) {
            charged += static_cast<double>(cgroups_.use(cgroup_name(record.spec.id)).memory_bytes) / 1024;
            for (const pid_t pid : cgroups_.processes(cgroup_name(record.spec.id))) {
                const double kib = value_kib(str("/proc/", pid, "/smaps_rollup"), "Private_");
                (pid == record.init_pid ? init : idle).push_back(kib);
            }
        }
        std::printf("cgroups-mib %.1f\n", charged / 1024);
        std::printf("init-private-kib %.0f\n", median(init));
        std::printf("init-private-most-kib %.0f\n", *std::max_element(init.begin(), init.end()));
        std::printf("sleeps %zu\n", idle.size());
    }

    Settings settings_ = private_host_settings();
    SystemClock clock_;
    LocalAgent agent_;
    Paths paths_{settings_};
    std::unique_ptr<SecurityPolicy> policy_ = make_security_policy(settings_.security.policy);
    Profiles profiles_{settings_, *policy_};
    sys::Cgroups cgroups_;
    Parts parts_;
    Isolators isolators_;
    sys::Reaper reaper_;
    GearStore store_{paths_};
    Launcher launcher_{profiles_, paths_, *policy_, isolators_, store_, reaper_};
    std::vector<Parts> history_;
    std::vector<GearRecord> records_;
};

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    gearbox::test::enter_private_host("gearbox-density");
    const gearbox::sys::GitLibrary git;
    gearbox::test::Density density;
    density.fill(argc > 1 ? std::atoi(argv[1]) : 1000);
    density.empty();
}
