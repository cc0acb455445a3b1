#include "weakened_gear.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <fcntl.h>
#include <filesystem>

namespace gearbox::test {

namespace fs = std::filesystem;

namespace {

// libexec with another gear-init, named after it.
std::string libexec_with(const std::string& gear_init) {
    const std::string out = "/var/lib/gearbox/" + fs::path(gear_init).filename().string();
    fs::create_directories(out);
    fs::copy(libexec_dir(), out, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    fs::copy_file(gear_init, out + "/gear-init", fs::copy_options::overwrite_existing);
    return out;
}

Settings weakened(Settings settings, const Weakness& weakness) {
    if (!weakness.gear_init.empty()) {
        settings.node.libexec_dir = libexec_with(weakness.gear_init);
    }
    if (!weakness.profile.empty()) {
        settings.security.profile_dir = "/var/lib/gearbox/weakened-profiles";
        fs::create_directories(settings.security.profile_dir);
        write_file_atomically(settings.security.profile_dir + "/weakened.toml",
                              weakness.profile + "[assign]\ndomains = ['acme']\n");
    }
    if (weakness.settings) {
        weakness.settings(settings);
    }
    return settings;
}

}  // namespace

void leave_cgroups(pid_t pid) {
    const std::string root = "/sys/fs/cgroup";
    std::vector<std::string> files = {root + "/cgroup.procs"};
    if (!fs::exists(files.front())) {
        files.clear();
        for (const auto& hierarchy : fs::directory_iterator(root)) {
            files.push_back(hierarchy.path().string() + "/cgroup.procs");
        }
    }
    for (const std::string& file : files) {
        const UniqueFd fd(check(::open(file.c_str(), O_WRONLY | O_CLOEXEC), "opening '", file, "'"));
        write_all(fd.get(), std::to_string(pid));
    }
}

WeakenedGear::WeakenedGear(LocalAgent& agent, const Settings& settings, const GearId& gear,
                           const Weakness& weakness)
    : weakness_(weakness),
      settings_(weakened(settings, weakness)),
      paths_(settings_),
      policy_(make_security_policy(settings_.security.policy)),
      profiles_(settings_, *policy_),
      cgroups_(settings_.node.cgroup_parent),
      isolators_(make_isolators(settings_, paths_, profiles_, *policy_, cgroups_)),
      launcher_(profiles_, paths_, *policy_, isolators_, agent.context().store, reaper_),
      context_{settings_, paths_, *policy_, profiles_, agent.context().store, launcher_, agent.context().clock},
      runner_(context_) {
    isolators_.push_back(std::make_unique<WeakeningIsolator>(weakness_));
    agent.stop(gear, true);
    record_ = agent.context().store.gear(gear);
    launcher_.ensure_running(record_);
    if (weakness_.ready) {
        weakness_.ready(record_);
    }
}

WeakenedGear::~WeakenedGear() {
    launcher_.kill(record_);
}

std::string WeakenedGear::inside(const std::string& program) const {
    std::vector<std::string> argv = {"/usr/bin/env"};
    argv.insert(argv.end(), weakness_.environment.begin(), weakness_.environment.end());
    argv.insert(argv.end(), {"/bin/bash", "-c", program});
    const GearResult result = runner_.run(record_, Purpose::session, argv);
    return result.out + result.err;
}

}  // namespace gearbox::test
