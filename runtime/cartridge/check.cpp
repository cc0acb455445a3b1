#include "cartridge/check.h"

#include "base/error.h"
#include "base/file.h"
#include "base/settings.h"
#include "base/subprocess.h"
#include "model/cartridge.h"
#include "model/manifest_shape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace gearbox::cartridge {

namespace fs = std::filesystem;

namespace {

constexpr const char* manifest_path = "metadata/manifest.yml";
constexpr const char* control_path = "bin/control";
constexpr std::size_t most_of_a_script = 1 << 20;

class Check {
public:
    Check(const fs::path& directory, const Limits& limits) : directory_(directory), limits_(limits) {}

    Report run() {
        std::error_code error;
        if (!fs::is_directory(directory_, error)) {
            wrong("", "there is no such directory");
            return std::move(report_);
        }
        look_at_manifest();
        look_at_tree();
        look_at_control();
        for (const char* folder : {"bin", "hooks"}) {
            look_at_scripts(folder);
        }
        std::stable_sort(report_.findings.begin(), report_.findings.end(),
                         [](const Finding& a, const Finding& b) { return a.place < b.place; });
        return std::move(report_);
    }

private:
    template <typename... Parts>
    void wrong(const std::string& place, const Parts&... parts) {
        report_.findings.push_back({true, place, str(parts...)});
    }
    template <typename... Parts>
    void odd(const std::string& place, const Parts&... parts) {
        report_.findings.push_back({false, place, str(parts...)});
    }

    // No link in its place: it could lead to a file of the machine.
    bool is_own_file(const std::string& path) const {
        std::error_code error;
        return fs::is_directory(fs::symlink_status(directory_ / fs::path(path).parent_path(), error)) &&
               fs::is_regular_file(fs::symlink_status(directory_ / path, error));
    }

    void look_at_manifest() {
        if (!is_own_file(manifest_path)) {
            wrong(manifest_path, "is missing; every cartridge has one (cartridges/SCHEMA.md)");
            return;
        }
        try {
            const std::string text = read_file(directory_ / manifest_path, 64 * 1024);
            const std::vector<Cartridge> versions = parse_manifest(text);
            look_at_keys(manifest_keys(text));
            for (const std::string& value : ignored_values(text)) {
                odd(manifest_path, value, " has no Key, or a Type other than environment and cart_data: it is shown to nobody");
            }
            const Cartridge& first = versions.front();
            report_.name = first.base_name();
            report_.vendor = first.vendor;
            report_.cartridge_version = first.cartridge_version;
            for (const Cartridge& version : versions) {
                report_.offers.push_back(version.full_name());
            }
            if (first.cartridge_version == "0.0.0") {
                odd(manifest_path, "Cartridge-Version is missing: an update cannot be told from this one");
            }
            if (first.vendor.empty() || is_reserved_vendor(first.vendor)) {
                odd(manifest_path, "Cartridge-Vendor must name its author, not '", first.vendor,
                    "', for it to be imported or used by its address");
            }
            if (first.is_web_framework() && first.endpoints.empty()) {
                odd(manifest_path, "Endpoints is missing: a web_framework that listens nowhere is reached by nobody");
            }
        } catch (const Error& error) {
            wrong(manifest_path, error.text());
        }
    }

    // Others' own keys are theirs; one that is nearly one of ours is a slip.
    void look_at_keys(const std::vector<std::string>& keys) {
        const std::vector<std::string> known = known_manifest_keys();
        for (const std::string& key : keys) {
            const bool is_known = std::find(known.begin(), known.end(), key) != known.end();
            if (const std::string meant = is_known ? "" : nearest(key, known); !meant.empty()) {
                odd(manifest_path, "the key '", key, "' is not known and means nothing; '", meant, "' was meant?");
            }
        }
    }

    void look_at_tree() {
        std::int64_t bytes = 0;
        std::int64_t files = 0;
        std::error_code error;
        for (fs::recursive_directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
            const fs::file_status status = at->symlink_status(error);
            const std::string place = at->path().lexically_relative(directory_);
            ++files;
            if (fs::is_regular_file(status)) {
                bytes += static_cast<std::int64_t>(at->file_size(error));
                if ((status.permissions() & (fs::perms::set_uid | fs::perms::set_gid)) != fs::perms::none) {
                    odd(place, "is set-uid or set-gid, which has no effect in a gear");
                }
            } else if (!fs::is_directory(status) && !fs::is_symlink(status)) {
                wrong(place, "is a device, pipe or socket; a cartridge is files, directories and links");
            }
            if (files > limits_.files || bytes > limits_.bytes) {
                wrong("", "has more than ", limits_.files, " files or ", limits_.bytes >> 20, " MiB");
                return;
            }
        }
        if (error) {
            wrong("", "cannot be read: ", error.message());
        }
    }

