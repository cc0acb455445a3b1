#include "node/cartridge_runner.h"

#include "base/error.h"
#include "base/log.h"
#include "node/agent.h"
#include "node/environ.h"
#include "node/mirror.h"
#include "node/script_output.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

// $1 control, $2 verb, $3 directory of action hooks, $4 cartridge, $5 the same with its version.
// Hooks around a verb are sourced (contract 6.2): they may change what the control script sees.
constexpr const char* control_program = R"(set -e
gearbox_control=$1 gearbox_verb=$2 gearbox_hook=${2//-/_} gearbox_dir=$3 gearbox_names=("$4" "$5")
for gearbox_name in "${gearbox_names[@]}"; do
    if [[ -x $gearbox_dir/pre_${gearbox_hook}_$gearbox_name ]]; then
        source "$gearbox_dir/pre_${gearbox_hook}_$gearbox_name"
    fi
done
"$gearbox_control" "$gearbox_verb"
for gearbox_name in "${gearbox_names[@]}"; do
    if [[ -x $gearbox_dir/post_${gearbox_hook}_$gearbox_name ]]; then
        source "$gearbox_dir/post_${gearbox_hook}_$gearbox_name"
    fi
done
)";

constexpr const char* action_hooks = "app-root/runtime/repo/.openshift/action_hooks";

// $0 the hook, $1 its name, the rest its words.
constexpr const char* action_hook_program = R"(if [[ ! -x $0 ]]; then
    echo "NOTE: the hook $1 is not executable and is skipped"
    exit
fi
IFS= read -r first 2>/dev/null <"$0"
read -r program rest <<<"${first#\#!}"
if [[ $first == *$'\r' ]]; then
    echo "the hook $1 ends its lines as Windows does; sed -i 's/\r$//' makes it a script" >&2
    exit 126
elif [[ $first == '#!'* && ! -x $program ]]; then
    echo "the hook $1 wants '$program', which is not there" >&2
    exit 127
elif [[ $first == '#!'* && $program == /bin/sh ]]; then
    exec /bin/bash ${rest:+"$rest"} "$0" "${@:2}"
fi
exec "$0" "${@:2}"
)";

// The verbs of bin/control and the hooks of the application that belong to a deployment; the others
// are about services (contract 6.1, 6.2 and 14.2).
constexpr std::array deployment_steps = {
    "pre-receive", "post-receive", "pre-repo-archive", "update-configuration", "pre-build",
    "build",       "prepare",      "deploy",           "post-deploy",
};

// step: a verb, or a hook's name with underscores.
Purpose purpose_of(std::string step) {
    std::replace(step.begin(), step.end(), '_', '-');
    const bool deployment =
        std::find(deployment_steps.begin(), deployment_steps.end(), step) != deployment_steps.end();
    return deployment ? Purpose::build : Purpose::service;
}

Purpose purpose_of(const RecordedCartridge& cartridge, const std::string& verb) {
    return cartridge.database ? Purpose::database : purpose_of(verb);
}

// A script with its interpreter's line is executed as it is: one process less. Others are bash's, and so are those of
// /bin/sh, which was bash in the original (contract 3.4).
std::vector<std::string> script_argv(const GearFiles& files, const std::string& path,
                                     const std::string& home) {
    const std::string program = str(home, "/", path);
    const std::string text = files.find(path).value_or("");
    const std::string line = text.substr(0, text.find('\n'));
    if (!line.starts_with("#!")) {
        return {"/bin/bash", program};
    }
    // As the kernel reads it: all that follows the interpreter is one word.
    constexpr const char* blank = " \t";
    const std::size_t begin = std::min(line.find_first_not_of(blank, 2), line.size());
    const std::size_t end = std::min(line.find_first_of(blank, begin), line.size());
    if (line.substr(begin, end - begin) != "/bin/sh") {
        return {program};
    }
    const std::size_t option = line.find_first_not_of(blank, end);
    if (option == std::string::npos) {
        return {"/bin/bash", program};
    }
    return {"/bin/bash", line.substr(option, line.find_last_not_of(blank) + 1 - option), program};
}

bool has_hooks_around(const std::vector<std::string>& hooks, std::string verb) {
    std::replace(verb.begin(), verb.end(), '-', '_');
    return std::any_of(hooks.begin(), hooks.end(), [&](const std::string& name) {
        return name.starts_with(str("pre_", verb, "_")) ||
               name.starts_with(str("post_", verb, "_"));
    });
}

}  // namespace

PlainLines::~PlainLines() {
    if (!rest_.empty() && target_) {
        target_(plain_output(rest_));
    }
}

