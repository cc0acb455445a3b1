// The platform's commands that are typed inside of a gear, in an ssh session: `gear deploy`,
// `ctl_all stop`, `snapshot` … (cartridge contract, 13 and 18). Bytes of archives never come here:
// programs in the gear read and write them, between a "begin" and an "end" that they ask for.
#pragma once
#include "base/keyed_mutex.h"
#include "node/local_agent.h"
#include "node/managed_files.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

using Words = std::vector<std::string>;

class GearCommands {
public:
    GearCommands(LocalAgent& agent, KeyedMutex& locks, GearId gear)
        : agent_(agent), locks_(locks), gear_(std::move(gear)) {}
    /// What was begun and never ended is put right: the application runs again if it ran before.
    ~GearCommands();
    GearCommands(const GearCommands&) = delete;
    GearCommands& operator=(const GearCommands&) = delete;

    struct Sinks {
        TextSink text;  ///< the answer
        TextSink note;  ///< what goes beside it, as on standard error
    };
    /// The exit status. Takes the application's lock for as long as it works, or, from a begin to
    /// its end; EX_TEMPFAIL when somebody else has it for longer than broker.lock_wait_seconds. Throws
    /// Error for the user to read.
    int run(const Words& words, const Sinks& sinks);

private:
    struct Verb;
    static const std::vector<Verb>& verbs();

    int start(const Words& words, const Sinks& sinks);
    int stop(const Words& words, const Sinks& sinks);
    int restart(const Words& words, const Sinks& sinks);
    int reload(const Words& words, const Sinks& sinks);
    int status(const Words& words, const Sinks& sinks);
    int deploy(const Words& words, const Sinks& sinks);
    int activate(const Words& words, const Sinks& sinks);
    int deployments(const Words& words, const Sinks& sinks);
    int ports(const Words& words, const Sinks& sinks);
    int snapshot_exclusions(const Words& words, const Sinks& sinks);
    int restore_transforms(const Words& words, const Sinks& sinks);
    int snapshot_begin(const Words& words, const Sinks& sinks);
    int snapshot_end(const Words& words, const Sinks& sinks);
    int archive_place(const Words& words, const Sinks& sinks);
    int restore_begin(const Words& words, const Sinks& sinks);
    int restore_end(const Words& words, const Sinks& sinks);
    int binary_begin(const Words& words, const Sinks& sinks);
    int binary_end(const Words& words, const Sinks& sinks);

    void say_managed(std::vector<std::string> ManagedFiles::* rows, const std::string& before, const TextSink& text) const;

    enum class Begun { nothing, snapshot, restore, binary };
    void begin(Begun what, const char* verb, const Sinks& sinks);
    void check_begun(Begun what) const;
    void start_again(GearRecord& record, const TextSink& output);
    void end_snapshot(GearRecord& record, const TextSink& output);
    bool control_one(const Words& words, const char* verb, const Sinks& sinks);
    GearRecord record() const { return agent_.context().store.gear(gear_); }

    LocalAgent& agent_;
    KeyedMutex& locks_;
    GearId gear_;
    Begun begun_ = Begun::nothing;
    bool was_started_ = false;
    PendingDeployment pending_;
    std::vector<std::string> places_;  ///< of archives, below the gear's home
    std::optional<KeyedMutex::Lock> lock_;
};

/// Options and other words of `gear deploy` and `oo-binary-deploy`. Throws Error(invalid).
DeployRequest parse_deploy_words(const Words& words);

}  // namespace gearbox
