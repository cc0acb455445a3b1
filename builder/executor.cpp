#include "executor.h"

#include "formats.h"
#include "hash.h"
#include "interrupt.h"
#include "layers.h"
#include "manifest.h"
#include "new_file.h"
#include "sparse.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <chrono>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::map<std::string, StepAction> plan_actions(const BuildPlan& plan,
                                               const std::vector<std::string>& targets,
                                               const std::function<bool(const std::string&)>& has) {
    std::map<std::string, bool> usable;
    for (const StageStep& step : plan.steps) {
        bool good = step.kind != StageKind::check && has(step.id);
        for (const std::string& parent : step.after) {
            // An artifact is whole in itself; a layer is nothing without those below.
            good = good && (step.kind == StageKind::artifact || usable.at(parent));
        }
        usable[step.stage] = good;
    }
    std::map<std::string, StepAction> actions;
    std::map<std::string, bool> wanted;
    for (const std::string& target : targets) {
        wanted[target] = true;
    }
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
        if (step->kind == StageKind::check) {
            actions[step->stage] = StepAction::run;
            continue;
        }
        if (!wanted[step->stage]) {
            actions[step->stage] = usable[step->stage] ? StepAction::reuse : StepAction::skip;
            continue;
        }
        actions[step->stage] = usable[step->stage] ? StepAction::reuse : StepAction::run;
        for (const std::string& parent : step->after) {
            wanted[parent] = wanted[parent] || actions[step->stage] == StepAction::run;
        }
    }
    return actions;
}

Executor::Executor(const BuildPlan& plan, const std::vector<Stage>& stages,
                   const BuildRequest& request, Store& store, Tools& tools, BuildLog& log,
                   Monitor& monitor)
    : plan_(plan),
      stages_(stages),
      request_(request),
      store_(store),
      tools_(tools),
      log_(log),
      monitor_(monitor) {}

const Stage& Executor::stage_of(const StageStep& step) const {
    return *std::find_if(stages_.begin(), stages_.end(),
                         [&step](const Stage& stage) { return step.stage == stage.name; });
}

std::vector<std::string> Executor::targets() const {
    if (!request_.until.empty()) {
        return {request_.until};
    }
    std::vector<std::string> stages;
    for (const std::string& format : plan_.formats) {
        stages.emplace_back(find_format(format).stage);
    }
    return stages;
}

bool Executor::run() {
    const auto start = std::chrono::steady_clock::now();
    bool forget = false;
    for (const StageStep& step : plan_.steps) {
        forget = forget || step.stage == request_.fresh || has_other_packages(step);
        forgotten_[step.id] = forget;
    }
    actions_ = plan_actions(
        plan_, targets(), [&](const std::string& id) { return !forgotten_[id] && store_.has(id); });
    std::vector<std::string> shown;
    for (const StageStep& step : plan_.steps) {
        if (actions_.at(step.stage) != StepAction::skip) {
            shown.push_back(step.stage);
        }
    }
    monitor_.plan(shown);
    for (const StageStep& step : plan_.steps) {
        if (actions_.at(step.stage) == StepAction::skip) {
            continue;
        }
        log_.begin(str(step.stage, " ", step.id));
        try {
            actions_.at(step.stage) == StepAction::run ? run_step(step) : reuse_step(step);
        } catch (const Interrupted&) {
            store_.discard(store_.pending(step.id));
            throw;
        } catch (const std::exception& error) {
            const fs::path left = store_.pending(step.id);
            const bool kept = request_.keep_failed && fs::exists(left);
            monitor_.failed({step.stage, step.id, error.what(), stage_of(step).hint,
                             log_.path().string(), log_.tail(), kept ? left.string() : ""});
            if (!kept) {
                store_.discard(left);
            } else if (step.kind == StageKind::layer && request_.look_at_failed) {
                look_at_failed(step, left);
            }
            return false;
        }
    }
    finish(start);
    return true;
}

void Executor::reuse_step(const StageStep& step) {
    monitor_.cached(step);
    Json about = store_.about(step.id);
    about["cached"] = true;
    report_.push_back(std::move(about));
}

