// Starts and ends one gear again and again, with /bin/true run inside, and prints the median in milliseconds of each
// part and of each isolator's: the part of tests/bench/gears.py that needs the node's own code. Its host is private,
// as in the functional tests.
#include "bench/timed_node.h"
#include "sys/git.h"

#include <cstdio>

namespace gearbox::test {

namespace {

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
    node.agent.destroy_gear(record.spec.id);
    for (const auto& [part, list] : times) {
        std::printf("%s %.3f\n", part.c_str(), median(list));
    }
}

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    gearbox::test::enter_private_host("gearbox-bench");
    const gearbox::sys::GitLibrary git;
    gearbox::test::measure(argc > 1 ? std::atoi(argv[1]) : 100);
}
