#include "package_cache.h"

#include "hash.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_index = std::size_t{1} << 30;

std::string release_date(const std::string& release) {
    std::istringstream in(release);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("Date: ")) {
            return line.substr(6);
        }
    }
    return "";
}

// "a 1, b 2", one a line.
std::string listed(const std::vector<const ArchivePackage*>& packages) {
    std::string text;
    for (const ArchivePackage* package : packages) {
        text += "\n  " + package->text();
    }
    return text;
}

// apt's method 'file' says where a file is instead of copying it.
std::string fetchable(const std::string& uri) {
    return uri.starts_with("file:") ? "copy:" + uri.substr(5) : uri;
}

// File → its control fields, all of one line or continued. One program for the whole folder: one
// for each package takes seconds.
std::map<std::string, std::string> read_controls(Tools& tools, const fs::path& archive) {
    std::map<std::string, std::string> controls;
    std::string control;
    std::string file;
    const auto keep = [&] {
        if (!file.empty()) {
            controls[std::exchange(file, {})] = std::exchange(control, {});
        }
    };
    ToolCall call;
    call.argv = {"apt-ftparchive", "packages"};
    for (const char* hash : {"MD5", "SHA1", "SHA256", "SHA512"}) {
        call.argv.push_back(str("-oAPT::FTPArchive::", hash, "=false"));
    }
    call.argv.push_back(archive.string());
    call.on_line = [&](std::string_view line) {
        constexpr std::string_view name = "Filename: ";
        if (line.starts_with("Package: ")) {
            keep();
        }
        if (line.starts_with(name)) {
            file = fs::path(line.substr(name.size())).filename().string();
        } else if (!line.starts_with("Size: ")) {
            control += str(line, "\n");
        }
        return false;
    };
    tools.run(call);
    keep();
    return controls;
}

// What an empty tree of mmdebstrap's variant gets beside the packages that are named, as patterns
// (apt-patterns(7)): apt itself, because nothing is installed without it.
std::vector<std::string> patterns_of(const std::string& variant) {
    std::vector<std::string> patterns{"?essential", "?name(^apt$)", "?priority(required)"};
    if (variant == "important") {
        patterns.emplace_back("?priority(important)");
    }
    return patterns;
}

// A system of apt's where nothing is installed, with the settings of the tree and of nobody else.
fs::path make_apt_folder(const fs::path& folder, const std::string& archives,
                         const std::vector<std::string>& settings) {
    fs::create_directories(folder / "etc/apt");
    fs::create_directories(folder / "var/lib/apt/lists/partial");
    fs::create_directories(folder / "var/cache/apt/archives/partial");
    write_file_atomically(folder / "status", "");
    write_file_atomically(folder / "etc/apt/sources.list", archives);
    std::string text =
        str("Dir \"", folder.string(), "\";\nDir::State::status \"", (folder / "status").string(),
            "\";\nDir::Etc::trusted \"/usr/share/keyrings/debian-archive-keyring.gpg\";\n"
            "Dir::Etc::trustedparts \"/etc/apt/trusted.gpg.d/\";\nAPT::Architecture \"amd64\";\n"
            "APT::Architectures \"amd64\";\n");
    for (const std::string& setting : settings) {
        text += setting + ";\n";
    }
    write_file_atomically(folder / "apt.conf", text);
    return folder;
}

}  // namespace

PackageCache::PackageCache(fs::path folder, fs::path work, Tools& tools, Progress progress)
    : folder_(fs::absolute(folder)),
      work_(std::move(work)),
      tools_(tools),
      progress_(std::move(progress)) {
    fs::create_directories(folder_);
}

fs::path PackageCache::indexes(const std::vector<std::string>& lines) const {
    std::string all;
    for (const std::string& line : lines) {
        all += line + "\n";
    }
    return folder_ / ("indexes-" + hash_text(all).substr(0, 24));
}

