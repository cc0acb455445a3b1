#include "node/deployer.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "node/deploy_programs.h"
#include "node/disk_limit.h"
#include "node/environ.h"
#include "node/gear_state.h"
#include "sys/listeners.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace gearbox {

namespace {

constexpr const char* rule = "-------------------------\n";

const std::string& ref_of(const GearRecord& record, const PendingDeployment& pending) {
    return pending.ref.empty() ? record.spec.deployment.branch : pending.ref;
}

}  // namespace

std::vector<RefUpdate> parse_ref_updates(std::string_view text) {
    const auto is_id = [](const std::string& word) {
        return word.size() >= 40 && word.size() <= 64 &&
               word.find_first_not_of("0123456789abcdef") == std::string::npos;
    };
    std::vector<RefUpdate> out;
    std::istringstream lines{std::string(text)};
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        RefUpdate update;
        if (words >> update.old_id >> update.new_id >> update.ref && is_id(update.old_id) &&
            is_id(update.new_id) && update.ref.starts_with("refs/")) {
            out.push_back(update);
        }
    }
    return out;
}

std::string Deployer::make_stamp() const {
    const std::int64_t now = node_.clock.now_ms();
    // "2013-02-20T08:29:49Z" → "2013-02-20_08-29-49.123"
    std::string text = iso_time(now / 1000);
    std::replace(text.begin(), text.end(), 'T', '_');
    std::replace(text.begin(), text.end(), ':', '-');
    text.pop_back();
    const std::string fraction = std::to_string(1000 + now % 1000);
    return str(text, ".", fraction.substr(1));
}

std::optional<PendingDeployment> Deployer::prereceive(GearRecord& record,
                                                      const std::vector<RefUpdate>& updates,
                                                      const ObjectEnvironment& objects,
                                                      const TextSink& output) const {
    const DeploymentSettings& settings = record.spec.deployment;
    if (settings.type == "binary") {
        fail(ErrorKind::invalid,
             "this application takes binary deployments only, git pushes are refused");
    }
    const std::string ref = str("refs/heads/", settings.branch);
    const auto update = std::find_if(updates.begin(), updates.end(),
                                     [&](const RefUpdate& row) { return row.ref == ref; });
    const bool deleted =
        update != updates.end() && update->new_id.find_first_not_of('0') == std::string::npos;
    if (update == updates.end() || !settings.auto_deploy || deleted) {
        return std::nullopt;
    }
    PendingDeployment pending;
    pending.commit = update->new_id;
    inspect(record, pending, objects);
    if (const RecordedCartridge* const builder = record.find_builder()) {
        runner_.control(record, *builder, "pre-receive", output);
        pending.builder = builder->name;
        return pending;
    }
    begin(record, pending, output);
    return pending;
}

void Deployer::inspect(const GearRecord& record, PendingDeployment& pending,
                       const ObjectEnvironment& objects) const {
    GearCommand command;
    command.purpose = Purpose::git;
    command.environment = to_pairs(make_environment(node_.files(record), record, node_.settings));
    command.environment.insert(command.environment.end(), objects.begin(), objects.end());
    command.directory = node_.home(record);
    command.argv = gear_deploy("inspect", {repositories_.path(record), pending.commit});
    const GearResult result = node_.launcher.run(record, command);
    if (result.status != 0) {
        const std::string why = result.err.substr(0, std::min<std::size_t>(1000, result.err.find_last_not_of('\n') + 1));
        fail(ErrorKind::invalid, "nothing is deployed, and what runs goes on: ", why);
    }
    std::istringstream markers(result.out);
    for (std::string line; std::getline(markers, line);) {
        pending.hot_deploy |= line == ".openshift/markers/hot_deploy";
        pending.force_clean_build |= line == ".openshift/markers/force_clean_build";
        // As repo/ and as a deployment; any other line is 0.
        check_room(node_.settings.node, 2 * parse_mb(line));
    }
}

void Deployer::begin(GearRecord& record, PendingDeployment& pending, const TextSink& output) const {
    if (pending.hot_deploy) {
        for (const RecordedCartridge& cartridge : record.cartridges) {
            say(output,
                str("Not stopping cartridge ", cartridge.name, " because hot deploy is enabled\n"));
        }
    } else {
        stop_for(record, output);
    }
    pending.directory = make_stamp();
}

void Deployer::stop_for(GearRecord& record, const TextSink& output) const {
    if (record.state != GearState::started) {
        return;
    }
    runner_.stop_all(record, false, output);
    // Not "stopped": should the daemon end now, the next one starts what was running.
    set_gear_state(node_, record, GearState::building);
}

