// Trees of a deployment's files.
#pragma once
#include "gear-deploy/sha1.h"

#include <string>

namespace gearbox {

/// Removes what is in the directory, not the directory: it keeps its identity. False if something stays, as it may where
/// directories lie in each other more deeply than this can open them at once.
bool empty_directory(const std::string& path);

/// Copies what is at a path to one where nothing is, with modes and times, and adds names, modes and contents to the
/// sum, directories in the order of their names; the first name is the one that is given. Blocks are shared where the
/// file system can; links stay links, and several names of one file in it stay that. "" to copy to nowhere. Throws SysError.
void copy_tree(const std::string& name, const std::string& from, const std::string& to, Sha1& sum);

}  // namespace gearbox