TextSink PlainLines::sink() {
    if (!target_) {
        return {};
    }
    return [this](std::string_view chunk) {
        rest_ += chunk;
        const auto end = rest_.rfind('\n');
        constexpr std::size_t longest_line = 64 * 1024;
        const std::size_t whole = end != std::string::npos      ? end + 1
                                  : rest_.size() > longest_line ? rest_.size()
                                                                : 0;
        if (whole > 0) {
            target_(plain_output(std::string_view(rest_).substr(0, whole)));
            rest_.erase(0, whole);
        }
    };
}

GearCommand CartridgeRunner::make_command(const GearRecord& record, const std::string& cartridge,
                                          Purpose purpose) const {
    const GearFiles files = node_.files(record);
    GearCommand command;
    command.purpose = purpose;
    Environment environment = make_environment(files, record, node_.settings, cartridge);
    if (purpose == Purpose::build && node_.settings.mirror.enabled) {
        environment.merge(mirror_environment(record, node_.profiles.egress(record), node_.settings));
    }
    command.environment = to_pairs(environment);
    command.directory = node_.home(record) + (cartridge.empty() ? "" : "/" + cartridge);
    command.deadline =
        std::min(std::chrono::seconds(node_.settings.node.script_timeout_seconds), node_.script_limit);
    return command;
}

ScriptMessages CartridgeRunner::finish(const GearResult& result, const std::string& what) const {
    ScriptMessages messages;
    parse_script_output(result.out, messages);
    if (result.status != 0) {
        const std::string text = failure_text(messages, result.out, result.err);
        // Whoever says CLIENT_ERROR holds its user's wish for wrong.
        throw ScriptError(
            result.status, messages.blames_user ? ErrorKind::invalid : ErrorKind::unavailable,
            str(what, " ended with status ", result.status, text.empty() ? "" : ": ", text));
    }
    return messages;
}

ScriptMessages CartridgeRunner::run_script(const GearRecord& record,
                                           const RecordedCartridge& cartridge,
                                           const std::string& script,
                                           const std::vector<std::string>& words,
                                           std::chrono::seconds most) const {
    const std::string path = str(cartridge.name, "/bin/", script);
    if (!node_.files(record).exists(path)) {
        return {};
    }
    // What they make or fetch is there before any service is, in the cartridge's own directory, too. Only a database's
    // server, which its install starts to fill it, works on files of its own.
    const bool makes_files = script == "setup" || script == "upgrade" || (script == "install" && !cartridge.database);
    const Purpose purpose = makes_files ? Purpose::build : purpose_of(cartridge, script);
    GearCommand command = make_command(record, cartridge.name, purpose);
    command.argv = script_argv(node_.files(record), path, node_.home(record));
    if (!words.empty()) {
        command.argv.insert(command.argv.end(), words.begin(), words.end());
    } else if (script != "teardown") {
        command.argv.insert(command.argv.end(), {"--version", cartridge.version});
    }
    command.name = str("'", script, "' of ", cartridge.full_name);
    command.deadline = std::min(command.deadline, most);
    try {
        return finish(node_.launcher.run(record, command), command.name);
    } catch (const ScriptError& error) {
        constexpr int first_of_script = 100;
        throw ScriptError(error.status() < first_of_script ? script_failure : error.status(), error.kind(), error.text());
    }
}

std::string CartridgeRunner::run_hook(const GearRecord& record, const RecordedCartridge& cartridge, const std::string& name,
                                      ScriptMessages& said, const std::vector<std::string>& more) const {
    const std::string path = str(cartridge.name, "/hooks/", name);
    GearCommand command = make_command(record, cartridge.name, purpose_of(cartridge, name));
    command.name = str("the hook '", name, "' of ", cartridge.full_name);
    if (!node_.files(record).exists(path)) {
        constexpr int no_such_hook = 127;
        throw ScriptError(no_such_hook, ErrorKind::unavailable, command.name + " is not there");
    }
    command.argv = script_argv(node_.files(record), path, node_.home(record));
    command.argv.insert(command.argv.end(), {record.spec.application_name.text(), record.spec.domain.text(), record.spec.id.text()});
    command.argv.insert(command.argv.end(), more.begin(), more.end());
    const GearResult result = node_.launcher.run(record, command);
    // The rest of the protocol is not spoken there: it would be what is published.
    const ScriptMessages all = finish(result, command.name);
    append(said, {all.results, all.messages, {}, all.debug, {}, {}, {}, false});
    return payload_of(result.out);
}

bool CartridgeRunner::has_step(const GearRecord& record, const RecordedCartridge& cartridge, const std::string& verb) const {
    const auto& verbs = cartridge.deployment_verbs;
    return !verbs || std::find(verbs->begin(), verbs->end(), verb) != verbs->end() ||
           has_hooks_around(node_.files(record).list(action_hooks), verb);
}

