// What a stage is. THE list of stages is in stage_table.cpp.
#pragma once
#include "package_cache.h"
#include "plan.h"
#include "tools.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Where the things are that a stage works on. Their contents are part of its id, their places not.
struct StageContext {
    const Json& options;
    const std::map<std::string, std::filesystem::path>& sources;  ///< role → file or folder
    std::filesystem::path cache;  ///< for the space check, and the packages in it
    std::filesystem::path tree;  ///< layer: to change; artifact: to read
    std::filesystem::path out;   ///< artifact: the folder for its files
    std::map<std::string, std::filesystem::path> artifacts;  ///< stage → its folder
    Tools& tools;
    /// Part done (0 to 1; below 0: unknown) and what is being done.
    std::function<void(double, const std::string&)> progress;
    std::string id;  ///< of this step: what must be unique to its result is made of it
    PackageRequest packages{};
    std::filesystem::path base{};  ///< the tree of the stage's `base`, to read
    std::string base_id{};         ///< of that stage
    bool fresh = false;            ///< nothing that an earlier build made may be used
};

/// What the stage 'root-tree' says about its packages: a file beside its layer in the store, an
/// ArchiveState as JSON.
inline constexpr const char* archive_state_file = "archive.json";

/// A row of the stage table. `options` is pure: everything from the recipe and the facts that the
/// result depends on, or nothing if this build does not need the stage. `run` uses only its
/// context.
struct Stage {
    const char* name;
    int version;  ///< goes into the id: raise it when `run` makes something else of the same
                  ///< options
    StageKind kind;
    const char* summary;
    std::vector<std::string> after;   ///< what it is mainly made of first; empty for a layer: the
                                      ///< layer before
    std::vector<std::string> inputs;  ///< roles
    std::optional<Json> (*options)(const Recipe&, const Facts&);
    std::function<void(StageContext&)> run;
    const char* hint;  ///< what to do when it fails
    const char* base = "";  ///< a layer further down, for stages that work on what came after it
};

const std::vector<Stage>& stage_table();

}  // namespace gearbox::builder
