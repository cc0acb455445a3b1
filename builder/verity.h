// Hash trees of dm-verity: the kernel checks every block of a root image when it reads it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gearbox::builder {

/// What the kernel has to be told, and believes.
struct Verity {
    std::string root;          ///< hash of the tree's top block, hex
    std::uint64_t blocks = 0;  ///< of data, 4096 bytes each; the tree begins behind them

    /// As in the kernel argument gearbox.verity.
    std::string text() const;
};

inline constexpr std::size_t verity_block_bytes = 4096;

/// The hash trees of data in whole blocks. Format 1 of dm-verity: SHA-256, no salt, no superblock, as
/// `veritysetup format --no-superblock --salt -` makes it. Same data, same tree.
class VerityTree {
public:
    /// One block after the other; the last may be shorter, and counts as filled up with zeros.
    void add(std::string_view block);

    /// The tree as it follows the data: highest level first, whole blocks.
    std::string finish(Verity& verity) const;

private:
    std::string digests_;
    std::uint64_t blocks_ = 0;
};

/// Puts the tree behind the data in the image's file. Throws SysError.
Verity append_verity(const std::filesystem::path& image);

}  // namespace gearbox::builder