ScriptMessages CartridgeRunner::control(const GearRecord& record,
                                        const RecordedCartridge& cartridge, const std::string& verb,
                                        const TextSink& output) const {
    const std::string path = cartridge.name + "/bin/control";
    if (!node_.files(record).exists(path)) {
        return {};
    }
    const std::string home = node_.home(record);
    const GearFiles files = node_.files(record);
    PlainLines lines(output);
    GearCommand command = make_command(record, cartridge.name, purpose_of(cartridge, verb));
    if (has_hooks_around(files.list(action_hooks), verb)) {
        command.argv = {"/bin/bash",
                        "-c",
                        control_program,
                        "control",
                        str(home, "/", path),
                        verb,
                        str(home, "/", action_hooks),
                        cartridge.name,
                        str(cartridge.name, "-", cartridge.version)};
    } else {
        command.argv = script_argv(files, path, home);
        command.argv.push_back(verb);
    }
    command.output = lines.sink();
    command.name = str("'control ", verb, "' of ", cartridge.full_name);
    return finish(node_.launcher.run(record, command), command.name);
}

void CartridgeRunner::run_action_hook(const GearRecord& record, const std::string& name,
                                      const TextSink& output, const std::vector<std::string>& words) const {
    const std::string path = str(action_hooks, "/", name);
    if (!node_.files(record).exists(path)) {
        return;
    }
    GearCommand command = make_command(record, "", purpose_of(name));
    command.argv = {
        "/bin/bash", "-c", action_hook_program,
        str(node_.home(record), "/", path), name};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.output = output;
    command.name = str("action hook '", name, "'");
    finish(node_.launcher.run(record, command), command.name);
}

GearResult CartridgeRunner::run(const GearRecord& record, Purpose purpose,
                                const std::vector<std::string>& argv, const TextSink& output,
                                const std::string& input) const {
    GearCommand command = make_command(record, "", purpose);
    command.argv = argv;
    command.output = output;
    command.input = input;
    return node_.launcher.run(record, command);
}

std::string CartridgeRunner::run_checked(const GearRecord& record, Purpose purpose,
                                         const std::vector<std::string>& argv,
                                         const TextSink& output, const std::string& input) const {
    GearResult result = run(record, purpose, argv, output, input);
    // A program of bash's is known by its name (bash(1), -c).
    const bool is_program = argv.size() > 3 && argv[1] == "-c";
    finish(result, str("'", is_program ? argv[3] : argv.front(), "'"));
    return std::move(result.out);
}

void CartridgeRunner::start_secondaries(const GearRecord& record, const TextSink& output) const {
    for (std::size_t i = 1; i < record.cartridges.size(); ++i) {
        control(record, record.cartridges[i], "start", output);
    }
}

ScriptMessages CartridgeRunner::start_all(const GearRecord& record, const TextSink& output) const {
    run_action_hook(record, "pre_start", output);
    start_secondaries(record, output);
    ScriptMessages messages;
    if (!record.cartridges.empty()) {
        messages = control(record, record.cartridges.front(), "start", output);
    }
    run_action_hook(record, "post_start", output);
    return messages;
}

void CartridgeRunner::stop_all(const GearRecord& record, bool keep_going,
                               const TextSink& output) const {
    std::vector<const RecordedCartridge*> order;
    for (const RecordedCartridge& cartridge : record.cartridges) {
        order.push_back(&cartridge);
    }
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->name < b->name; });
    const auto attempt = [&](const auto& body) {
        try {
            body();
        } catch (const ScriptError& error) {
            if (!keep_going) {
                throw;
            }
            log::warning("while stopping: ", error.text(),
                         log::field("gear", record.spec.id.text()));
        }
    };
    attempt([&] { run_action_hook(record, "pre_stop", output); });
    for (const RecordedCartridge* cartridge : order) {
        attempt([&] { control(record, *cartridge, "stop", output); });
    }
    attempt([&] { run_action_hook(record, "post_stop", output); });
}

void CartridgeRunner::control_each(const GearRecord& record, const std::string& verb) const {
    for (std::size_t i = 1; i < record.cartridges.size(); ++i) {
        control(record, record.cartridges[i], verb);
    }
    if (!record.cartridges.empty()) {
        control(record, record.cartridges.front(), verb);
    }
}

void CartridgeRunner::tidy(const GearRecord& record, const std::string& repository) const {
    run(record, Purpose::build, {"/usr/bin/find", "/tmp", "/var/tmp", "-mindepth", "1", "-delete"});
    for (const RecordedCartridge& cartridge : record.cartridges) {
        try {
            control(record, cartridge, "tidy");
        } catch (const ScriptError& error) {
            log::warning("while tidying: ", error.text(),
                         log::field("gear", record.spec.id.text()));
        }
    }
    run(record, Purpose::git,
        {"/usr/bin/git", "--git-dir", repository, "gc", "--quiet", "--prune=now"});
}

}  // namespace gearbox
