#include "cli/cartridge_source.h"

#include "base/error.h"
#include "base/file.h"
#include "base/percent.h"
#include "base/subprocess.h"
#include "cartridge/check.h"
#include "model/cartridge_url.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

namespace gearbox::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* manifest_path = "metadata/manifest.yml";
constexpr int deepest_listing = 8;
constexpr int most_listed = 2000;
constexpr std::size_t largest_page = 4 << 20;

bool is_address(const std::string& source) {
    return source.starts_with("http://") || source.starts_with("https://");
}

bool ends_with_any(const std::string& text, std::initializer_list<const char*> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return text.ends_with(end); });
}

// Of an address without what stands behind '?' and '#'.
std::string plain_part(const std::string& source) {
    return is_address(source) ? source.substr(0, source.find_first_of("?#")) : source;
}

bool is_archive(const std::string& source) {
    return ends_with_any(plain_part(source), {".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip"});
}

bool is_manifest(const std::string& source) {
    return ends_with_any(plain_part(source), {".yml", ".yaml"});
}

bool is_repository(const std::string& source) {
    return !is_address(source) || plain_part(source).ends_with(".git");
}

std::string file_name(const std::string& source) {
    const std::string path = plain_part(source);
    const std::string name = path.substr(path.rfind('/') + 1).substr(0, 100);
    return name.empty() || name == "." || name == ".." ? "index" : name;
}

