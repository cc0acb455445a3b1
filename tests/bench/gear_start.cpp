// Starts and ends one gear again and again, with /bin/true run inside, and prints the median in milliseconds of each
// part, of each isolator's and of each of gear-init's steps: the part of tests/bench/gears.py that needs the node's own code. Its host is private,
// as in the functional tests.
#include "bench/timed_node.h"
#include "support/paths.h"
#include "sys/git.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace gearbox::test {

namespace {

// What gear-init-timed has written (timed/gear-init/run_steps.h), in milliseconds.
std::map<std::string, std::vector<double>> times_of_steps() {
    std::map<std::string, std::vector<double>> out;
    std::ifstream file("/run/gearbox/gear-init-times");
    for (std::string step, time; std::getline(file, step, '\t') && std::getline(file, time);) {
        int microseconds = 0;
        std::from_chars(time.data(), time.data() + time.size(), microseconds);
        out["gear-init: " + step].push_back(microseconds / 1000.0);
    }
    return out;
}

void measure(int rounds) {
    TimedNode node;
    GearRecord record;
    record.spec.id = GearId("5f0000000000000000000190");
    record.spec.application = ApplicationId(record.spec.id.text());
    record.spec.uid = 1090;
    record.spec.application_name = *ApplicationName::parse("bench");
    record.spec.domain = *Namespace::parse("acme");
    record.spec.dns = "bench-acme.gearbox.localhost";
    node.agent.create_gear(record.spec);
    const auto print = [](const std::map<std::string, std::vector<double>>& times) {
        for (const auto& [part, list] : times) {
            std::printf("%s\t%.3f\n", part.c_str(), median(list));
        }
    };
    GearCommand command;
    command.argv = {"/bin/true"};
    command.directory = "/";
    std::map<std::string, std::vector<double>> times;
    for (int i = 0; i < rounds; ++i) {
        node.parts.clear();
        timed(node.parts, "start", [&] { node.launcher.ensure_running(record); });
        timed(node.parts, "run", [&] { node.launcher.run(record, command); });
        node.parts["start+run"] = node.parts["start"] + node.parts["run"];
        timed(node.parts, "end", [&] { node.launcher.kill(record); });
        for (const auto& [part, time] : node.parts) {
            times[part].push_back(time);
        }
    }
    print(times);
    std::filesystem::copy_file(built_program("tests/functional/gear-init-timed"), node.paths.gear_init(),
                               std::filesystem::copy_options::overwrite_existing);
    for (int i = 0; i < rounds; ++i) {
        node.launcher.ensure_running(record);
        node.launcher.kill(record);
    }
    print(times_of_steps());
    node.agent.destroy_gear(record.spec.id);
}

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    gearbox::test::enter_private_host("gearbox-bench");
    const gearbox::sys::GitLibrary git;
    gearbox::test::measure(argc > 1 ? std::atoi(argv[1]) : 100);
}