// Renamed into place as a whole: 'N.release' and 'N.packages' of each archive.
void PackageCache::keep_indexes(const fs::path& lists, const std::vector<std::string>& lines) {
    const fs::path made = work_ / "indexes";
    fs::create_directory(made);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string prefix = list_prefix(lines[i]);
        std::string packages;
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(lists)) {
            files.push_back(entry.path());
        }
        std::sort(files.begin(), files.end());
        for (const fs::path& file : files) {
            const std::string name = file.filename().string();
            if (name.starts_with(prefix) && name.ends_with("Packages")) {
                packages += read_file(file, largest_index) + "\n";
            }
            if (name == prefix + "InRelease") {
                fs::copy_file(file, made / str(i, ".release"));
            }
        }
        write_file_atomically(made / str(i, ".packages"), packages);
    }
    fs::remove_all(indexes(lines));
    fs::rename(made, indexes(lines));
}

ArchiveState PackageCache::resolve(const TreeWish& wish, bool offline) {
    const fs::path kept = indexes(wish.archives);
    if (offline && !fs::exists(kept)) {
        std::string lines;
        for (const std::string& line : wish.archives) {
            lines += "\n  " + line;
        }
        fail(ErrorKind::unavailable, "the cache has no package index of", lines,
             "\nbuild once without --offline, or give a lock file with --lock");
    }
    progress_(-1, "choosing packages");
    std::string archives;
    for (std::size_t i = 0; i < wish.archives.size(); ++i) {
        if (!offline) {
            archives += wish.archives[i] + "\n";
            continue;
        }
        const fs::path local = work_ / str("index-", i);
        fs::create_directory(local);
        const auto index = read_file(kept / str(i, ".packages"), largest_index);
        write_file_atomically(local / "Packages", index);
        const std::string suite = archive_suite(wish.archives[i]);
        write_file_atomically(local / "Release",
                              make_release(suite.ends_with("/") ? wish.suite : suite, index));
        archives += str("deb [trusted=yes] copy://", local.string(), " ./\n");
    }
    const fs::path apt = make_apt_folder(work_ / "apt", archives, wish.settings);
    ToolCall call;
    call.environment = {"APT_CONFIG=" + (apt / "apt.conf").string()};
    call.argv = {"apt-get", "update"};
    tools_.run(call);
    Resolved resolved;
    call.argv = {"apt-get", "--quiet=2", "--yes", "--print-uris", "install"};
    const auto base = patterns_of(wish.variant);
    call.argv.insert(call.argv.end(), base.begin(), base.end());
    call.argv.insert(call.argv.end(), wish.packages.begin(), wish.packages.end());
    call.on_line = [&resolved](std::string_view line) {
        take_resolved(line, resolved);
        return !line.starts_with('\'');
    };
    tools_.run(call);
    if (!offline) {
        keep_indexes(apt / "var/lib/apt/lists", wish.archives);
    }
    fs::remove_all(apt);
    ArchiveState state;
    std::set<std::string> found;
    for (std::size_t i = 0; i < wish.archives.size(); ++i) {
        const auto release = find_file(kept / str(i, ".release")).value_or("");
        state.lines.push_back(wish.archives[i]);
        state.releases.push_back(release.empty() ? "" : hash_text(release));
        state.dates.push_back(release_date(release));
        const auto index = read_file(kept / str(i, ".packages"), largest_index);
        for (ArchivePackage& package : take_from_index(index, i, resolved)) {
            // The same version in two archives: the first.
            if (found.insert(package_file(package)).second) {
                state.packages.push_back(std::move(package));
            }
        }
    }
    std::sort(state.packages.begin(), state.packages.end());
    if (state.packages.size() < resolved.size() || resolved.empty()) {
        fail(ErrorKind::internal, "apt chose ", resolved.size(), " packages, but the indexes have ",
             state.packages.size(), " of them");
    }
    return state;
}

