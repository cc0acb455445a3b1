// Results of stages by content id. Nothing half-made is ever visible under an id.
//
//   CACHE/lock               held by the one build that uses the cache
//   CACHE/objects/ID/        object.json (stage, seconds, bytes, made) and
//                            layer/ (what a layer stage changed) or files/ (an artifact's files)
//   CACHE/pending/           what is being made; emptied when a build starts
//   CACHE/builds/NUMBER      ids that a build used, newest last; the others are garbage
#pragma once
#include "plan.h"

#include "base/fd.h"

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

class Store {
public:
    /// Takes the lock and removes what an interrupted build left. Throws Error(conflict) if another
    /// build uses the cache.
    explicit Store(const std::filesystem::path& cache);

    bool has(const std::string& id) const;
    std::filesystem::path layer(const std::string& id) const;
    std::filesystem::path files(const std::string& id) const;
    Json about(const std::string& id) const;
    /// What the stage left beside its result under this name; nothing if there is none.
    std::optional<std::string> beside(const std::string& id, const std::string& name) const;
    /// The same of every object.
    std::vector<std::string> all_beside(const std::string& name) const;

    /// Where the result of this id is while it is made; what is left there goes with the next
    /// build.
    std::filesystem::path pending(const std::string& id) const;
    /// A fresh folder on the same file system, for one result.
    std::filesystem::path create_pending(const std::string& id) const;
    /// Makes the folder the object of this id: for this build at once, for later ones when it is on the disk, which is
    /// not waited for.
    void commit(const std::filesystem::path& pending, const std::string& id, const Json& about);
    /// Throws SysError if an object did not get onto the disk.
    void wait_for_writes();
    /// Removes it as far as possible; the next build removes the rest.
    void discard(const std::filesystem::path& pending) const noexcept;

    /// Notes which objects a build used, and removes those that none of the newest `keep` builds
    /// used.
    void finish_build(const std::vector<std::string>& ids, int keep) const;

private:
    std::filesystem::path object(const std::string& id) const;
    std::filesystem::path cache_;
    UniqueFd lock_;
    std::vector<std::future<void>> writes_;
};

/// Room that the files below take. A file of a layer that only got a label takes next to none.
std::uintmax_t bytes_on_disk(const std::filesystem::path& path);

}  // namespace gearbox::builder
