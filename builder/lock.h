// The lock file of a build: everything that decided the bytes of its images, to get them again.
#pragma once
#include "archive_state.h"
#include "plan.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct LockFile {
    std::string builder;                         ///< its version
    std::map<std::string, std::string> mirrors;  ///< repository of the recipe → URI
    Json stages;                                 ///< "stages" of the plan: options, inputs, ids
    ArchiveState state;                          ///< all packages, with their hashes
    std::map<std::string, std::string> tools;    ///< packages of the build host → version
    std::map<std::string, std::string> images;   ///< format → SHA-256
};

Json to_json(const LockFile& lock);

/// Throws Error(invalid) with what is wrong with the file.
LockFile read_lock_file(const std::filesystem::path& path);

/// What keeps this plan from making the images of the lock, one sentence each: options and inputs
/// that are others. Empty if their ids are the same. Pure.
std::vector<std::string> find_plan_differences(const LockFile& lock, const BuildPlan& plan);

/// Tools that have another version, for the case that the bytes are others. Pure.
std::string describe_tool_differences(const LockFile& lock,
                                      const std::map<std::string, std::string>& tools);

/// The versions of what host_needs() names for these stages, as dpkg knows them.
std::map<std::string, std::string> host_tool_versions(const std::set<std::string>& stages);

}  // namespace gearbox::builder
