// The build as data: which stages, with which options and inputs, under which content id.
#pragma once
#include "recipe.h"

#include "base/json.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct Stage;

using gearbox::to_text;  // of JSON; ours below would hide it

/// What a plan depends on besides the recipe. Collected by collect_facts (host.h); tests write them
/// down.
struct Facts {
    std::map<std::string, std::string> inputs;   ///< role → SHA-256 of the file or folder
    std::map<std::string, std::string> mirrors;  ///< repository name → URL
    bool has_deb = false;
    std::string version;                      ///< of the .deb, else of the builder
    std::vector<std::string> deb_depends;     ///< packages that the .deb needs
    std::vector<std::string> formats{"iso"};  ///< to deliver: names of the format table
    std::set<std::string> given{};            ///< stages whose results are brought along: the host needs nothing for them
};

enum class StageKind {
    check,     ///< changes nothing, always runs
    layer,     ///< changes the tree; what it changed is kept as one overlay layer
    artifact,  ///< makes files from the tree and from other artifacts
};

struct StageStep {
    std::string stage;
    StageKind kind = StageKind::check;
    std::string summary;
    Json options;
    std::map<std::string, std::string> inputs;  ///< role → SHA-256
    std::vector<std::string> after;             ///< steps it reads the results of
    /// Hash of all of the above, of the stage's version, and of the ids of `after`: equal ids
    /// mean equal results.
    std::string id;
};

struct BuildPlan {
    std::string recipe;
    std::vector<StageStep> steps;
    std::vector<std::string> formats;  ///< to deliver

    /// Throws Error(not_found).
    const StageStep& step(const std::string& stage) const;
};

/// Pure. Has every layer, and the artifacts that the formats need. Throws Error(invalid) when a
/// fact that the recipe needs is missing.
BuildPlan make_plan(const Recipe& recipe, const Facts& facts, const std::vector<Stage>& stages);

Json to_json(const BuildPlan& plan);

/// For people: one block a stage.
std::string to_text(const BuildPlan& plan);

}  // namespace gearbox::builder
