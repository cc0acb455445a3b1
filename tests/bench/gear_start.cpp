// Starts and ends one gear again and again, with /bin/true run inside, and prints the milliseconds of each
// part: the part of tests/bench/gears.py that needs the node's own code. Its host is private, as in the
// functional tests.
#include "functional/node_fixture.h"
#include "sys/git.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace gearbox::test {

namespace {

class Stopwatch {
public:
    double lap() {
        const auto now = std::chrono::steady_clock::now();
        const std::chrono::duration<double, std::milli> took = now - began_;
        began_ = now;
        return took.count();
    }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void print(const char* what, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    std::printf("%s %.3f %.3f\n", what, times[times.size() / 2], times[times.size() * 95 / 100]);
}

void measure(int rounds) {
    const Settings settings = private_host_settings();
    const SystemClock clock;
    LocalAgent agent(settings, clock);
    GearSpec spec;
    spec.id = GearId("5f0000000000000000000190");
    spec.application = ApplicationId(spec.id.text());
    spec.uid = 1090;
    spec.application_name = *ApplicationName::parse("bench");
    spec.domain = *Namespace::parse("acme");
    spec.dns = "bench-acme.gearbox.localhost";
    agent.create_gear(spec);
    std::vector<double> whole, start, run, end;
    for (int i = 0; i < rounds; ++i) {
        GearRecord record = agent.context().store.gear(spec.id);
        Stopwatch all;
        Stopwatch part;
        agent.context().launcher.ensure_running(record);
        start.push_back(part.lap());
        GearCommand command;
        command.argv = {"/bin/true"};
        command.directory = "/";
        agent.context().launcher.run(record, command);
        run.push_back(part.lap());
        whole.push_back(all.lap());
        part.lap();
        agent.context().launcher.kill(record);
        end.push_back(part.lap());
    }
    agent.destroy_gear(spec.id);
    print("start+run", whole);
    print("start", start);
    print("run", run);
    print("end", end);
}

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    gearbox::test::enter_private_host("gearbox-bench");
    const gearbox::sys::GitLibrary git;
    gearbox::test::measure(argc > 1 ? std::atoi(argv[1]) : 100);
}