void Deployer::restore(const GearRecord& record, const std::string& directory) const {
    runner_.run_checked(record, Purpose::build, bash(restore_program, {directory}));
}

// A hot deployment goes through all of them: the server that runs has to take over what is new.
void Deployer::step(const GearRecord& record, const PendingDeployment& pending, const std::string& verb,
                    const TextSink& output) const {
    const RecordedCartridge& primary = record.cartridges.front();
    if (pending.hot_deploy || runner_.has_step(record, primary, verb)) {
        runner_.control(record, primary, verb, output);
    }
}

void Deployer::checkout(const GearRecord& record, const PendingDeployment& pending,
                        const TextSink& output) const {
    if (!record.cartridges.empty()) {
        step(record, pending, "pre-repo-archive", output);
    }
    const GearResult result = runner_.run(record, Purpose::build,
                                          gear_deploy("checkout", {repositories_.path(record), pending.commit}), output);
    if (result.status != 0) {
        fail(ErrorKind::unavailable, "commit ", pending.commit.substr(0, 7), " could not be checked out; the messages above say why");
    }
}

void Deployer::build(GearRecord& record, const PendingDeployment& pending,
                     const TextSink& output) const {
    if (record.state != GearState::building) {
        set_gear_state(node_, record, GearState::building);
    }
    if (pending.force_clean_build) {
        say(output, "Force clean build enabled - cleaning dependencies\n");
        runner_.run_checked(record, Purpose::build, bash(clean_program, {}));
        for (const RecordedCartridge& cartridge : record.cartridges) {
            runner_.make_dependency_directories(record, cartridge);
        }
    }
    step(record, pending, "update-configuration", output);
    say(output, str("Building git ref '", ref_of(record, pending), "', commit ",
                    pending.commit.substr(0, 7), "\n"));
    step(record, pending, "pre-build", output);
    runner_.run_action_hook(record, "pre_build", output);
    step(record, pending, "build", output);
    runner_.run_action_hook(record, "build", output);
}

Deployment Deployer::prepare(const GearRecord& record, const PendingDeployment& pending,
                             const TextSink& output) const {
    say(output, "Preparing build for deployment\n");
    runner_.run_action_hook(record, "prepare", output,
                            pending.archive.empty() ? std::vector<std::string>() : std::vector{pending.archive});
    Deployment deployment;
    deployment.id = random_hex(4);
    deployment.ref = ref_of(record, pending);
    deployment.sha1 = pending.commit;
    deployment.hot_deploy = pending.hot_deploy;
    deployment.force_clean_build = pending.force_clean_build;
    deployment.created = node_.clock.now();
    const std::string sum = runner_.run_checked(
        record, Purpose::build,
        gear_deploy("keep", {pending.directory, deployment.id, metadata_text(deployment)}));
    deployment.checksum = sum.substr(0, 40);
    say(output, str("Deployment id is ", deployment.id, "\n"));
    return deployment;
}

void Deployer::activate(GearRecord& record, const PendingDeployment& pending, Deployment deployment,
                        const TextSink& output) const {
    say(output, "Activating deployment\n");
    const bool running = record.state == GearState::started;
    step(record, pending, "update-configuration", output);
    runner_.run_action_hook(record, "pre_start", output);
    runner_.start_secondaries(record, output);
    set_gear_state(node_, record, GearState::deploying);
    step(record, pending, "deploy", output);
    runner_.run_action_hook(record, "deploy", output);
    if (!pending.hot_deploy || !running) {
        runner_.control(record, record.cartridges.front(), "start", output);
    }
    runner_.run_action_hook(record, "post_start", output);
    if (const std::string silence = find_silence(record); !silence.empty()) {
        say(output, silence + "\n");
    }
    set_gear_state(node_, record, GearState::started);
    step(record, pending, "post-deploy", output);
    runner_.run_action_hook(record, "post_deploy", output);
    finish(record, pending, std::move(deployment));
}

// The contract prunes before the build. Here the deployment that runs is kept until the next one
// does: a daemon that is killed in between can put it back.
void Deployer::finish(const GearRecord& record, const PendingDeployment& pending,
                      Deployment deployment) const {
    // Two activations within a second have an order, too.
    deployment.activations.push_back(static_cast<double>(node_.clock.now_ms()) / 1000);
    kept_.write(record, pending.directory, deployment);
    kept_.forget_excess(record, pending.directory);
}

std::vector<std::string> Deployer::gear_deploy(const std::string& verb, std::vector<std::string> words) const {
    words.insert(words.begin(), {node_.paths.gear_deploy(), verb});
    return words;
}

