#include "mirror.h"

#include "base/file.h"

#include <algorithm>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

struct Stanza {
    std::vector<std::string> types;
    std::vector<std::string> uris;
    std::vector<std::string> suites;
    bool enabled = true;

    void flush(std::vector<AptSource>& to) {
        if (enabled && std::find(types.begin(), types.end(), "deb") != types.end()) {
            for (const std::string& uri : uris) {
                for (const std::string& suite : suites) {
                    to.push_back({uri, suite});
                }
            }
        }
        *this = {};
    }

    void set(const std::string& key, const std::vector<std::string>& values) {
        if (key == "Types") {
            types = values;
        } else if (key == "URIs") {
            uris = values;
        } else if (key == "Suites") {
            suites = values;
        } else if (key == "Enabled") {
            enabled = values.empty() || values.front() != "no";
        }
    }
};

bool is_security(const std::string& suite) {
    return suite.find("security") != std::string::npos;
}

// A mirror of Debian itself: its suites are Debian's, and it can be reached without a package.
bool is_debian(const AptSource& source) {
    static const std::vector<std::string> releases{"bullseye", "bookworm", "trixie",
                                                   "forky",    "sid",      "stable",
                                                   "testing",  "unstable", "oldstable"};
    const std::string release = source.suite.substr(0, source.suite.find_first_of("-/"));
    const bool ours = std::find(releases.begin(), releases.end(), release) != releases.end();
    return ours && (source.uri.starts_with("http") || source.uri.starts_with("file:"));
}

}  // namespace

std::vector<AptSource> parse_sources_list(const std::string& text) {
    std::vector<AptSource> sources;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        const auto open = line.find('[');
        const auto close = line.find(']');
        if (open != std::string::npos && close != std::string::npos && close > open) {
            line.erase(open, close - open + 1);
        }
        const auto words = words_of(line);
        if (words.size() >= 3 && words[0] == "deb") {
            sources.push_back({words[1], words[2]});
        }
    }
    return sources;
}

std::vector<AptSource> parse_deb822(const std::string& text) {
    std::vector<AptSource> sources;
    Stanza stanza;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("#")) {
            continue;
        }
        if (words_of(line).empty()) {
            stanza.flush(sources);
            continue;
        }
        const auto colon = line.find(':');
        if (colon != std::string::npos && line.front() != ' ' && line.front() != '\t') {
            stanza.set(line.substr(0, colon), words_of(line.substr(colon + 1)));
        }
    }
    stanza.flush(sources);
    return sources;
}

std::vector<AptSource> load_apt_sources(const fs::path& etc_apt) {
    std::vector<AptSource> sources;
    if (const auto text = find_file(etc_apt / "sources.list")) {
        sources = parse_sources_list(*text);
    }
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(etc_apt / "sources.list.d", none)) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        const auto text = find_file(file).value_or("");
        const auto more = file.extension() == ".sources" ? parse_deb822(text)
                          : file.extension() == ".list"  ? parse_sources_list(text)
                                                         : std::vector<AptSource>{};
        sources.insert(sources.end(), more.begin(), more.end());
    }
    return sources;
}

std::optional<std::string> find_mirror(const std::vector<AptSource>& sources,
                                       const std::string& suite) {
    for (const AptSource& source : sources) {
        if (is_debian(source) && is_security(source.suite) == is_security(suite)) {
            return source.uri;
        }
    }
    return std::nullopt;
}

}  // namespace gearbox::builder
