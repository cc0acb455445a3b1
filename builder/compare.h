// Two images, or two folders of images: are they the same, and if not, what in them is another?
#pragma once
#include "inspect.h"

#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::builder {

/// Differences as sentences; none if the bytes are the same. Two files of the same kind are taken
/// apart: report (see inspect), partitions or files of the medium, files of the tree with their
/// metadata. Throws Error(invalid) if one is no image, Error(internal) with what a tool said.
std::vector<std::string> compare_images(const std::filesystem::path& a,
                                        const std::filesystem::path& b);

/// The same of two that are open and whose files differ: at least one sentence.
std::vector<std::string> compare_images(const OpenedImage& a, const OpenedImage& b);

/// The same of all files of two output folders, but not of the log and the times of the build.
std::vector<std::string> compare_outputs(const std::filesystem::path& a,
                                         const std::filesystem::path& b);

/// Names, kinds, contents, link targets, modes, owners, times and SELinux labels below two folders.
struct TreeDifferences {
    std::vector<std::string> sentences;
    std::vector<std::filesystem::path> contents;  ///< of files that both have and that differ
};
TreeDifferences compare_trees(const std::filesystem::path& a, const std::filesystem::path& b);

/// A partition of a disk, in bytes.
struct ByteRange {
    std::string name;
    std::uint64_t start = 0;
    std::uint64_t size = 0;
};

/// Names of the ranges in which two files differ; "the rest" for what is in none. Throws SysError.
std::vector<std::string> differing_ranges(const std::filesystem::path& a,
                                          const std::filesystem::path& b,
                                          const std::vector<ByteRange>& ranges);

}  // namespace gearbox::builder
