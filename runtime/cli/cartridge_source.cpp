#include "cli/cartridge_source.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "cartridge/check.h"

#include <algorithm>

namespace gearbox::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* manifest_path = "metadata/manifest.yml";

bool is_address(const std::string& source) {
    return source.starts_with("http://") || source.starts_with("https://");
}

bool ends_with_any(const std::string& text, std::initializer_list<const char*> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return text.ends_with(end); });
}

bool is_archive(const std::string& name) {
    return ends_with_any(name, {".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip"});
}

bool is_manifest(const std::string& name) {
    return ends_with_any(name, {".yml", ".yaml"});
}

std::string file_name(const std::string& source) {
    return source.substr(source.rfind('/') + 1);
}

// The contract's limits: two redirections; a manifest is small, an archive at most what a cartridge may be.
fs::path download(const std::string& address, const fs::path& to) {
    const fs::path file = to / file_name(address);
    const std::int64_t most = is_manifest(address) ? 20'480 : cartridge::Limits{}.bytes;
    run_tool_checked({"curl", "--silent", "--show-error", "--fail", "--location", "--proto", "=http,https",
                      "--max-redirs", "2", "--connect-timeout", "10", "--max-time", "600", "--max-filesize",
                      std::to_string(most), "--output", file, "--", address});
    return file;
}

void check_digest(const fs::path& file, const char* program, const std::string& wanted) {
    const std::string line = run_tool_checked({program, "--", file});
    // coreutils escapes odd names with a backslash in front.
    const std::string found = line.substr(line.starts_with('\\') ? 1 : 0, wanted.size());
    if (found != wanted) {
        fail(ErrorKind::invalid, "'", file.filename().native(), "' has the ", program, " ", found, ", not ", wanted);
    }
}

// tar takes absolute names as relative ones, and refuses those with "..".
void unpack(const fs::path& archive, const fs::path& to) {
    fs::create_directories(to);
    if (archive.extension() == ".zip") {
        run_tool_checked({"unzip", "-q", archive, "-d", to});
    } else {
        run_tool_checked({"tar", "--extract", "--no-same-owner", "--no-same-permissions", "--file", archive,
                          "--directory", to});
    }
}

void clone(const std::string& source, const fs::path& to) {
    const auto hash = source.rfind('#');
    std::vector<std::string> command = {"git", "clone", "--quiet", "--depth", "1"};
    if (hash != std::string::npos) {
        command.insert(command.end(), {"--branch", source.substr(hash + 1)});
    }
    command.insert(command.end(), {"--", source.substr(0, hash), to});
    ToolOptions quiet;
    quiet.environment = {"GIT_TERMINAL_PROMPT=0"};
    run_tool_checked(command, quiet);
    fs::remove_all(to / ".git");
}

// Archives of repositories have one directory at their top.
fs::path top_of(const fs::path& unpacked) {
    std::vector<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator(unpacked)) {
        entries.push_back(entry.path());
    }
    const bool is_wrapped = entries.size() == 1 && fs::is_directory(fs::symlink_status(entries.front()));
    return is_wrapped && !fs::exists(unpacked / manifest_path) ? entries.front() : unpacked;
}

class Fetcher {
public:
    Fetcher(std::string sha256, const fs::path& work) : sha256_(std::move(sha256)), work_(work) {}

    // The directory with the cartridge.
    fs::path get(const std::string& source) {
        if (is_address(source) && is_manifest(source)) {
            return by_manifest(download(source, work_), true);
        }
        if (is_archive(source)) {
            const fs::path archive = is_address(source) ? download(source, work_) : fs::path(source);
            verify(archive);
            unpack(archive, work_ / "unpacked");
            return top_of(work_ / "unpacked");
        }
        if (fs::is_directory(source)) {
            return source;
        }
        if (is_manifest(source) && fs::exists(source)) {
            return by_manifest(source, false);
        }
        if (source.find("://") == std::string::npos && !fs::exists(source.substr(0, source.rfind('#')))) {
            fail(ErrorKind::not_found, "'", source, "' is no file or directory here, and no address");
        }
        clone(source, work_ / "cloned");
        return work_ / "cloned";
    }

    /// To be laid over the one that comes with the code; empty if none was asked for.
    const fs::path& manifest() const { return manifest_; }

private:
    // The manifest that was asked for counts, not the one that comes with the code (contract 1.6).
    // One that comes from elsewhere names no file of this machine.
    fs::path by_manifest(const fs::path& manifest, bool is_foreign) {
        verify(manifest);
        const std::string text = read_file(manifest, 64 * 1024);
        const cartridge::Source code = cartridge::source_of(text);
        if (code.url.empty()) {
            fail(ErrorKind::invalid,
                 "the manifest names no Source-Url: it does not say where its cartridge's files are");
        }
        if (is_foreign && !is_address(code.url) && !code.url.starts_with("git://")) {
            fail(ErrorKind::invalid, "Source-Url '", code.url, "' is no http, https or git address");
        }
        if (is_manifest(code.url)) {
            fail(ErrorKind::invalid, "Source-Url '", code.url, "' is another manifest");
        }
        sha256_.clear();
        manifest_ = manifest;
        md5_ = code.md5;
        return get(code.url);
    }

    void verify(const fs::path& file) const {
        if (!sha256_.empty()) {
            check_digest(file, "sha256sum", sha256_);
        }
        if (!md5_.empty()) {
            check_digest(file, "md5sum", md5_);
        }
    }

    std::string sha256_;
    std::string md5_;    ///< of the archive that the manifest names
    fs::path manifest_;  ///< that was asked for
    const fs::path& work_;
};

}  // namespace

void fetch_cartridge(const std::string& source, const std::string& sha256, const fs::path& directory) {
    const TempDir work;
    Fetcher fetcher(sha256, work.path());
    const fs::path found = fetcher.get(source);
    run_tool_checked({"cp", "--recursive", "--no-dereference", "--", str(found.native(), "/."), directory});
    if (!fetcher.manifest().empty()) {
        // Links in their places would lead to files of this machine.
        if (fs::is_symlink(directory / "metadata")) {
            fs::remove(directory / "metadata");
        }
        fs::create_directories(directory / "metadata");
        fs::remove(directory / manifest_path);
        fs::copy_file(fetcher.manifest(), directory / manifest_path);
    }
}

}  // namespace gearbox::cli
