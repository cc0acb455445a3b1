#include "boot_test/guest.h"

#include "base/error.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace gearbox::builder {

Page parse_page(std::string_view output) {
    const auto newline = output.rfind('\n');
    Page page;
    const std::string_view last =
        newline == std::string_view::npos ? output : output.substr(newline + 1);
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), page.status);
    if (newline == std::string_view::npos || error != std::errc() ||
        end != last.data() + last.size()) {
        fail(ErrorKind::internal, "curl said no status");
    }
    page.body = output.substr(0, newline);
    return page;
}

std::vector<std::string> find_denials(std::string_view journal) {
    std::vector<std::string> found;
    std::istringstream in{std::string(journal)};
    for (std::string line; std::getline(in, line);) {
        const auto has = [&line](const char* text) { return line.find(text) != std::string::npos; };
        if ((has("avc:") && has("denied")) || has("SELINUX_ERR") ||
            (has("audit") && has("callbacks suppressed"))) {
            found.push_back(line);
        }
    }
    return found;
}

ToolResult Guest::try_run(const std::string& command, const std::string& input,
                          std::chrono::seconds limit) const {
    ToolOptions options;
    options.input = input;
    options.deadline = limit;
    return run_tool({"ssh",
                     "-F",
                     "none",
                     "-p",
                     std::to_string(spec_.ssh_port),
                     "-i",
                     key_.string(),
                     "-o",
                     "IdentitiesOnly=yes",
                     "-o",
                     "BatchMode=yes",
                     "-o",
                     "ConnectTimeout=20",
                     "-o",
                     "StrictHostKeyChecking=accept-new",
                     "-o",
                     "LogLevel=ERROR",
                     "-o",
                     "UserKnownHostsFile=" + (spec_.work / "known_hosts").string(),
                     "gearbox@127.0.0.1",
                     command},
                    options);
}

std::string Guest::run(const std::string& command, const std::string& input) const {
    ToolResult result = try_run(command, input);
    if (result.status != 0) {
        const std::string said = result.err.empty() ? result.out : result.err;
        fail(ErrorKind::internal, "'", command, "' ended with status ", result.status, ": ",
             said.substr(said.size() - std::min<std::size_t>(said.size(), 1000)));
    }
    return std::move(result.out);
}

Page Guest::get(const std::string& host, const std::string& path) const {
    return parse_page(
        run_tool_checked({"curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "120",
                          "--header", "Host: " + host, "--write-out", "\n%{http_code}",
                          str("http://127.0.0.1:", spec_.http_port, path)}));
}

std::vector<std::string> Guest::new_denials() {
    std::vector<std::string> all = find_denials(
        run("sudo -n journalctl -b -o cat --no-pager _TRANSPORT=audit + _TRANSPORT=kernel"));
    std::vector<std::string> found(
        all.begin() + static_cast<std::ptrdiff_t>(std::min(seen_, all.size())), all.end());
    seen_ = all.size();
    return found;
}

}  // namespace gearbox::builder
