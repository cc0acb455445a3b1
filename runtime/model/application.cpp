#include "model/application.h"

#include "base/str.h"

#include <algorithm>
#include <array>

namespace gearbox {

std::string application_host(const Application& application, const std::string& cloud_domain) {
    return str(application.name.text(), "-", application.domain_name.text(), ".", cloud_domain);
}

std::string busy_text(const ApplicationName& name, std::chrono::seconds waited) {
    return str("Application '", name.text(), "' is busy: a push, a snapshot or another operation has been running for more than ",
               waited.count(), " s. Try again when it has ended.");
}

namespace {

bool is_plain(std::string_view text) {
    return !text.empty() && text.size() <= 2048 && text.front() != '-' &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return c > ' ' && c != 0x7f && c != '\\'; });
}

// git-check-ref-format(1), the part that matters for a branch or commit given as an argument.
bool is_ref(std::string_view text) {
    return text.size() <= 256 && is_plain(text) && text.find("..") == std::string_view::npos &&
           text.find_first_of("~^:?*[@{") == std::string_view::npos && text.front() != '/' &&
           text.back() != '/' && text.back() != '.';
}

bool has_allowed_scheme(std::string_view url) {
    constexpr std::array<std::string_view, 7> schemes = {"git://",  "http://", "https://", "ssh://",
                                                         "ftp://",  "ftps://", "rsync://"};
    return std::any_of(schemes.begin(), schemes.end(), [&](auto s) { return url.starts_with(s); });
}

// user@host:path, as scp writes it.
bool is_scp_style(std::string_view url) {
    const auto at = url.find('@');
    const auto colon = url.find(':', at == std::string_view::npos ? 0 : at);
    return at != std::string_view::npos && at > 0 && colon != std::string_view::npos &&
           colon > at + 1 && colon + 1 < url.size() && url.find("://") == std::string_view::npos;
}

bool is_quickstart(std::string_view url, std::string_view quickstart_dir) {
    constexpr std::string_view scheme = "file://";
    if (!url.starts_with(scheme)) {
        return false;
    }
    const std::string_view path = url.substr(scheme.size());
    return path.starts_with(str(quickstart_dir, "/")) && path.find("/..") == std::string_view::npos;
}

}  // namespace

std::optional<GitSource> parse_git_source(std::string_view text, std::string_view quickstart_dir) {
    const auto hash = text.find('#');
    const std::string_view url = text.substr(0, hash);
    const std::string_view ref =
        hash == std::string_view::npos ? std::string_view{} : text.substr(hash + 1);
    if (!is_plain(url) || (hash != std::string_view::npos && !is_ref(ref))) {
        return std::nullopt;
    }
    if (!has_allowed_scheme(url) && !is_scp_style(url) && !is_quickstart(url, quickstart_dir)) {
        return std::nullopt;
    }
    return GitSource{std::string(url), std::string(ref)};
}

}  // namespace gearbox
