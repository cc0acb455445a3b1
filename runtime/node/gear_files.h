// Files below a gear's home, handled by root while the gear may be at work on them: everything goes
// through descriptors opened beneath the home, no symbolic link is ever followed (the gear could
// make one lead to what is root's in its own home), and new files carry the label of the directory
// they are made in from the moment they exist.
#pragma once
#include "base/fd.h"
#include "base/path.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};

/// SELinux labels of a new cartridge's files, "" for none; variables in env/ get the home's.
struct CartridgeLabels {
    std::string scripts;  ///< metadata, hooks, bin
    std::string rest;
};

/// How much may be copied.
struct CopyLimits {
    std::int64_t bytes = std::int64_t{64} << 30;
    std::int64_t files = 1'000'000;
    int depth = 64;  ///< of directories in directories
};

struct FilePart {
    std::uint64_t inode = 0;
    std::int64_t begin = 0;  ///< of data in the file, bytes
    std::string data;
};

class GearFiles {
public:
    /// The home must exist. gid: the gear's; label: of its home, "" for none.
    GearFiles(const std::string& home, gid_t gid, std::string label);

    /// Owner of what the platform keeps to itself: root, readable by the gear.
    Owner locked() const { return {0, gid_}; }
    Owner unlocked() const { return {gid_, gid_}; }

    bool exists(const std::string& path) const;
    /// The content of a regular file, at most limit bytes of it; empty for anything else.
    std::optional<std::string> find(const std::string& path, std::size_t limit = 256 * 1024) const;
    /// What a regular file has from begin on, at most limit bytes; a negative begin counts from its end. A begin
    /// beyond the end is 0: the file was emptied. Empty for anything else than a regular file.
    std::optional<FilePart> find_part(const std::string& path, std::int64_t begin, std::size_t limit) const;
    /// Names in a directory, sorted; nothing if there is none.
    std::vector<std::string> list(const std::string& path) const;

    /// Parents must exist. An existing directory gets owner and mode. label: of a new one, "" for
    /// its parent's.
    void ensure_directory(const std::string& path, Owner owner, mode_t mode,
                          const std::string& label = "") const;
    /// Replaces the file as a whole.
    void write(const std::string& path, std::string_view data, Owner owner, mode_t mode) const;
    void ensure_symlink(const std::string& path, const std::string& text) const;
    /// A file or a whole tree; unknown is fine.
    void remove(const std::string& path) const;
    /// A regular file that nobody has written to for that long; anything else stays.
    void remove_old(const std::string& path, std::chrono::seconds age) const;
    /// Changes the owner of a file or directory itself. False if it is not there or is a file with
    /// several names: one of them could be a file that the gear must not get.
    bool give(const std::string& path, Owner owner) const;
    /// Whether the gear may make files in the home itself; it removes none that are root's. Not at other times than this says.
    void open_home(bool is_open) const;
    /// It is there, and the gear may change it.
    bool is_unlocked(const std::string& path) const;

    /// A directory of the gear's, to be copied from. Throws SysError if it is none.
    UniqueFd open_tree(const std::string& path) const;
    /// Copies a cartridge into a new directory of the gear's. What the platform relies on (env,
    /// metadata, hooks, bin) stays root's; scripts get their execute bit. The gear may be at work on the source.
    /// shared_usr: what usr/ is a link to, a directory that gears can read; "": it is copied, too.
    /// Throws Error(invalid) for more than the limits allow.
    void copy_cartridge(const UniqueFd& source, const std::string& path, const CartridgeLabels& labels,
                        const std::string& shared_usr, const CopyLimits& limits = {}) const;

    /// Copies it over one that is there: bin, hooks, metadata and usr are replaced as a whole, of the rest files are
    /// replaced and what is not in the source stays.
    void overlay_cartridge(const UniqueFd& source, const std::string& path, const CartridgeLabels& labels,
                           const std::string& shared_usr) const;

private:
    void copy_parts(const UniqueFd& source, const UniqueFd& target, const CartridgeLabels& labels, const std::string& shared_usr,
                    const CopyLimits& limits, bool is_overlay) const;
    UniqueFd open_parent(const std::string& path, std::string& name) const;
    std::string label_in(const UniqueFd& parent) const;

    std::string path_;
    UniqueFd home_;
    gid_t gid_;
    std::string label_;
};

}  // namespace gearbox
