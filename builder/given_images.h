// Images of an earlier build as the beginning of this one: what is made of a raw disk needs neither root nor a tree.
#pragma once
#include "plan.h"
#include "store.h"

#include <filesystem>
#include <set>
#include <string>

namespace gearbox::builder {

/// The stages that images stand for.
const std::set<std::string>& given_stages();

/// Copies the raw disk and the list of packages that an earlier build made into the store, as if this one had. `from`: a
/// folder of images, or the raw disk. Throws Error(not_found) if it has none, Error(conflict) if they were made of another
/// tree than this plan's, or are not what their manifest says.
void take_images(const std::filesystem::path& from, const BuildPlan& plan, Store& store);

}  // namespace gearbox::builder
