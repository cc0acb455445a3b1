// Bare repositories, made by libgit2. Only for directories that no gear can touch yet: what a gear
// has written is read by git inside the gear.
#pragma once
#include <string>

namespace gearbox::sys {

/// libgit2's global state; one object in main().
class GitLibrary {
public:
    GitLibrary();
    GitLibrary(const GitLibrary&) = delete;
    GitLibrary& operator=(const GitLibrary&) = delete;
    ~GitLibrary();
};

/// Makes a bare repository at path. With a template directory its branch gets one first commit that
/// is the same for the same files; an empty name leaves the repository empty.
void create_repository(const std::string& path, const std::string& template_dir,
                       const std::string& branch);

}  // namespace gearbox::sys
