// Carries a plan out: reuses what the store has, runs the rest in order, keeps the results.
#pragma once
#include "build_log.h"
#include "lock.h"
#include "monitor.h"
#include "plan.h"
#include "stage.h"
#include "store.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace gearbox::builder {

struct BuildRequest {
    std::map<std::string, std::filesystem::path> sources;  ///< role → file or folder
    std::filesystem::path cache;
    std::map<std::string, std::filesystem::path> outputs;  ///< format → where it goes
    std::filesystem::path manifest;  ///< of the images; empty: none, and no checksums
    std::filesystem::path sums;      ///< checksums of all of them
    std::filesystem::path report;  ///< stages.json; empty: none
    std::filesystem::path log;     ///< for what the tools print
    std::string until;             ///< last stage; empty: all of them
    std::string fresh;             ///< do this stage and what follows again
    int keep = 2;                  ///< builds whose results stay in the cache
    bool keep_failed = false;      ///< what a failing stage made stays until the next build
    /// Told the tree that a failing stage worked on, which is mounted for so long; empty: nobody.
    std::function<void(const std::filesystem::path&)> look_at_failed;
    std::optional<LockFile> lock;  ///< to obey
    bool given = false;            ///< the store has what the images are made of, as the lock says, and no tree
    bool offline = false;          ///< packages from the cache alone
    std::string lock_mirror;       ///< where the lock's packages come from instead
    std::filesystem::path lock_file;             ///< to write; empty: none
    std::map<std::string, std::string> mirrors;  ///< to write down
};

/// What a step of the plan will do. Pure, so that it can be tested without running anything.
enum class StepAction {
    skip,   ///< nobody needs its result
    reuse,  ///< the store has it
    run,
};

/// A layer whose lower layers are made anew is made anew too: package lists move on.
std::map<std::string, StepAction> plan_actions(const BuildPlan& plan,
                                               const std::vector<std::string>& targets,
                                               const std::function<bool(const std::string&)>& has);

class Executor {
public:
    Executor(const BuildPlan& plan, const std::vector<Stage>& stages, const BuildRequest& request,
             Store& store, Tools& tools, BuildLog& log, Monitor& monitor);

    /// False if a stage failed; the monitor has been told then. Throws Interrupted.
    bool run();

private:
    void run_step(const StageStep& step);
    void reuse_step(const StageStep& step);
    void run_on_base(const StageStep& step, StageContext& context);
    void run_layer(const StageStep& step, StageContext& context);
    void run_artifact(const StageStep& step, StageContext& context);
    void look_at_failed(const StageStep& step, const std::filesystem::path& left) const;
    StageContext make_context(const StageStep& step);
    std::vector<std::filesystem::path> layers_up_to(const std::vector<std::string>& stages) const;
    const Stage& stage_of(const StageStep& step) const;
    std::vector<std::string> targets() const;
    BuiltImage deliver(const std::string& format, const std::filesystem::path& to) const;
    void finish(std::chrono::steady_clock::time_point start);
    bool has_other_packages(const StageStep& step) const;
    void write_lock(const BuildResult& result) const;
    void remove_unused_packages() const;
    void write_report(const BuildResult& result) const;

    const BuildPlan& plan_;
    const std::vector<Stage>& stages_;
    const BuildRequest& request_;
    Store& store_;
    Tools& tools_;
    BuildLog& log_;
    Monitor& monitor_;
    std::map<std::string, StepAction> actions_;
    std::map<std::string, bool> forgotten_;  ///< step → whether its earlier result does not count
    Json report_ = Json::array();
};

}  // namespace gearbox::builder