void Executor::run_step(const StageStep& step) {
    monitor_.begin(step);
    const auto start = std::chrono::steady_clock::now();
    StageContext context = make_context(step);
    Json about{{"stage", step.stage}, {"id", step.id}, {"cached", false}};
    std::uintmax_t bytes = 0;
    if (step.kind == StageKind::check) {
        stage_of(step).run(context);
        about["seconds"] = seconds_since(start);
    } else {
        const fs::path pending = store_.create_pending(step.id);
        const bool is_layer = step.kind == StageKind::layer;
        const fs::path made = pending / (is_layer ? "layer" : "files");
        fs::create_directory(made);
        context.out = made;
        is_layer ? run_layer(step, context) : run_artifact(step, context);
        throw_if_interrupted();
        bytes = bytes_on_disk(made);
        about["bytes"] = bytes;
        about["seconds"] = seconds_since(start);
        store_.commit(pending, step.id, about);
    }
    monitor_.done(step, seconds_since(start), bytes);
    report_.push_back(std::move(about));
}

StageContext Executor::make_context(const StageStep& step) {
    StageContext context{step.options,
                         request_.sources,
                         request_.cache,
                         {},
                         {},
                         {},
                         tools_,
                         [this](double fraction, const std::string& detail) {
                             throw_if_interrupted();
                             monitor_.progress(fraction, detail);
                         },
                         step.id,
                         {}};
    context.fresh = forgotten_.at(step.id);
    context.packages.offline = request_.offline;
    context.packages.mirror = request_.lock_mirror;
    if (request_.lock) {
        context.packages.locked = request_.lock->state;
    }
    for (const std::string& parent : step.after) {
        const StageStep& made = plan_.step(parent);
        if (made.kind == StageKind::artifact) {
            context.artifacts[parent] = store_.files(made.id);
        }
    }
    return context;
}

// Bottom first: every layer up to the highest one that is among these stages.
std::vector<fs::path> Executor::layers_up_to(const std::vector<std::string>& stages) const {
    std::vector<fs::path> layers;
    std::size_t needed = 0;
    for (const StageStep& other : plan_.steps) {
        if (other.kind != StageKind::layer) {
            continue;
        }
        layers.push_back(store_.layer(other.id));
        if (std::find(stages.begin(), stages.end(), other.stage) != stages.end()) {
            needed = layers.size();
        }
    }
    layers.resize(needed);
    return layers;
}

void Executor::run_on_base(const StageStep& step, StageContext& context) {
    const Stage& stage = stage_of(step);
    std::optional<LayerMount> base;
    if (*stage.base != '\0') {
        context.base = context.out.parent_path() / "base";
        context.base_id = plan_.step(stage.base).id;
        base.emplace(layers_up_to({stage.base}), fs::path(), fs::path(), context.base);
    }
    stage.run(context);
}

void Executor::run_layer(const StageStep& step, StageContext& context) {
    const auto lowers = layers_up_to(step.after);
    if (lowers.empty()) {
        context.tree = context.out;
        stage_of(step).run(context);
        return;
    }
    const fs::path folder = context.out.parent_path();
    fs::create_directory(folder / "work");
    context.tree = folder / "tree";
    {
        const LayerMount mount(lowers, context.out, folder / "work", context.tree);
        run_on_base(step, context);
    }
    fs::remove_all(folder / "work");
}

// Mounted again: what the stage had mounted besides is gone, and the work folder of a volatile
// mount serves only once.
void Executor::look_at_failed(const StageStep& step, const fs::path& left) const {
    const auto lowers = layers_up_to(step.after);
    if (lowers.empty()) {
        request_.look_at_failed(left / "layer");
        return;
    }
    fs::remove_all(left / "work");
    fs::create_directory(left / "work");
    {
        const LayerMount mount(lowers, left / "layer", left / "work", left / "tree");
        request_.look_at_failed(left / "tree");
    }
    fs::remove_all(left / "work");
}

