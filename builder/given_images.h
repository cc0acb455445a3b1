// Images of an earlier build as the beginning of this one: what is made of a raw disk needs neither root nor a tree.
#pragma once
#include "lock.h"
#include "plan.h"
#include "store.h"

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace gearbox::builder {

/// The stages that the images of `from` stand for; none if it is empty.
std::set<std::string> given_stages(const std::filesystem::path& from);

/// Copies the raw disk and the list of packages that an earlier build made into the store, as if this one had. `from`: a
/// folder of images, or the raw disk. Throws Error(not_found) if it has none, Error(conflict) if they were made of another
/// tree than this plan's, are not what their manifest says, or not those of the lock: ids do not tell versions of packages.
/// Throws Error(invalid) if a format of the plan is not made of a raw disk.
void take_images(const std::filesystem::path& from, const std::optional<LockFile>& lock, const BuildPlan& plan, Store& store);

}  // namespace gearbox::builder
