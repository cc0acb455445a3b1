// What the builder learns from its host: hashes of the recipe's files, the .deb, the mirror.
#pragma once
#include "mirror.h"
#include "plan.h"
#include "recipe.h"

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct HostOptions {
    std::filesystem::path deb;  ///< empty: none
    std::string mirror;         ///< empty: from the apt sources
    std::vector<AptSource> sources;
    std::map<std::string, std::string> mirrors{};  ///< of a lock file: repository → URI
};

/// Role → file or folder, of what the recipe names and what the command line gives.
std::map<std::string, std::filesystem::path> collect_sources(const Recipe& recipe,
                                                             const HostOptions& options);

/// Reads, and changes nothing. What is missing becomes a problem.
Facts collect_facts(const Recipe& recipe, const HostOptions& options, Problems& problems);

/// "a (>= 1), b | c, d:any" → a, b, d.
std::vector<std::string> parse_depends(const std::string& text);

/// One thing that a build host must have.
struct HostNeed {
    const char* what;
    const char* path;     ///< absolute, or a program looked up in PATH
    const char* package;  ///< Debian package that brings it
    const char* stage;    ///< only a build with this stage needs it; "": every build
};
const std::vector<HostNeed>& host_needs();

struct HostState {
    bool root = false;
    bool debian = false;
    bool amd64 = false;
    std::uintmax_t free_bytes = 0;
    std::set<std::string> stages;                 ///< of the build
    std::function<bool(const std::string&)> has;  ///< absolute path or program
};

/// Everything that would make a build fail later, with what to do; empty if all is well.
std::vector<std::string> find_host_problems(const HostState& state);

HostState host_state(const std::filesystem::path& cache);

/// Throws Error(unavailable) with all that keeps this host from making these formats. given: Facts::given.
void require_good_host(const std::filesystem::path& cache, const std::vector<std::string>& formats,
                       const std::set<std::string>& given);

}  // namespace gearbox::builder