void Executor::run_artifact(const StageStep& step, StageContext& context) {
    const auto lowers = layers_up_to(step.after);
    if (lowers.empty()) {
        stage_of(step).run(context);
        return;
    }
    context.tree = context.out.parent_path() / "tree";
    const LayerMount mount(lowers, {}, {}, context.tree);
    run_on_base(step, context);
}

BuiltImage Executor::deliver(const std::string& format, const fs::path& to) const {
    const Format& row = find_format(format);
    const fs::path image = store_.files(plan_.step(row.stage).id) / row.file;
    // Never a half-written image under the name that somebody waits for, nor under another one.
    NewFile copy(to);
    copy_sparse_at(image, copy.path(), 0);
    fs::resize_file(copy.path(), fs::file_size(image));
    const std::string hash = hash_file(copy.path());
    if (request_.lock && request_.lock->images.contains(format) &&
        request_.lock->images.at(format) != hash) {
        const std::string tools = describe_tool_differences(
            *request_.lock, host_tool_versions(needed_stages({format}, stages_)));
        fail(ErrorKind::conflict, "the ", format,
             " has other bytes than that of the lock: SHA-256 ", hash, " instead of ",
             request_.lock->images.at(format),
             tools.empty() ? "" : "\ntools of this host that are others:" + tools);
    }
    copy.keep();
    return {format, to.string(), hash, fs::file_size(to)};
}

// Ids do not tell versions of packages, a lock does.
bool Executor::has_other_packages(const StageStep& step) const {
    if (!request_.lock || request_.given || step.stage != "root-tree") {
        return false;
    }
    const auto text = store_.beside(step.id, archive_state_file);
    return !text || !(parse_archive_state(parse_json(*text)) == request_.lock->state);
}

void Executor::write_lock(const BuildResult& result) const {
    const auto tree = std::find_if(plan_.steps.begin(), plan_.steps.end(),
                                   [](const StageStep& step) { return step.stage == "root-tree"; });
    if (request_.lock_file.empty() || result.images.empty() || tree == plan_.steps.end()) {
        return;
    }
    const auto state = store_.beside(tree->id, archive_state_file);
    if (!state) {
        return;  // all images were in the cache, the tree that they are made of is not
    }
    LockFile lock{GEARBOX_VERSION,
                  request_.mirrors,
                  to_json(plan_).at("stages"),
                  parse_archive_state(parse_json(*state)),
                  host_tool_versions(needed_stages(plan_.formats, stages_)),
                  {}};
    for (const BuiltImage& image : result.images) {
        lock.images[image.format] = image.sha256;
    }
    write_file_atomically(request_.lock_file, to_json(lock).dump(1) + "\n");
}

void Executor::remove_unused_packages() const {
    std::vector<ArchiveState> used;
    for (const std::string& text : store_.all_beside(archive_state_file)) {
        used.push_back(parse_archive_state(parse_json(text)));
    }
    PackageCache::remove_others(request_.cache / "packages", used);
}

void Executor::finish(std::chrono::steady_clock::time_point start) {
    BuildResult result;
    result.tree = root_tree_id(plan_);
    if (request_.until.empty()) {
        for (const std::string& format : plan_.formats) {
            if (const auto to = request_.outputs.find(format); to != request_.outputs.end()) {
                result.images.push_back(deliver(format, to->second));
            }
        }
        if (!request_.manifest.empty()) {
            write_manifest(plan_, result, store_.files(plan_.step("packages").id),
                           request_.manifest, request_.sums);
        }
    }
    std::vector<std::string> used;
    for (const StageStep& step : plan_.steps) {
        if (step.kind != StageKind::check) {
            used.push_back(step.id);
        }
    }
    write_lock(result);
    store_.wait_for_writes();
    result.seconds = seconds_since(start);
    store_.finish_build(used, request_.keep);
    remove_unused_packages();
    write_report(result);
    monitor_.finished(result);
}

void Executor::write_report(const BuildResult& result) const {
    if (request_.report.empty()) {
        return;
    }
    Json report = to_json(result);
    report["recipe"] = plan_.recipe;
    report["stages"] = report_;
    write_file_atomically(request_.report, report.dump(2) + "\n");
}

}  // namespace gearbox::builder
