// Where a person has a cartridge: a directory, an archive, a git repository, a manifest; here or at an address.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::cli {

/// What a source may be.
struct Sources {
    bool foreign_only = false;          ///< http, https and git addresses only, for what a user has named
    std::vector<std::string> prefixes;  ///< that these must begin with; empty: any
};

/// Puts the cartridge's files into the empty directory, metadata/ at its top. Addresses are http(s), git or ssh;
/// "#ref" names a branch or tag of a repository. An address may be what a person has in front of them: a manifest, an
/// archive, a repository, the page of a repository or of a directory in it, a listing of the files. sha256: 64 hex
/// digits that what is downloaded, or the archive, must have; "" for none. Throws Error with what could not be
/// fetched or unpacked.
void fetch_cartridge(const std::string& source, const std::string& sha256, const std::filesystem::path& directory,
                     const Sources& allowed = {});

/// A place in a repository that a page of a hosting site shows.
struct RepositoryPlace {
    std::string repository;  ///< what git clones; "" if the address is no such page
    std::string ref;
    std::string directory;  ///< in it, "" for its top
};
/// Pages of GitHub, GitLab, Gitea, Bitbucket and the like. Pure.
RepositoryPlace repository_place(const std::string& address);

/// The names in a listing of files that are below it: "bin/", "README.md". Pure.
std::vector<std::string> names_in_listing(const std::string& html, const std::string& address);

}  // namespace gearbox::cli