    void look_at_control() {
        if (!is_own_file(control_path)) {
            odd(control_path, "is missing: there is nothing to start, and nobody tells how it is");
        }
    }

    void look_at_scripts(const char* folder) {
        std::error_code error;
        std::vector<std::string> names;
        if (fs::is_directory(fs::symlink_status(directory_ / folder, error))) {
            for (fs::directory_iterator at(directory_ / folder, error), end; !error && at != end; at.increment(error)) {
                names.push_back(str(folder, "/", at->path().filename().native()));
            }
        }
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) {
            if (!is_own_file(name)) {
                continue;
            }
            try {
                look_at_script(name, read_file(directory_ / name, most_of_a_script));
            } catch (const Error& error_of_file) {
                wrong(name, error_of_file.text());
            }
        }
    }

    void look_at_script(const std::string& name, const std::string& text) {
        if (text.empty()) {
            wrong(name, "is empty");
        } else if (text.starts_with("\x7f" "ELF")) {
            look_at_program(name, text);
        } else if (text.find('\0') != std::string::npos) {
            wrong(name, "is neither a script nor a program of this system");
        } else if (text.find("\r\n") != std::string::npos) {
            wrong(name, "ends its lines as Windows does; sed -i 's/\\r$//' makes it a script");
        } else if (text.starts_with("#!")) {
            look_at_interpreter(name, text.substr(2, text.find('\n') - 2));
        }
    }

    // ELF header (elf(5)): class at 4, byte order at 5, machine at 18.
    void look_at_program(const std::string& name, const std::string& text) {
        constexpr int bits_64 = 2;
        constexpr int x86_64 = 62;
        if (text.size() < 20 || text[4] != bits_64 || static_cast<unsigned char>(text[18]) != x86_64) {
            wrong(name, "is a program for another processor than x86-64");
        } else {
            odd(name, "is a compiled program: it runs only if the libraries it was linked with are on the node");
        }
    }

    void look_at_interpreter(const std::string& name, const std::string& line) {
        std::istringstream words(line);
        std::string program;
        std::string argument;
        words >> program >> argument;
        const bool by_path = program == "/usr/bin/env";
        const std::string what = by_path ? argument : program;
        const std::string base = fs::path(what).filename();
        if (base == "bash" || base == "sh") {
            look_at_syntax(name);
        }
        const bool is_there = by_path ? is_on_path(what) : fs::exists(what) || is_on_path(base);
        if (what.empty() || !is_there) {
            odd(name + ":1", "wants '", line, "', which is not on this machine");
        }
    }

    // In a gear these directories are on the PATH, and what v2 had in /usr/bin is found there.
    static bool is_on_path(const std::string& base) {
        constexpr std::array folders = {"/usr/libexec/gearbox/bin", "/usr/bin", "/usr/sbin"};
        std::error_code error;
        return std::any_of(folders.begin(), folders.end(),
                           [&](const char* folder) { return fs::exists(fs::path(folder) / base, error); });
    }

    // Read, not run (bash(1), -n).
    void look_at_syntax(const std::string& name) {
        ToolOptions options;
        options.directory = directory_;
        options.deadline = std::chrono::seconds(10);
        options.environment = {"LC_ALL=C"};
        const ToolResult done = run_tool({"bash", "-n", name}, options);
        if (done.status == 0) {
            return;
        }
        // "bin/setup: line 12: syntax error near …"
        std::string line = done.err.substr(0, done.err.find('\n'));
        std::string place = name;
        if (const std::string head = name + ": line "; line.starts_with(head)) {
            int number = 0;
            const char* const from = line.data() + head.size();
            const auto [end, failed] = std::from_chars(from, line.data() + line.size(), number);
            const auto after = static_cast<std::size_t>(end - line.data());
            if (failed == std::errc() && line.compare(after, 2, ": ") == 0) {
                place += str(":", number);
                line.erase(0, after + 2);
            }
        }
        wrong(place, line);
    }

    const fs::path& directory_;
    const Limits& limits_;
    Report report_;
};

}  // namespace

bool Report::is_usable() const {
    return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.is_error; });
}

Report check(const fs::path& directory, const Limits& limits) {
    return Check(directory, limits).run();
}

Source source_of(const std::string& manifest) {
    const Cartridge first = parse_manifest(manifest).front();
    return {first.source_url, first.source_md5, first.source_sha256};
}

std::string to_line(const Finding& finding) {
    return finding.place.empty() ? finding.text : str(finding.place, ": ", finding.text);
}

}  // namespace gearbox::cartridge