// The contract's limits: two redirections; a manifest is small, an archive at most what a cartridge may be.
fs::path download(const std::string& address, const fs::path& directory) {
    fs::create_directories(directory);
    const fs::path file = directory / file_name(address);
    const std::int64_t most = is_manifest(address) ? 20'480 : cartridge::Limits{}.bytes;
    run_tool_checked({"curl", "--silent", "--show-error", "--fail", "--location", "--globoff", "--proto",
                      "=http,https", "--max-redirs", "2", "--connect-timeout", "10", "--max-time", "600",
                      "--max-filesize", std::to_string(most), "--output", file, "--", address});
    if (!fs::exists(file)) {
        write_file_atomically(file, "");  // curl makes no file of an empty answer
    }
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

std::string head_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string head(512, '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(in.gcount()));
    return head;
}

bool is_zip(const std::string& head) {
    return head.starts_with("PK\3\4");
}

// By its first bytes (gzip, bzip2, xz, zip; a tar has its word at 257).
bool looks_like_archive(const std::string& head) {
    return head.starts_with("\x1f\x8b") || head.starts_with("BZh") || head.starts_with("\xfd" "7zXZ") || is_zip(head) ||
           (head.size() > 262 && head.compare(257, 5, "ustar") == 0);
}

bool looks_like_page(const std::string& head) {
    const auto first = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    return first != std::string::npos && head[first] == '<';
}

// tar takes absolute names as relative ones, and refuses those with "..".
void unpack(const fs::path& archive, const fs::path& to) {
    fs::create_directories(to);
    if (archive.extension() == ".zip" || is_zip(head_of(archive))) {
        run_tool_checked({"unzip", "-q", archive, "-d", to});
    } else {
        run_tool_checked({"tar", "--extract", "--no-same-owner", "--no-same-permissions", "--file", archive,
                          "--directory", to});
    }
}

// Plain files on a web server are a repository that knows no depth.
void clone(const std::string& url, const std::string& ref, const fs::path& to, bool foreign_only) {
    ToolOptions quiet;
    quiet.environment = {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false"};
    if (foreign_only) {
        quiet.environment.push_back("GIT_ALLOW_PROTOCOL=http:https:git");
    }
    const auto attempt = [&](bool shallow) {
        std::vector<std::string> command = {"git", "clone", "--quiet", "--single-branch", "--no-tags"};
        if (shallow) {
            command.insert(command.end(), {"--depth", "1"});
        }
        if (!ref.empty()) {
            command.push_back("--branch=" + ref);
        }
        command.insert(command.end(), {"--", url, to});
        run_tool_checked(command, quiet);
    };
    try {
        attempt(true);
    } catch (const Error& error) {
        if (error.text().find("dumb http") == std::string::npos) {
            throw;
        }
        fs::remove_all(to);
        attempt(false);
    }
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
    Fetcher(std::string sha256, const fs::path& work, const Sources& allowed)
        : sha256_(std::move(sha256)), work_(work), allowed_(allowed) {}

    // The directory with the cartridge.
    fs::path get(const std::string& source) {
        check_allowed(source, "the address");
        if (allowed_.foreign_only || is_address(source)) {
            return from_address(source);
        }
        if (is_archive(source)) {
            return from_archive(source);
        }
        if (fs::is_directory(source)) {
            return source;
        }
        if (is_manifest(source) && fs::exists(source)) {
            return by_manifest(source, cartridge::source_of(manifest_text(source)), false);
        }
        if (source.find("://") == std::string::npos && !fs::exists(source.substr(0, source.rfind('#')))) {
            fail(ErrorKind::not_found, "'", source, "' is no file or directory here, and no address");
        }
        return from_repository(source);
    }

    /// To be laid over the one that comes with the code; empty if none was asked for.
    const fs::path& manifest() const { return manifest_; }

private:
    void check_allowed(const std::string& source, const char* what) const {
        if (!allowed_.foreign_only) {
            return;
        }
        if (const std::string wrong = wrong_with_cartridge_url(source, allowed_.prefixes); !wrong.empty()) {
            fail(ErrorKind::invalid, what, " '", source, "' ", wrong);
        }
    }

    // By its name; or else by what is there.
    fs::path from_address(const std::string& source) {
        const RepositoryPlace place = repository_place(source);
        if (is_manifest(source) && plain_part(source).find("/blob/") == std::string::npos) {
            return at_manifest(source, download(source, work_ / "download"), place);
        }
        if (is_archive(source)) {
            return from_archive(download(source.substr(0, source.find('#')), work_ / "download"));
        }
        if (!place.repository.empty()) {
            try {
                return from_place(place);
            } catch (const Error&) {
                return from_whatever(source);  // a path that only looks like such a page
            }
        }
        if (is_repository(source) || source.find('#') != std::string::npos) {
            return from_repository(source);
        }
        return from_whatever(source);
    }

    fs::path from_whatever(const std::string& source) {
        std::string refusal;
        fs::path file;
        try {
            file = download(source, work_ / "download");
        } catch (const Error& error) {
            refusal = error.text();
        }
        if (!file.empty()) {
            const std::string head = head_of(file);
            if (looks_like_archive(head)) {
                return from_archive(file);
            }
            if (!looks_like_page(head)) {
                return at_manifest(source, file, {});
            }
            const auto names = names_in_listing(read_file(file, largest_page), source);
            if (std::find(names.begin(), names.end(), "metadata/") != names.end()) {
                return from_listing(source);
            }
        }
        try {
            return from_repository(source);
        } catch (const Error& error) {
            fail(ErrorKind::invalid, "'", source, "' is no manifest, archive, repository or listing of a cartridge: ",
                 refusal.empty() ? error.text() : refusal);
        }
    }

    // One without a Source-Url is a file of the cartridge itself.
    fs::path at_manifest(const std::string& source, const fs::path& file, const RepositoryPlace& place) {
        const cartridge::Source code = cartridge::source_of(manifest_text(file));
        const std::string path = plain_part(source);
        if (code.url.empty() && !place.repository.empty()) {
            return from_place(place);
        }
        if (const std::string end = str("/", manifest_path); code.url.empty() && path.ends_with(end)) {
            return from_listing(path.substr(0, path.size() - end.size()));
        }
        return by_manifest(file, code, true);
    }

    fs::path from_archive(const fs::path& archive) {
        verify(archive);
        unpack(archive, work_ / "unpacked");
        return top_of(work_ / "unpacked");
    }

    fs::path from_repository(const std::string& source) {
        const auto hash = source.rfind('#');
        return from_place({source.substr(0, hash), hash == std::string::npos ? "" : source.substr(hash + 1), ""});
    }

    fs::path from_place(const RepositoryPlace& place) {
        refuse_digest(place.repository);
        fs::remove_all(work_ / "cloned");
        clone(place.repository, place.ref, work_ / "cloned", allowed_.foreign_only);
        // Step by step: a link in it could lead to a directory of this machine.
        fs::path directory = work_ / "cloned";
        for (const fs::path& part : fs::path(place.directory)) {
            directory /= part;
            if (part == ".." || part.has_root_directory() || !fs::is_directory(fs::symlink_status(directory))) {
                fail(ErrorKind::invalid, "'", place.repository, "' has no directory '", place.directory, "'");
            }
        }
        return directory;
    }

    fs::path from_listing(const std::string& source) {
        refuse_digest(source);
        const fs::path top = work_ / "listed";
        list(plain_part(source) + (plain_part(source).ends_with('/') ? "" : "/"), top, 0);
        return top;
    }

    void list(const std::string& address, const fs::path& to, int depth) {
        const std::string page = read_file(download(address, work_ / "page"), largest_page);
        fs::create_directories(to);
        const auto names = names_in_listing(page, address);
        if (names.empty()) {
            // A directory with an index.html: what else is in it, nobody tells.
            fail(ErrorKind::invalid, "'", address, "' shows a page, and not its files: use an archive or a repository");
        }
        for (const std::string& name : names) {
            if (++listed_ > most_listed || depth > deepest_listing) {
                fail(ErrorKind::invalid, "the listing '", address, "' leads to more than ", most_listed,
                     " files, or deeper than ", deepest_listing, " directories");
            }
            const std::string plain = percent_decode(name);
            if (name.ends_with('/')) {
                list(address + name, to / plain.substr(0, plain.size() - 1), depth + 1);
            } else {
                fs::rename(download(address + name, work_ / "file"), to / plain);
            }
        }
    }

    static std::string manifest_text(const fs::path& file) { return read_file(file, 64 * 1024); }

    // The manifest that was asked for counts, not the one that comes with the code (contract 1.6).
    // One that comes from elsewhere names no file of this machine.
    fs::path by_manifest(const fs::path& manifest, const cartridge::Source& code, bool is_foreign) {
        verify(manifest);
        if (code.url.empty()) {
            fail(ErrorKind::invalid,
                 "the manifest names no Source-Url: it does not say where its cartridge's files are");
        }
        if (is_foreign && !is_address(code.url) && !code.url.starts_with("git://")) {
            fail(ErrorKind::invalid, "Source-Url '", code.url, "' is no http, https or git address");
        }
        check_allowed(code.url, "Source-Url");
        if (is_manifest(code.url) || !manifest_.empty()) {
            fail(ErrorKind::invalid, "Source-Url '", code.url, "' is another manifest");
        }
        manifest_ = work_ / "asked.yml";
        fs::copy_file(manifest, manifest_);
        md5_ = code.md5;
        sha256_ = code.sha256;
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

    void refuse_digest(const std::string& source) const {
        if (!md5_.empty() || !sha256_.empty()) {
            fail(ErrorKind::invalid, "'", source, "' is no archive: a checksum cannot be told of it");
        }
    }

    std::string sha256_;
    std::string md5_;    ///< of the archive that the manifest names
    fs::path manifest_;  ///< that was asked for
    const fs::path& work_;
    const Sources& allowed_;
    int listed_ = 0;
};

}  // namespace

RepositoryPlace repository_place(const std::string& address) {
    static const std::pair<std::regex, const char*> pages[] = {
        {std::regex(R"((https?)://raw\.githubusercontent\.com/([^/]+/[^/]+)/(?:refs/heads/)?([^/]+)(?:/(.*))?)"),
         "$1://github.com/$2"},
        // GitLab has groups in groups, and "-" in front of what is no group.
        {std::regex(R"((https?)://([^/]+/[^?#]+?)/-/(?:tree|blob|raw)/([^/]+)(?:/(.*))?)"), "$1://$2"},
        {std::regex(R"((https?)://([^/]+/[^/]+/[^/]+)/(?:src|raw)/(?:branch|tag)/([^/]+)(?:/(.*))?)"), "$1://$2"},
        {std::regex(R"((https?)://([^/]+/[^/]+/[^/]+)/(?:tree|blob|src|raw)/([^/]+)(?:/(.*))?)"), "$1://$2"},
    };
    for (const auto& [form, repository] : pages) {
        std::smatch found;
        const std::string path = plain_part(address);
        if (std::regex_match(path, found, form)) {
            std::string directory = found[4];
            while (directory.ends_with('/')) {
                directory.pop_back();
            }
            if (directory == manifest_path) {
                directory.clear();
            } else if (const std::string end = str("/", manifest_path); directory.ends_with(end)) {
                directory.resize(directory.size() - end.size());
            }
            return {found.format(repository), found[3], percent_decode(directory)};
        }
    }
    return {};
}

std::vector<std::string> names_in_listing(const std::string& html, const std::string& address) {
    const std::string path = plain_part(address);
    const auto slash = path.find('/', path.find("://") + 3);
    const std::string own = (slash == std::string::npos ? "" : path.substr(slash)) + (path.ends_with('/') ? "" : "/");
    static const std::regex link(R"re(<a\s[^>]*href\s*=\s*["']?([^"'\s>]+))re", std::regex::icase);
    std::set<std::string> out;
    for (std::sregex_iterator at(html.begin(), html.end(), link), end; at != end; ++at) {
        std::string name = (*at)[1];
        if (name.starts_with(own)) {
            name.erase(0, own.size());
        }
        if (name.starts_with("./")) {
            name.erase(0, 2);
        }
        const std::string plain = percent_decode(name.ends_with('/') ? name.substr(0, name.size() - 1) : name);
        const bool is_below = !plain.empty() && plain != "." && plain != ".." && plain.size() <= 255 &&
                              plain.find_first_of(std::string("/\\?#:\0", 6)) == std::string::npos &&
                              name.find_first_of("?#") == std::string::npos && plain != ".git";
        if (is_below) {
            out.insert(name);
        }
    }
    return {out.begin(), out.end()};
}

void fetch_cartridge(const std::string& source, const std::string& sha256, const fs::path& directory,
                     const Sources& allowed) {
    const TempDir work;
    Fetcher fetcher(sha256, work.path(), allowed);
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
