// What an image is made of, for those who have to account for it.
#pragma once
#include "monitor.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

struct InstalledPackage {
    std::string name;
    std::string version;
    std::string architecture;
    std::string source;  ///< source package; its version too where it differs
    std::string source_version;
};

/// The installed packages of /var/lib/dpkg/status, by name. Pure.
std::vector<InstalledPackage> parse_dpkg_status(const std::string& text);

Json to_json(const std::vector<InstalledPackage>& packages);

struct SbomSubject {
    std::string name;
    std::string version;
    std::string suite;   ///< of Debian
    std::string id;      ///< unique to the contents
    std::int64_t epoch;  ///< seconds since 1970, the time of the document
};

/// An SPDX 2.3 document. Pure.
Json make_spdx(const SbomSubject& subject, const std::vector<InstalledPackage>& packages);

/// The file name that images of this plan start with: "gearbox-0.1.0". Pure.
std::string image_name(std::string_view title, std::string_view version);

inline constexpr const char* manifest_file = "MANIFEST.json";  ///< of a folder of images

/// The manifest beside a single image.
std::filesystem::path manifest_of_image(const std::filesystem::path& image);

/// The manifest (tree, images with their hashes and paths of conversion, packages) and the
/// checksums of it and of the images, all in one folder. `packages` is the folder of the stage of
/// this name.
void write_manifest(const BuildPlan& plan, const BuildResult& result,
                    const std::filesystem::path& packages, const std::filesystem::path& manifest,
                    const std::filesystem::path& sums);

}  // namespace gearbox::builder
