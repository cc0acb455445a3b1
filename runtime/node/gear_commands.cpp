#include "node/gear_commands.h"

#include "base/error.h"
#include "base/log.h"
#include "model/application.h"
#include "node/disk_limit.h"
#include "node/gear_state.h"
#include "node/managed_files.h"

#include <sysexits.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace gearbox {

namespace {

// NAME of "--cart NAME", "" if it is not there.
std::string cartridge_of(const Words& words) {
    if (words.size() == 1) {
        return "";
    }
    if (words.size() == 3 && words[1] == "--cart") {
        return words[2];
    }
    fail(ErrorKind::invalid, "'", words.front(), "' takes no words but --cart NAME");
}

void control_each(const CartridgeRunner& runner, const GearRecord& record, const char* verb,
                  const TextSink& output) {
    for (const RecordedCartridge& cartridge : record.cartridges) {
        runner.control(record, cartridge, verb, output);
    }
}

}  // namespace

struct GearCommands::Verb {
    const char* name;
    int (GearCommands::*run)(const Words&, const Sinks&);
    bool locks;  ///< changes something, or wants nobody else to do so meanwhile
};

// THE table. What v2 had for several hosts (distribute, remotedeploy, rotate-in and -out) is not in it.
const std::vector<GearCommands::Verb>& GearCommands::verbs() {
    static const std::vector<Verb> table = {
        {"start", &GearCommands::start, true},
        {"stop", &GearCommands::stop, true},
        {"restart", &GearCommands::restart, true},
        {"reload", &GearCommands::reload, true},
        {"status", &GearCommands::status, false},
        {"deploy", &GearCommands::deploy, true},
        {"activate", &GearCommands::activate, true},
        {"deployments", &GearCommands::deployments, false},
        {"ports", &GearCommands::ports, false},
        {"snapshot-exclusions", &GearCommands::snapshot_exclusions, false},
        {"restore-transforms", &GearCommands::restore_transforms, false},
        {"snapshot-begin", &GearCommands::snapshot_begin, true},
        {"snapshot-end", &GearCommands::snapshot_end, true},
        {"archive-place", &GearCommands::archive_place, false},
        {"restore-begin", &GearCommands::restore_begin, true},
        {"restore-end", &GearCommands::restore_end, true},
        {"binary-begin", &GearCommands::binary_begin, true},
        {"binary-end", &GearCommands::binary_end, true},
    };
    return table;
}

int GearCommands::run(const Words& words, const Sinks& sinks) {
    const std::string name = words.empty() ? "" : words.front();
    const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                   [&](const Verb& v) { return name == v.name; });
    if (verb == verbs().end()) {
        std::string known;
        for (const Verb& v : verbs()) {
            known += str(known.empty() ? "" : ", ", v.name);
        }
        fail(ErrorKind::invalid, "there is no command '", name, "' here; known are ", known);
    }
    if (verb->locks && !lock_) {
        const std::chrono::seconds patience(agent_.context().settings.broker.lock_wait_seconds);
        auto lock = locks_.lock_within(gear_.text(), patience);
        if (!lock) {
            say(sinks.note, str("ERROR: ", busy_text(record().spec.application_name, patience), "\n"));
            return EX_TEMPFAIL;
        }
        lock_.emplace(std::move(*lock));
    }
    const auto let_go = [&] {
        if (begun_ == Begun::nothing) {
            lock_.reset();
        }
    };
    try {
        const int status = (this->*verb->run)(words, sinks);
        let_go();
        return status;
    } catch (const Error&) {
        let_go();
        throw;
    }
}

GearCommands::~GearCommands() {
    try {
        for (const std::string& place : places_) {
            agent_.context().files(record()).remove(place);
        }
        if (begun_ == Begun::nothing) {
            return;
        }
        GearRecord current = record();
        if (begun_ == Begun::snapshot) {
            end_snapshot(current, {});
        } else {
            agent_.deployer().restore(current);
            start_again(current, {});
        }
    } catch (const std::exception& error) {
        log::error("ending what a session had begun: ", std::string_view(error.what()),
                   log::field("gear", gear_.text()));
    }
}

bool GearCommands::control_one(const Words& words, const char* verb, const Sinks& sinks) {
    const std::string name = cartridge_of(words);
    if (name.empty()) {
        return false;
    }
    agent_.control(gear_, name, verb, sinks.text);
    return true;
}

int GearCommands::start(const Words& words, const Sinks& sinks) {
    if (!control_one(words, "start", sinks)) {
        agent_.start(gear_);
    }
    return 0;
}

