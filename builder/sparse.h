// Files with holes, which stay holes.
#pragma once
#include <cstdint>
#include <filesystem>

namespace gearbox::builder {

/// Copies the data of one file to a place in another, which is made if need be and never cut; what
/// is a hole in the source is left alone there. Throws SysError.
void copy_sparse_at(const std::filesystem::path& from, const std::filesystem::path& to,
                    std::uint64_t offset);

/// A new file, or a replaced one, of the same data and size. Throws SysError.
void copy_sparse(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace gearbox::builder
