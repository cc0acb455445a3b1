// Cartridges that the operator has added to those of the packages. Below the directory:
//
//   NAME/VERSION/…   vendor and name, and the version of its packaging
//   NAME/active      → VERSION: what is offered; nothing is without it
//   .new-…/          being brought in; swept at the next start
#pragma once
#include "cartridge/check.h"
#include "node/agent.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// Not thread-safe: one caller at a time. All throw Error.
class ImportedCartridges {
public:
    /// Makes the directory, removes what an import has left behind.
    explicit ImportedCartridges(std::filesystem::path directory);

    /// An empty directory for root to put the files into.
    std::filesystem::path make_staging() const;
    /// Takes what is in a directory of make_staging() and offers it, in the place of an older or equal version; what
    /// is wrong with it is thrown as Error(invalid), the directory is gone either way.
    cartridge::Report accept(const std::filesystem::path& staging) const;
    /// Offers its newest version, or none.
    void activate(const std::string& name, bool active) const;
    void remove(const std::string& name) const;
    std::vector<ImportedCartridge> list() const;
    /// The directory of a version, offered or not.
    std::optional<std::filesystem::path> find(const std::string& name, const std::string& version) const;
    /// Directories of what is offered.
    std::vector<std::filesystem::path> offered() const;
    /// Of every version, offered or not; of one cartridge the newest first.
    std::vector<std::filesystem::path> newest_first() const;

private:
    std::filesystem::path place_of(const std::string& name) const;

    std::filesystem::path directory_;
};

}  // namespace gearbox