bool PackageCache::has(const ArchivePackage& package) const {
    const fs::path file = folder_ / package_file(package);
    std::error_code none;
    return fs::file_size(file, none) == package.bytes && hash_file(file) == package.sha256;
}

void PackageCache::fetch(const ArchiveState& state, const PackageRequest& request) {
    std::vector<const ArchivePackage*> missing;
    for (const ArchivePackage& package : state.packages) {
        if (!has(package)) {
            missing.push_back(&package);
        }
    }
    if (request.offline && !missing.empty()) {
        fail(ErrorKind::unavailable, "--offline: the cache lacks ", missing.size(), " of ",
             state.packages.size(), " packages:", listed(missing));
    }
    const fs::path partial = work_ / "fetched";
    fs::create_directory(partial);
    // An archive answers each request after its round trip: some are asked for at once, and what has
    // come stays when the rest does not.
    constexpr std::size_t batch = 256;
    std::vector<const ArchivePackage*> refused;
    for (std::size_t start = 0; start < missing.size(); start += batch) {
        const std::size_t end = std::min(start + batch, missing.size());
        progress_(static_cast<double>(start) / static_cast<double>(missing.size()), "fetching");
        ToolCall call;
        call.argv = {"xargs",
                     "--null",
                     "--max-procs=8",
                     "--max-args=48",  // of three each
                     "/usr/lib/apt/apt-helper",
                     "-oAPT::Sandbox::User=root",
                     "download-file"};
        for (std::size_t i = start; i < end; ++i) {
            const ArchivePackage& package = *missing[i];
            const bool other = !request.mirror.empty() && package.archive == 0;
            const std::string uri =
                other ? request.mirror : archive_uri(state.lines.at(package.archive));
            for (const std::string& word :
                 {str(fetchable(uri), "/", package.file),
                  (partial / package_file(package)).string(), "SHA256:" + package.sha256}) {
                call.input += word + '\0';
            }
        }
        try {
            tools_.run(call);
        } catch (const Error&) {
            // Says nothing about which; looked at below.
        }
        for (std::size_t i = start; i < end; ++i) {
            const fs::path made = partial / package_file(*missing[i]);
            if (!fs::exists(made) || hash_file(made) != missing[i]->sha256) {
                refused.push_back(missing[i]);
                continue;
            }
            fs::rename(made, folder_ / package_file(*missing[i]));
        }
    }
    fs::remove_all(partial);
    if (!refused.empty()) {
        fail(ErrorKind::unavailable, "the archives do not have ", refused.size(), " of ",
             state.packages.size(), " packages in this version:", listed(refused),
             "\n--mirror can name an archive that still has them");
    }
}

fs::path PackageCache::make_archive(const ArchiveState& state, const std::string& suite) {
    const fs::path archive = work_ / "archive";
    fs::create_directory(archive);
    for (const ArchivePackage& package : state.packages) {
        fs::create_hard_link(folder_ / package_file(package), archive / package_file(package));
    }
    std::string index;
    auto controls = read_controls(tools_, archive);
    for (const ArchivePackage& package : state.packages) {
        const auto control = controls.find(package_file(package));
        if (control == controls.end()) {
            fail(ErrorKind::internal, "apt-ftparchive reads nothing of ", package.text());
        }
        index += index_entry(package, control->second);
    }
    write_file_atomically(archive / "Packages", index);
    write_file_atomically(archive / "Release", make_release(suite, index));
    return archive;
}

void PackageCache::remove_others(const fs::path& folder, const std::vector<ArchiveState>& used) {
    if (!fs::exists(folder)) {
        return;
    }
    std::set<std::string> keep;
    for (const ArchiveState& state : used) {
        for (const ArchivePackage& package : state.packages) {
            keep.insert(package_file(package));
        }
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".deb") && !keep.contains(name)) {
            fs::remove(entry.path());
        }
    }
}

}  // namespace gearbox::builder
