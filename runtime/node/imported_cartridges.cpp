#include "node/imported_cartridges.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/log.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>

#include <algorithm>
#include <cstdlib>

namespace gearbox {

namespace fs = std::filesystem;

namespace {

constexpr const char* staging_prefix = ".new-";
constexpr const char* active_link = "active";

// Both at once, or the one in the place of nothing.
void put_in_place(const fs::path& from, const fs::path& to) {
    const unsigned flags = fs::exists(fs::symlink_status(to)) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    check(::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags), "renaming to '", to.native(), "'");
}

void point_to(const fs::path& link, const std::string& version) {
    const fs::path other = link.parent_path() / str(staging_prefix, "link");
    fs::remove(other);
    fs::create_symlink(version, other);
    fs::rename(other, link);
}

bool is_older(const std::string& a, const std::string& b) {
    return compare_versions(a, b) < 0;
}

[[noreturn]] void refuse(const cartridge::Report& report) {
    std::string text = "this is no usable cartridge";
    for (const cartridge::Finding& finding : report.findings) {
        if (finding.is_error) {
            text += str("\n  ", cartridge::to_line(finding));
        }
    }
    fail(ErrorKind::invalid, text);
}

}  // namespace

ImportedCartridges::ImportedCartridges(fs::path directory) : directory_(std::move(directory)) {
    fs::create_directories(directory_);
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
        if (entry.path().filename().native().starts_with(staging_prefix)) {
            log::warning("an import of a cartridge was not finished; removing it",
                         log::field("directory", entry.path().native()));
            fs::remove_all(entry.path());
        }
    }
}

fs::path ImportedCartridges::make_staging() const {
    std::string path = directory_ / str(staging_prefix, "XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) {
        check(-1, "making a directory in '", directory_.native(), "'");
    }
    return path;
}

cartridge::Report ImportedCartridges::accept(const fs::path& staging) const {
    if (staging.parent_path() != directory_ || !staging.filename().native().starts_with(staging_prefix) ||
        !fs::is_directory(fs::symlink_status(staging))) {
        fail(ErrorKind::invalid, "'", staging.native(), "' is no directory that was made for an import");
    }
    const Defer sweep([&] {
        std::error_code ignored;
        fs::remove_all(staging, ignored);
    });
    cartridge::Report report = cartridge::check(staging);
    if (!report.is_usable()) {
        refuse(report);
    }
    if (report.vendor.empty() || is_reserved_vendor(report.vendor)) {
        fail(ErrorKind::invalid, "Cartridge-Vendor must name who has made it, and not '", report.vendor,
             "': plain names are those of this appliance's own cartridges");
    }
    fs::permissions(staging, fs::perms(0755));
    const fs::path place = directory_ / report.name;
    fs::create_directories(place);
    put_in_place(staging, place / report.cartridge_version);
    point_to(place / active_link, report.cartridge_version);
    return report;
}

void ImportedCartridges::activate(const std::string& name, bool active) const {
    const fs::path place = place_of(name);
    if (!active) {
        fs::remove(place / active_link);
        return;
    }
    for (const ImportedCartridge& imported : list()) {
        if (imported.name == name && !imported.versions.empty()) {
            point_to(place / active_link, imported.versions.back());
        }
    }
}

void ImportedCartridges::remove(const std::string& name) const {
    const fs::path place = place_of(name);
    const fs::path gone = make_staging();
    put_in_place(place, gone);
    fs::remove_all(place);
    fs::remove_all(gone);
}

std::vector<ImportedCartridge> ImportedCartridges::list() const {
    std::vector<ImportedCartridge> out;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
        ImportedCartridge imported{entry.path().filename(), {}, ""};
        if (imported.name.starts_with('.') || !entry.is_directory()) {
            continue;
        }
        for (const fs::directory_entry& version : fs::directory_iterator(entry.path())) {
            if (!version.is_symlink() && version.is_directory()) {
                imported.versions.push_back(version.path().filename());
            }
        }
        std::sort(imported.versions.begin(), imported.versions.end(), is_older);
        std::error_code not_offered;
        imported.active = fs::read_symlink(entry.path() / active_link, not_offered);
        out.push_back(std::move(imported));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

std::optional<fs::path> ImportedCartridges::find(const std::string& name, const std::string& version) const {
    for (const ImportedCartridge& imported : list()) {
        const auto& all = imported.versions;
        if (imported.name == name && std::find(all.begin(), all.end(), version) != all.end()) {
            return directory_ / name / version;
        }
    }
    return std::nullopt;
}

std::vector<fs::path> ImportedCartridges::offered() const {
    std::vector<fs::path> out;
    for (const ImportedCartridge& imported : list()) {
        if (!imported.active.empty()) {
            out.push_back(directory_ / imported.name / imported.active);
        }
    }
    return out;
}

std::vector<fs::path> ImportedCartridges::newest_first() const {
    std::vector<fs::path> out;
    for (const ImportedCartridge& imported : list()) {
        for (auto version = imported.versions.rbegin(); version != imported.versions.rend(); ++version) {
            out.push_back(directory_ / imported.name / *version);
        }
    }
    return out;
}

fs::path ImportedCartridges::place_of(const std::string& name) const {
    check_imported(name, list());
    return directory_ / name;
}

}  // namespace gearbox
