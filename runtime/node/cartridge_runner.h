// Cartridges in a gear: adds and removes them, runs their scripts and the user's action hooks
// (cartridge contract, 3 and 6).
#pragma once
#include "model/cartridge.h"
#include "model/events.h"
#include "node/context.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace gearbox {

class CartridgeRunner {
public:
    explicit CartridgeRunner(const NodeContext& node) : node_(node) {}

    /// The whole of 3.1; saves the record. On failure the gear is as before.
    ScriptMessages add(GearRecord& record, const Cartridge& cartridge) const;
    /// Brings it to the packaging of that cartridge (contract 3.5); saves the record. before: as the gear
    /// has it; on failure its files go back, and it is started again if it ran. Throws ScriptError, Error.
    void upgrade(GearRecord& record, const Cartridge& cartridge, const Cartridge& before) const;
    /// The version of its packaging that the gear has.
    std::string packaging(const GearRecord& record, const RecordedCartridge& cartridge) const;
    /// Stop and teardown (failures are only told), then everything of it goes; what it leaves running ends with the
    /// gear, which is started again. Unknown is fine.
    void remove(GearRecord& record, const std::string& name) const;
    /// What cartridges want to do before the gear goes: teardown, within half a minute for all. A gear of which nothing runs is
    /// started for them, if they have any. Failures are only told.
    void destroy_scripts(GearRecord& record) const;

    /// bin/control VERB with the hooks around it. A cartridge without control is fine.
    ScriptMessages control(const GearRecord& record, const RecordedCartridge& cartridge,
                           const std::string& verb, const TextSink& output = {}) const;
    /// Whether `control` has anything to do at that step of a deployment, by the manifest's Deployment-Verbs.
    bool has_step(const GearRecord& record, const RecordedCartridge& cartridge, const std::string& verb) const;
    /// Those of managed_files.yml, with the links to them. What is there stays.
    void make_dependency_directories(const GearRecord& record, const RecordedCartridge& cartridge) const;
    /// bin/SCRIPT --version V, if there is one; or with these words instead.
    ScriptMessages run_script(const GearRecord& record, const RecordedCartridge& cartridge,
                              const std::string& script, const std::vector<std::string>& words = {},
                              std::chrono::seconds most = std::chrono::seconds::max()) const;
    /// The application's own hook of this name, with these words, if there is one. Throws ScriptError.
    void run_action_hook(const GearRecord& record, const std::string& name,
                         const TextSink& output, const std::vector<std::string>& words = {}) const;

    /// Every cartridge, the primary last; with the hooks pre_start and post_start. The sandbox must
    /// run.
    ScriptMessages start_all(const GearRecord& record, const TextSink& output = {}) const;
    void start_secondaries(const GearRecord& record, const TextSink& output) const;
    /// In directory order. keep_going: failures are only told.
    void stop_all(const GearRecord& record, bool keep_going, const TextSink& output = {}) const;

    /// One verb for every cartridge, the primary last.
    void control_each(const GearRecord& record, const std::string& verb) const;
    /// Empties /tmp, runs every cartridge's tidy and git's garbage collection. The services are
    /// stopped.
    void tidy(const GearRecord& record, const std::string& repository) const;

    /// A program in the gear with the environment of a session.
    GearResult run(const GearRecord& record, Purpose purpose, const std::vector<std::string>& argv,
                   const TextSink& output = {}, const std::string& input = {}) const;
    /// The same; a non-zero exit is a ScriptError.
    std::string run_checked(const GearRecord& record, Purpose purpose,
                            const std::vector<std::string>& argv, const TextSink& output = {},
                            const std::string& input = {}) const;

private:
    CartridgeLabels labels_of(const GearRecord& record, const Cartridge& cartridge) const;
    std::string shared_usr_of(const Cartridge& cartridge) const;
    /// Makes the directory of that name out of the cartridge's files.
    void copy_files(const GearRecord& record, const Cartridge& cartridge, const std::string& name) const;
    void overlay(const GearRecord& record, const RecordedCartridge& next, const Cartridge& cartridge) const;
    void install(GearRecord& record, const RecordedCartridge& cartridge,
                 ScriptMessages& messages) const;
    /// Throws ScriptError when env/ has variables of the gear, PATH and LD_LIBRARY_PATH excepted (contract 3.1).
    void check_variables(const GearRecord& record, const RecordedCartridge& cartridge) const;
    void write_endpoint_variables(const GearRecord& record,
                                  const RecordedCartridge& cartridge) const;
    /// hooks/NAME with the gear's name, domain and id, and more words; what it prints, but for its user: that goes to said.
    /// Throws ScriptError, with 127 if there is none (contract 7).
    std::string run_hook(const GearRecord& record, const RecordedCartridge& cartridge, const std::string& name,
                         ScriptMessages& said, const std::vector<std::string>& more = {}) const;
    /// Keeps what the gear does not have by other ways.
    void publish(const GearRecord& record, const RecordedCartridge& publisher,
                 const std::map<std::string, std::string>& variables) const;
    /// Gives what it publishes to others of the gear, and to it what they publish (contract 8). Throws Error for what is
    /// required.
    void connect(const GearRecord& record, const std::string& name, ScriptMessages& said) const;
    void discard(const GearRecord& record, const RecordedCartridge& cartridge) const;
    /// Paths of what was not there before.
    std::vector<std::string> unlock(const GearRecord& record, const RecordedCartridge& cartridge) const;
    void lock(const GearRecord& record, const RecordedCartridge& cartridge) const;
    /// Templates that cannot be filled in stay as they are, with a message.
    void render_environment(const GearRecord& record, const RecordedCartridge& cartridge, ScriptMessages& messages) const;
    void render_templates(const GearRecord& record, const RecordedCartridge& cartridge, ScriptMessages& messages) const;
    ScriptMessages finish(const GearResult& result, const std::string& what) const;
    GearCommand make_command(const GearRecord& record, const std::string& cartridge,
                             Purpose purpose) const;

    const NodeContext& node_;
};

/// Passes whole lines on, without the prefixes of the script protocol.
class PlainLines {
public:
    explicit PlainLines(TextSink target) : target_(std::move(target)) {}
    ~PlainLines();
    PlainLines(const PlainLines&) = delete;
    PlainLines& operator=(const PlainLines&) = delete;
    TextSink sink();

private:
    TextSink target_;
    std::string rest_;
};

}  // namespace gearbox
