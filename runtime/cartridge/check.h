// What is wrong with a directory that is to be a cartridge: for its author (`gearbox cartridge check`), and for the
// node before it takes one in. Nothing of the cartridge is executed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gearbox::cartridge {

struct Finding {
    bool is_error = false;  ///< the cartridge cannot be used; otherwise it is worth a look
    std::string place;      ///< "bin/control", "bin/setup:12"; "" is the whole
    std::string text;       ///< what is wrong and what to do
    bool operator==(const Finding&) const = default;
};

struct Report {
    std::string name;                ///< as in the catalogue, without the version; "" if the manifest is not usable
    std::string vendor;              ///< lower case; "" if it names none
    std::string cartridge_version;   ///< of the packaging
    std::vector<std::string> offers;  ///< full names, newest version first
    std::vector<Finding> findings;   ///< by place

    bool is_usable() const;
};

/// How much one cartridge may be.
struct Limits {
    std::int64_t bytes = 512LL << 20;
    std::int64_t files = 50'000;
};

/// Errors of the file system are findings, too; throws only Error(unavailable) if bash is not there.
Report check(const std::filesystem::path& directory, const Limits& limits = {});

/// Where a manifest says that its cartridge's files are.
struct Source {
    std::string url;  ///< Source-Url; ""
    std::string md5;     ///< Source-Md5, 32 hex digits; ""
    std::string sha256;  ///< Source-Sha256, 64 hex digits; ""
};
/// Throws Error(invalid) for what is no manifest.
Source source_of(const std::string& manifest);

/// "bin/setup:12: text"
std::string to_line(const Finding& finding);

}  // namespace gearbox::cartridge
