#include "archive_state.h"

#include "hash.h"
#include "mirror.h"

#include "base/error.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <sstream>

namespace gearbox::builder {

namespace {

// apt escapes what a file name cannot have, and '_', which stands for '/'.
std::string flat(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '/'   ? std::string("_")
               : c == '_' ? "%5f"
               : c == ':' ? "%3a"
                          : std::string(1, c);
    }
    return out;
}

AptSource source_of(const std::string& line) {
    const auto sources = parse_sources_list(line);
    if (sources.size() != 1) {
        fail(ErrorKind::invalid, "'", line, "' is not a line 'deb URI SUITE COMPONENT…'");
    }
    return sources.front();
}

}  // namespace

Json to_json(const ArchiveState& state) {
    Json archives = Json::array();
    for (std::size_t i = 0; i < state.lines.size(); ++i) {
        archives.push_back({{"line", state.lines[i]},
                            {"release_sha256", state.releases.at(i)},
                            {"release_date", state.dates.at(i)}});
    }
    Json packages = Json::array();
    for (const ArchivePackage& package : state.packages) {
        packages.push_back({{"name", package.name},
                            {"version", package.version},
                            {"architecture", package.architecture},
                            {"priority", package.priority},
                            {"archive", package.archive},
                            {"file", package.file},
                            {"bytes", package.bytes},
                            {"sha256", package.sha256}});
    }
    return {{"archives", archives}, {"packages", packages}};
}

ArchiveState parse_archive_state(const Json& json) {
    ArchiveState state;
    for (const Json& row : take<Json>(json, "archives")) {
        state.lines.push_back(take<std::string>(row, "line"));
        state.releases.push_back(take<std::string>(row, "release_sha256"));
        state.dates.push_back(take<std::string>(row, "release_date"));
    }
    for (const Json& row : take<Json>(json, "packages")) {
        ArchivePackage package;
        package.name = take<std::string>(row, "name");
        package.version = take<std::string>(row, "version");
        package.architecture = take<std::string>(row, "architecture");
        package.priority = take<std::string>(row, "priority");
        package.archive = take<std::size_t>(row, "archive");
        package.file = take<std::string>(row, "file");
        package.bytes = take<std::uint64_t>(row, "bytes");
        package.sha256 = take<std::string>(row, "sha256");
        if (package.archive >= state.lines.size()) {
            fail(ErrorKind::invalid, "package '", package.name, "' is of archive ", package.archive,
                 ", but there are ", state.lines.size());
        }
        // It becomes a file name.
        if (package_file(package).find('/') != std::string::npos || package.name.empty()) {
            fail(ErrorKind::invalid, "'", package.text(), "' is no package");
        }
        state.packages.push_back(std::move(package));
    }
    return state;
}

std::string package_file(const ArchivePackage& package) {
    std::string version;
    for (const char c : package.version) {
        version += c == ':' ? std::string("%3a") : std::string(1, c);
    }
    return str(package.name, "_", version, "_", package.architecture, ".deb");
}

std::string archive_uri(const std::string& line) {
    std::string uri = source_of(line).uri;
    while (uri.ends_with("/")) {
        uri.pop_back();
    }
    return uri;
}

std::string list_prefix(const std::string& line) {
    std::string uri = archive_uri(line);
    const std::string suite = source_of(line).suite;
    if (const auto scheme = uri.find("://"); scheme != std::string::npos) {
        uri.erase(0, scheme + 3);
    } else if (const auto colon = uri.find(':'); colon != std::string::npos) {
        uri.erase(0, colon + 1);
    }
    return suite.ends_with("/") ? flat(uri + "/" + suite) : flat(uri + "/dists/" + suite + "/");
}

void take_resolved(std::string_view line, Resolved& resolved) {
    const auto uri = line.find("' ");
    if (!line.starts_with('\'') || uri == std::string_view::npos) {
        return;
    }
    line.remove_prefix(uri + 2);
    resolved.emplace(line.substr(0, line.find(' ')));
}

std::vector<ArchivePackage> take_from_index(const std::string& index, std::size_t archive,
                                            const Resolved& resolved) {
    // Of tens of thousands of packages with twenty fields each.
    constexpr std::string_view wanted[] = {"Package", "Version", "Architecture", "Priority", "Filename", "SHA256", "Size"};
    std::vector<ArchivePackage> packages;
    std::map<std::string, std::string> fields;
    std::istringstream in(index + "\n");
    for (std::string line; std::getline(in, line);) {
        if (!line.empty()) {
            const auto colon = line.find(": ");
            const std::string_view name = std::string_view(line).substr(0, colon);
            if (colon != std::string::npos && std::find(std::begin(wanted), std::end(wanted), name) != std::end(wanted)) {
                fields[std::string(name)] = line.substr(colon + 2);
            }
            continue;
        }
        ArchivePackage package{fields["Package"],
                               fields["Version"],
                               fields["Architecture"],
                               fields["Priority"],
                               fields["Filename"],
                               archive,
                               0,
                               fields["SHA256"]};
        if (resolved.contains(package_file(package))) {
            const std::string& size = fields["Size"];
            std::from_chars(size.data(), size.data() + size.size(), package.bytes);
            packages.push_back(std::move(package));
        }
        fields.clear();
    }
    return packages;
}

std::string index_entry(const ArchivePackage& package, const std::string& control) {
    std::string entry;
    std::istringstream in(control);
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && !line.starts_with("Priority:")) {
            entry += line + "\n";
        }
    }
    if (!package.priority.empty()) {
        entry += "Priority: " + package.priority + "\n";
    }
    return str(entry, "Filename: ./", package_file(package), "\nSize: ", package.bytes,
               "\nSHA256: ", package.sha256, "\n\n");
}

std::string make_release(const std::string& suite, const std::string& index) {
    return str("Origin: gearbox-build\nSuite: ", suite, "\nCodename: ", suite,
               "\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64 all\nSHA256:\n ",
               hash_text(index), " ", index.size(), " Packages\n");
}

std::string archive_suite(const std::string& line) {
    return source_of(line).suite;
}

}  // namespace gearbox::builder
