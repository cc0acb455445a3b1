// Runs a program beside a gear of a cartridge on a private host, and beside further ones with one layer
// switched off: the part of tests/bench/overhead.py that needs the node's own code.
//
// usage: gear_overhead CARTRIDGE PROGRAM [ARGUMENT]…
// The program gets in GEARBOX_BENCH {"gears":[{"name","address","home","uid"}],"environment":[NAME=value]}:
// addresses of servers, and the environment of a session of the first gear.
#include "functional/weakened_gear.h"
#include "sys/git.h"

#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace gearbox::test {

namespace {

struct Variant {
    const char* name;
    Weakness weakness;
};

std::vector<Variant> make_variants() {
    std::vector<Variant> out(5);
    out[0].name = "gear";
    out[1].name = "without seccomp";
    out[1].weakness.profile = "[seccomp]\nfilter = false\n";
    out[2].name = "without network namespace";
    out[2].weakness.shared_namespaces = CLONE_NEWNET;
    out[3].name = "without cgroup";
    out[3].weakness.outside_cgroups = true;
    out[4].name = "without a limit of bandwidth";
    out[4].weakness.settings = [](Settings& settings) { settings.gear.network_mbit = 0; };
    return out;
}

class Bench {
public:
    explicit Bench(std::string cartridge) : cartridge_(std::move(cartridge)), agent_(settings_, clock_) {}
    ~Bench() {
        weakened_.clear();
        for (const GearId& gear : agent_.gears()) {
            agent_.destroy_gear(gear);
        }
    }

    int run(char** argv) {
        Json gears = Json::array();
        for (std::size_t i = 0; i < variants_.size(); ++i) {
            const GearId id = make(static_cast<int>(i));
            if (i == 0) {
                first_ = id;
            } else {
                weakened_.push_back(std::make_unique<WeakenedGear>(agent_, settings_, id, variants_[i].weakness));
                weakened_.back()->runner().start_all(weakened_.back()->record());
            }
            gears.push_back(describe(variants_[i], id));
        }
        const GearRecord first = agent_.context().store.gear(first_);
        const GearResult session = agent_.runner().run(first, Purpose::session, {"/usr/bin/env"});
        sys::Program program;
        program.path = argv[0];
        for (; *argv != nullptr; ++argv) {
            program.argv.emplace_back(*argv);
        }
        program.environment = {str("PATH=", std::getenv("PATH")),
                               str("GEARBOX_BENCH=", to_text({{"gears", gears}, {"environment", lines(session.out)}}))};
        program.descriptors = {{0, 0}, {1, 1}, {2, 2}};
        return sys::spawn(program).wait();
    }

private:
    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> out;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            out.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        return out;
    }

    GearId make(int number) {
        GearSpec spec;
        spec.id = GearId(str("5f000000000000000000020", number));
        spec.application = ApplicationId(spec.id.text());
        spec.uid = static_cast<uid_t>(1100 + number);
        spec.application_name = *ApplicationName::parse(str("bench", number));
        spec.domain = *Namespace::parse("acme");
        spec.dns = str("bench", number, "-acme.gearbox.localhost");
        agent_.create_gear(spec);
        for (const Cartridge& cartridge : agent_.cartridges()) {
            if (cartridge.answers_to(cartridge_)) {
                agent_.add_cartridge(spec.id, cartridge);
            }
        }
        agent_.create_repository(spec.id, {});
        agent_.deploy_initially(spec.id, {});
        agent_.runner().run_checked(agent_.context().store.gear(spec.id), Purpose::session,
                                    {"/bin/bash", "-ec",
                                     "cd \"$OPENSHIFT_REPO_DIR\"; cat >page.php;"
                                     "head -c 4096 /dev/zero | tr '\\0' x >page.txt"},
                                    {}, page);
        return spec.id;
    }

    Json describe(const Variant& variant, const GearId& id) const {
        const GearRecord record = agent_.context().store.gear(id);
        const bool shares_network = (variant.weakness.shared_namespaces & CLONE_NEWNET) != 0;
        const PlacedEndpoint* const web = record.find_web_endpoint();
        const std::string address = shares_network
                                        ? str(web->address, ":", web->port)
                                        : str(link_addresses(record.spec.uid).gear, ":", web->proxy_port);
        return {{"name", variant.name},
                {"address", address},
                {"home", agent_.context().home(record)},
                {"uid", record.spec.uid}};
    }

    // A page that computes, formats and answers, as pages do: some milliseconds of PHP.
    static constexpr const char* page =
        "<?php $rows = []; for ($i = 0; $i < 2000; $i++) { $rows[] = md5((string)$i); } sort($rows);\n"
        "foreach (array_slice($rows, 0, 100) as $row) { echo '<li>', htmlspecialchars($row), \"</li>\\n\"; }\n";

    static Settings make_settings() {
        Settings settings = private_host_settings();
        // Limits are no overhead: none of them is to be met.
        settings.gear.memory_mb = 1024;
        settings.gear.cpu_percent = 100 * ::sysconf(_SC_NPROCESSORS_ONLN);
        return settings;
    }

    std::string cartridge_;
    Settings settings_ = make_settings();
    SystemClock clock_;
    LocalAgent agent_;
    std::vector<Variant> variants_ = make_variants();
    GearId first_;
    std::vector<std::unique_ptr<WeakenedGear>> weakened_;
};

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: gear_overhead CARTRIDGE PROGRAM [ARGUMENT]...\n", stderr);
        return 2;
    }
    gearbox::test::enter_private_host("gearbox-overhead");
    const gearbox::sys::GitLibrary git;
    return gearbox::test::Bench(argv[1]).run(argv + 2);
}
