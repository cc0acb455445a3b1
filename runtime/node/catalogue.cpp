#include "node/catalogue.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <algorithm>
#include <filesystem>

namespace gearbox {

namespace fs = std::filesystem;

namespace {

constexpr const char* dpkg_status_file = "/var/lib/dpkg/status";

std::vector<Cartridge> load_one(const fs::path& directory) {
    std::vector<Cartridge> versions =
        parse_manifest(read_file(directory / "metadata/manifest.yml", 64 * 1024));
    for (Cartridge& cartridge : versions) {
        cartridge.source = directory;
    }
    return versions;
}

}  // namespace

std::vector<std::string> missing_packages(const std::vector<std::string>& packages,
                                          const std::string& dpkg_status) {
    std::vector<std::string> out;
    for (const std::string& package : packages) {
        // A stanza starts with "Package: NAME" and says "Status: install ok installed" further
        // down.
        const std::string head = str("\nPackage: ", package, "\n");
        const bool first = dpkg_status.starts_with(head.substr(1));
        const auto at = first ? 0 : dpkg_status.find(head);
        bool installed = false;
        if (at != std::string::npos) {
            const auto end = dpkg_status.find("\n\n", at + 1);
            const auto status = dpkg_status.find("\nStatus: ", at);
            installed =
                status < end && dpkg_status.compare(status + 9, 20, "install ok installed") == 0;
        }
        if (!installed) {
            out.push_back(package);
        }
    }
    return out;
}

std::vector<fs::path> cartridges_below(const fs::path& directory) {
    std::error_code absent;
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(directory, absent)) {
        if (fs::exists(entry.path() / "metadata/manifest.yml", absent)) {
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::string> missing_packages(const std::vector<std::string>& packages) {
    return missing_packages(packages, find_file(dpkg_status_file).value_or(""));
}

std::vector<Cartridge> load_catalogue(const std::vector<fs::path>& directories, bool need_packages) {
    const std::string installed = need_packages ? find_file(dpkg_status_file).value_or("") : "";
    std::vector<Cartridge> out;
    for (const fs::path& directory : directories) {
        try {
            for (Cartridge& cartridge : load_one(directory)) {
                if (!need_packages || missing_packages(cartridge.native_requires, installed).empty()) {
                    out.push_back(std::move(cartridge));
                }
            }
        } catch (const Error& error) {
            log::warning("cartridge left out: ", error.text(),
                         log::field("directory", directory.native()));
        }
    }
    return out;
}

}  // namespace gearbox