int GearCommands::stop(const Words& words, const Sinks& sinks) {
    if (!control_one(words, "stop", sinks)) {
        agent_.stop_services(gear_);
    }
    return 0;
}

int GearCommands::restart(const Words& words, const Sinks& sinks) {
    if (!control_one(words, "restart", sinks)) {
        agent_.restart(gear_);
    }
    return 0;
}

int GearCommands::reload(const Words& words, const Sinks& sinks) {
    if (!control_one(words, "reload", sinks)) {
        agent_.reload(gear_);
    }
    return 0;
}

int GearCommands::status(const Words& words, const Sinks& sinks) {
    if (!control_one(words, "status", sinks)) {
        for (const RecordedCartridge& cartridge : record().cartridges) {
            control_one({"status", "--cart", cartridge.name}, "status", sinks);
        }
    }
    return 0;
}

DeployRequest parse_deploy_words(const Words& words) {
    DeployRequest out;
    for (const std::string& word : words) {
        if (word == "--hot-deploy") {
            out.hot_deploy = true;
        } else if (word == "--force-clean-build") {
            out.force_clean_build = true;
        } else if (word.empty() || word.front() == '-' || !out.ref.empty()) {
            fail(ErrorKind::invalid, "'", word,
                 "' is not understood: give a branch, tag or commit, --hot-deploy, "
                 "--force-clean-build");
        } else {
            out.ref = word;
        }
    }
    return out;
}

int GearCommands::deploy(const Words& words, const Sinks& sinks) {
    const DeployRequest request = parse_deploy_words({words.begin() + 1, words.end()});
    return agent_.deploy(gear_, request, sinks.text) ? 0 : 1;
}

int GearCommands::activate(const Words& words, const Sinks& sinks) {
    // One gear an application: all of them is this one, it is no new one, and no proxy sends
    // requests to others.
    static const std::set<std::string> ignored = {"--all", "--post-install", "--rotation",
                                                  "--no-rotation"};
    std::string id;
    bool as_json = false;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        if (*word == "--as-json") {
            as_json = true;
        } else if (ignored.contains(*word)) {
            continue;
        } else if (!id.empty() || word->starts_with('-')) {
            fail(ErrorKind::invalid, "'gear activate' takes the id of a deployment");
        } else {
            id = *word;
        }
    }
    if (!as_json) {
        return agent_.activate(gear_, id, sinks.text) ? 0 : 1;
    }
    std::string said;
    const bool success = agent_.activate(gear_, id, [&](std::string_view text) { said += text; });
    const char* const status = success ? "success" : "failure";
    Json messages = Json::array();
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
        messages.push_back(line);
    }
    const Json here = {{"status", status},
                       {"gear_uuid", gear_.text()},
                       {"deployment_id", id},
                       {"messages", messages},
                       {"errors", Json::array()}};
    const Json result = {{"status", status}, {"gear_results", {{gear_.text(), here}}}};
    say(sinks.text, to_text(result) + "\n");
    return success ? 0 : 1;
}

int GearCommands::deployments(const Words&, const Sinks& sinks) {
    for (const Deployment& deployment : agent_.deployments(gear_)) {
        const double last = deployment.activations.empty() ? 0 : deployment.activations.back();
        say(sinks.text,
            str(deployment.id, "  ", deployment.ref, "  ", deployment.sha1.substr(0, 7), "  ",
                last > 0 ? str("activated ", iso_time(static_cast<std::int64_t>(last)))
                         : "not activated",
                "\n"));
    }
    return 0;
}

int GearCommands::ports(const Words&, const Sinks& sinks) {
    const GearRecord current = record();
    const std::string address = link_addresses(current.spec.uid).gear;
    for (const RecordedCartridge& cartridge : current.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            if (endpoint.proxy_port != 0) {
                say(sinks.note,
                    str(cartridge.name, " -> ", address, ":", endpoint.proxy_port, "\n"));
            }
        }
    }
    return 0;
}

// Of all its cartridges, one a line.
void GearCommands::say_managed(std::vector<std::string> ManagedFiles::* rows, const std::string& before, const TextSink& text) const {
    const GearRecord current = record();
    const GearFiles files = agent_.context().files(current);
    for (const RecordedCartridge& cartridge : current.cartridges) {
        const auto yaml = files.find(cartridge.name + "/metadata/managed_files.yml");
        const ManagedFiles managed = parse_managed_files(yaml.value_or(""), cartridge.name);
        for (const std::string& row : managed.*rows) {
            say(text, str(before, row, "\n"));
        }
    }
}