std::string Deployer::find_silence(const GearRecord& record) const {
    const PlacedEndpoint* const web = record.find_web_endpoint();
    if (web == nullptr) {
        return "";
    }
    if (sys::is_listened_on(record.init_pid, {{web->address, web->port}, {"0.0.0.0", web->port}})) {
        return "";
    }
    return str("NOTE: nothing listens on ", web->address, ":", web->port, " ($", web->ip_variable, ", $", web->port_variable,
               ") yet: until something does, visitors get the status 503");
}

void Deployer::after_failure(GearRecord& record, const TextSink& output) const {
    if (record.spec.deployment.keep > 1) {
        say(output, "Starting the version from before again\n");
        try {
            // It may have been the current one already.
            const std::vector<KeptDeployment> all = kept_.all(record);
            if (const KeptDeployment* const before = KeptDeployments::last_activated(all)) {
                runner_.run_checked(record, Purpose::build, bash(current_program, {before->directory}));
            }
            restore(record);
            runner_.start_all(record, output);
            set_gear_state(node_, record, GearState::started);
            return;
        } catch (const Error& error) {
            say(output, str("It does not start: ", error.text(), "\n"));
        }
    } else {
        say(output,
            "The application stays down: push a version that builds, or keep more than one "
            "deployment to have it started again\n");
    }
    runner_.stop_all(record, true);
    set_gear_state(node_, record, GearState::stopped);
}

bool Deployer::postreceive(GearRecord& record, const PendingDeployment& pending,
                           const TextSink& output) const {
    if (!pending.builder.empty()) {
        return hand_over(record, pending, output);
    }
    const bool was_running = record.state == GearState::started;
    return finish_deployment(record, pending.directory, output, [&] {
        node_.launcher.ensure_running(record);
        checkout(record, pending, output);
        build(record, pending, output);
        // A hot deployment runs through the build.
        if (was_running) {
            set_gear_state(node_, record, GearState::started);
        }
        const Deployment deployment = prepare(record, pending, output);
        activate(record, pending, deployment, output);
    });
}

bool Deployer::hand_over(const GearRecord& record, const PendingDeployment& pending, const TextSink& output) const {
    try {
        if (const RecordedCartridge* const builder = record.find_cartridge(pending.builder)) {
            runner_.control(record, *builder, "post-receive", output);
        }
        return true;
    } catch (const Error& error) {
        say(output, str("\nERROR: ", error.text(), "\n"));
        log::warning("building elsewhere failed: ", error.text(), log::field("gear", record.spec.id.text()));
        return false;
    }
}

bool Deployer::finish_deployment(GearRecord& record, const std::string& directory, const TextSink& output,
                                 const std::function<void()>& body) const {
    bool success = false;
    try {
        body();
        success = true;
    } catch (const Error& error) {
        say(output, str("\nERROR: ", error.text(), "\n"));
        log::warning("deployment failed: ", error.text(),
                     log::field("gear", record.spec.id.text()));
    }
    if (!success) {
        after_failure(record, output);
        const GearResult discarded = runner_.run(record, Purpose::build, bash(discard_program, {directory}));
        if (discarded.status != 0) {
            log::warning("removing a failed deployment: ", discarded.err, log::field("gear", record.spec.id.text()));
        }
    }
    if (const std::string tightness = find_tightness(node_, record); !tightness.empty()) {
        say(output, tightness + "\n");
    }
    say(output, str(rule, "Git Post-Receive Result: ", success ? "success" : "failure",
                    "\nActivation status: ", success ? "success" : "failure",
                    "\nDeployment completed with status: ", success ? "success" : "failure", "\n"));
    return success;
}

ScriptMessages Deployer::deploy_initially(GearRecord& record, const TextSink& sink) const {
    std::string said;
    const TextSink output = [&](std::string_view text) {
        constexpr std::size_t most = 1 << 20;
        said += text.substr(0, most - std::min(most, said.size()));
        say(sink, text);
    };
    node_.launcher.ensure_running(record);
    ScriptMessages messages;
    PendingDeployment pending;
    pending.commit = repositories_.find_commit(record, record.spec.deployment.branch);
    if (pending.commit.empty() || record.cartridges.empty()) {
        messages.messages.push_back(
            "The repository is empty: the application starts with the first push.");
        set_gear_state(node_, record, GearState::stopped);
        return messages;
    }
    pending.directory = make_stamp();
    const bool build_wanted =
        record.initial_build || record.cartridges.front().install_build_required;
    checkout(record, pending, output);
    if (build_wanted) {
        build(record, pending, output);
    }
    const Deployment deployment = prepare(record, pending, output);
    if (build_wanted) {
        activate(record, pending, deployment, output);
        runner_.run(record, Purpose::build, bash("cat >/tmp/initial-build.log", {}), {}, said);
    } else {
        messages = runner_.start_all(record, output);
        if (std::string silence = find_silence(record); !silence.empty()) {
            messages.messages.push_back(std::move(silence));
        }
        set_gear_state(node_, record, GearState::started);
        finish(record, pending, deployment);
    }
    return messages;
}

