// Images as files: with holes, which stay holes, and written into at a place.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace gearbox::builder {

/// Copies the data of one file to a place in another, which is made if need be and never cut; what
/// is a hole in the source is left alone there. Throws SysError.
void copy_sparse_at(const std::filesystem::path& from, const std::filesystem::path& to,
                    std::uint64_t offset);

/// A new file, or a replaced one, of the same data and size. Throws SysError.
void copy_sparse(const std::filesystem::path& from, const std::filesystem::path& to);

/// Into a file that is there. Throws Error(internal).
void write_at(const std::filesystem::path& image, std::uint64_t offset, std::string_view data);

}  // namespace gearbox::builder