int GearCommands::snapshot_exclusions(const Words&, const Sinks& sinks) {
    say_managed(&ManagedFiles::snapshot_exclusions, str("./", gear_.text(), "/"), sinks.text);
    return 0;
}

int GearCommands::restore_transforms(const Words&, const Sinks& sinks) {
    say_managed(&ManagedFiles::restore_transforms, "", sinks.text);
    return 0;
}

void GearCommands::begin(Begun what, const char* verb, const Sinks& sinks) {
    if (begun_ != Begun::nothing) {
        fail(ErrorKind::conflict, "this session has begun something else already");
    }
    GearRecord current = record();
    was_started_ = current.state == GearState::started;
    begun_ = what;
    agent_.context().launcher.ensure_running(current);
    std::string hook = verb;
    std::replace(hook.begin(), hook.end(), '-', '_');
    agent_.runner().run_action_hook(current, hook, sinks.note);
    if (was_started_) {
        agent_.runner().stop_all(current, true, sinks.note);
        // Not "stopped": should the daemon end now, the next one starts what was running.
        set_gear_state(agent_.context(), current, GearState::building);
    }
    control_each(agent_.runner(), current, verb, sinks.note);
}

void GearCommands::check_begun(Begun what) const {
    if (begun_ != what) {
        fail(ErrorKind::conflict, "this session has begun nothing that could end so");
    }
}

void GearCommands::start_again(GearRecord& current, const TextSink& output) {
    begun_ = Begun::nothing;
    if (was_started_) {
        agent_.context().launcher.ensure_running(current);
        agent_.runner().start_all(current, output);
        set_gear_state(agent_.context(), current, GearState::started);
    }
}

void GearCommands::end_snapshot(GearRecord& current, const TextSink& output) {
    agent_.context().launcher.ensure_running(current);
    control_each(agent_.runner(), current, "post-snapshot", output);
    start_again(current, output);
    agent_.runner().run_action_hook(current, "post_snapshot", output);
}

int GearCommands::snapshot_begin(const Words&, const Sinks& sinks) {
    begin(Begun::snapshot, "pre-snapshot", sinks);
    return 0;
}

int GearCommands::snapshot_end(const Words&, const Sinks& sinks) {
    check_begun(Begun::snapshot);
    GearRecord current = record();
    end_snapshot(current, sinks.note);
    return 0;
}

// Where a program puts an archive that comes. It may be killed before it can tidy up; this is not.
int GearCommands::archive_place(const Words&, const Sinks& sinks) {
    constexpr std::size_t most_places = 4;
    if (places_.size() >= most_places) {
        fail(ErrorKind::invalid, "this session has enough places for archives");
    }
    places_.push_back(str("app-root/data/.archive.", random_hex(8)));
    say(sinks.text, places_.back() + "\n");
    return 0;
}

int GearCommands::restore_begin(const Words&, const Sinks& sinks) {
    check_room(agent_.context().settings.node);
    begin(Begun::restore, "pre-restore", sinks);
    return 0;
}

int GearCommands::restore_end(const Words&, const Sinks& sinks) {
    check_begun(Begun::restore);
    GearRecord current = record();
    control_each(agent_.runner(), current, "post-restore", sinks.text);
    agent_.runner().run_action_hook(current, "post_restore", sinks.text);
    begun_ = Begun::nothing;
    return agent_.activate_current(gear_, sinks.text) ? 0 : 1;
}

int GearCommands::binary_begin(const Words& words, const Sinks& sinks) {
    if (begun_ != Begun::nothing) {
        fail(ErrorKind::conflict, "this session has begun something else already");
    }
    GearRecord current = record();
    was_started_ = current.state == GearState::started;
    pending_ = agent_.deployer().begin_binary(
        current, parse_deploy_words({words.begin() + 1, words.end()}), sinks.note);
    begun_ = Begun::binary;
    say(sinks.text, pending_.directory + "\n");
    return 0;
}

int GearCommands::binary_end(const Words&, const Sinks& sinks) {
    check_begun(Begun::binary);
    begun_ = Begun::nothing;
    GearRecord current = record();
    // oo-binary-deploy has it there until this is done.
    if (const std::string archive = places_.empty() ? "" : places_.back() + "/archive";
        !archive.empty() && agent_.context().files(current).exists(archive)) {
        pending_.archive = str(agent_.context().home(current), "/", archive);
    }
    return agent_.deployer().finish_binary(current, pending_, sinks.text) ? 0 : 1;
}

}  // namespace gearbox