bool Deployer::deploy(GearRecord& record, const DeployRequest& request,
                      const TextSink& output) const {
    if (record.spec.deployment.type == "binary") {
        fail(ErrorKind::invalid, "this application takes binary deployments only: deploy a file");
    }
    node_.launcher.ensure_running(record);
    PendingDeployment pending;
    pending.ref = request.ref;
    pending.commit = repositories_.find_commit(record, ref_of(record, pending));
    if (pending.commit.empty()) {
        fail(ErrorKind::invalid, "the repository has no branch, tag or commit '",
             ref_of(record, pending), "'");
    }
    inspect(record, pending, {});
    pending.hot_deploy |= request.hot_deploy;
    pending.force_clean_build |= request.force_clean_build;
    begin_alone(record, pending, output);
    const bool success = postreceive(record, pending, output);
    if (success) {
        kept_.prune(record);
    }
    return success;
}

void Deployer::begin_alone(GearRecord& record, PendingDeployment& pending,
                           const TextSink& output) const {
    const bool was_started = record.state == GearState::started;
    try {
        begin(record, pending, output);
    } catch (const Error&) {
        if (was_started) {
            runner_.start_all(record, output);
            set_gear_state(node_, record, GearState::started);
        }
        throw;
    }
}

void Deployer::switch_to(GearRecord& record, const KeptDeployment& wanted,
                         const TextSink& output) const {
    PendingDeployment pending;
    pending.directory = wanted.directory;
    restore(record, wanted.directory);
    runner_.run_checked(record, Purpose::build, bash(current_program, {wanted.directory}));
    activate(record, pending, wanted.value, output);
}

bool Deployer::activate_kept(GearRecord& record, const std::string& id,
                             const TextSink& output) const {
    const std::vector<KeptDeployment> all = kept_.all(record);
    const auto wanted = std::find_if(all.begin(), all.end(),
                                     [&](const KeptDeployment& d) { return d.value.id == id; });
    if (wanted == all.end()) {
        fail(ErrorKind::not_found, "there is no deployment with the id '", id, "'");
    }
    // Without an activation that was told, the one that was asked for is tried again.
    const KeptDeployment* const found = KeptDeployments::last_activated(all);
    const KeptDeployment* const before = found != nullptr ? found : &*wanted;
    node_.launcher.ensure_running(record);
    stop_for(record, output);
    try {
        switch_to(record, *wanted, output);
        kept_.prune(record);
        return true;
    } catch (const Error& error) {
        say(output,
            str("\nERROR: ", error.text(), "\nGoing back to deployment ", before->value.id, "\n"));
        runner_.stop_all(record, true);
        switch_to(record, *before, output);
        return false;
    }
}

bool Deployer::activate_current(GearRecord& record, const TextSink& output) const {
    const GearResult current = runner_.run(
        record, Purpose::build, bash("readlink \"${OPENSHIFT_DEPLOYMENTS_DIR%/}/current\"", {}));
    const std::string directory = current.out.substr(0, current.out.find('\n'));
    for (const KeptDeployment& deployment : kept_.all(record)) {
        if (deployment.directory == directory) {
            return finish_deployment(record, directory, output, [&] {
                switch_to(record, deployment, output);
                kept_.prune(record);
            });
        }
    }
    return deploy(record, {}, output);
}

PendingDeployment Deployer::begin_binary(GearRecord& record, const DeployRequest& request,
                                         const TextSink& output) const {
    if (record.spec.deployment.type != "binary") {
        fail(ErrorKind::invalid, "this application is deployed by git; 'app configure --deployment-type binary' changes that");
    }
    check_room(node_.settings.node);
    node_.launcher.ensure_running(record);
    PendingDeployment pending;
    pending.hot_deploy = request.hot_deploy;
    begin_alone(record, pending, output);
    return pending;
}

bool Deployer::finish_binary(GearRecord& record, const PendingDeployment& pending,
                             const TextSink& output) const {
    return finish_deployment(record, pending.directory, output, [&] {
        restore(record, pending.directory);
        const Deployment deployment = prepare(record, pending, output);
        activate(record, pending, deployment, output);
        kept_.prune(record);
    });
}

std::vector<Deployment> Deployer::deployments(const GearRecord& record) const {
    std::vector<Deployment> out;
    for (KeptDeployment& deployment : kept_.all(record)) {
        out.push_back(std::move(deployment.value));
    }
    return out;
}

}  // namespace gearbox
