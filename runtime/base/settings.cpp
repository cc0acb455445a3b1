#include "base/settings.h"

#include "base/error.h"
#include "base/toml_file.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <variant>

namespace gearbox {

namespace {

using toml_file::Row;
using toml_file::where;
using toml_file::Words;

constexpr std::int64_t max_port = 65535;

constexpr const char* first_size = "small";

// THE list of settings. A section's rows stand together: the dump prints them in this order.
std::vector<Row> rows_of(Settings& s) {
    std::vector<Row> rows = {
        {"paths.state_dir", &s.paths.state_dir, "/var/lib/gearbox",
         "Directory of the state database, certificates and the router's map."},
        {"paths.runtime_dir", &s.paths.runtime_dir, "/run/gearbox",
         "Directory of the daemon's sockets."},
        {"broker.cloud_domain", &s.broker.cloud_domain, "gearbox.localhost",
         "DNS suffix of applications: APP-DOMAIN.SUFFIX."},
        {"broker.max_domains", &s.broker.max_domains, 10, "Domains a new user may have.", 0, 10000},
        {"broker.max_gears", &s.broker.max_gears, 100, "Gears a new user may have.", 0, 10000},
        {"broker.default_gear_size", &s.broker.default_gear_size, first_size,
         "Gear size of an application that asks for none; new users may use it beside 'small'."},
        {"broker.create_users", &s.broker.create_users, false,
         "Create an account for a login that is not known yet (for classes: any password does)."},
        {"broker.lock_wait_seconds", &s.broker.lock_wait_seconds, 120,
         "How long a request waits for a push, or another operation on its application, to end.", 1,
         280},
        {"rest.listen_address", &s.rest.listen_address, "127.0.0.1",
         "Address of the plain HTTP listener behind the router."},
        {"rest.listen_port", &s.rest.listen_port, 4080, "Its TCP port; 0 takes a free one.", 0,
         max_port},
        {"rest.max_body_bytes", &s.rest.max_body_bytes, 1048576,
         "Larger request bodies are refused with 413.", 1024, 1073741824},
        {"rest.threads", &s.rest.threads, 8, "Requests handled at the same time.", 1, 256},
        {"rest.client_dir", &s.rest.client_dir, "/usr/share/gearbox/client",
         "Directory of the client that is offered for download at /client/."},
        {"node.gear_base", &s.node.gear_base, "/var/lib/openshift", "Where the gears' homes are."},
        {"node.cartridge_dir", &s.node.cartridge_dir, "/usr/share/gearbox/cartridges",
         "Cartridges offered, one directory each (OpenShift v2 format)."},
        {"node.import_dir", &s.node.import_dir, "/var/lib/gearbox/cartridges",
         "Cartridges that the operator has imported (gearbox admin cartridge import)."},
        {"node.quickstart_dir", &s.node.quickstart_dir, "/usr/share/gearbox/quickstarts",
         "Quickstarts offered, one directory each."},
        {"node.libexec_dir", &s.node.libexec_dir, "/usr/libexec/gearbox",
         "gear-init, gear-shell, gear-hook, gear-deploy, gear-fetch and the commands put in the gears' PATH (bin/)."},
        {"node.cgroup_parent", &s.node.cgroup_parent, "",
         "cgroup that holds the gears; empty: the daemon's own delegated one (v2), '/gearbox' (v1)."},
        {"node.min_uid", &s.node.min_uid, 1000, "First uid for gears.", 500, 6999},
        {"node.max_uid", &s.node.max_uid, 6999, "Last uid for gears.", 500, 65535},
        {"node.script_timeout_seconds", &s.node.script_timeout_seconds, 3600,
         "Time one operation's cartridge scripts may take together.", 1, 86400},
        {"node.watch_seconds", &s.node.watch_seconds, 5,
         "How often started gears are looked after: services that have ended are started again; 0: never.",
         0, 3600},
        {"node.reserve_mb", &s.node.reserve_mb, 256,
         "MiB that stay free where the gears are, at most a tenth of that file system: creations, pushes, deployments and "
         "restores that would leave less are refused.",
         0, 1048576},
    };
    const std::vector<Row> gear = toml_file::gear_rows("gear.", s.gear);
    rows.insert(rows.end(), gear.begin(), gear.end());
    const std::vector<Row> others = {
        {"network.egress", &s.network.egress, true,
         "Gears may connect to the internet, if this machine can; a security profile may say otherwise."},
        {"network.reachable", &s.network.reachable, Words{},
         "What else they may connect to then, of private networks: [\"10.1.2.0/24\", \"192.168.1.9:443\"]."},
        {"network.host_ports", &s.network.host_ports, Words{},
         "TCP ports of this machine that they may connect to then: [\"443\"] lets gears use each other's sites."},
        {"mirror.enabled", &s.mirror.enabled, false,
         "Builds ask gearbox-mirror.service for what they fetch by plain HTTP (docs/mirror.md)."},
        {"mirror.user", &s.mirror.user, "gearbox-mirror", "The user that it runs as; it gets where a gear may connect."},
        {"mirror.npm", &s.mirror.npm, "https://registry.npmjs.org",
         "Where it fetches packages for npm, which it keeps for the builds of all gears; empty: npm connects by itself."},
        {"mirror.pip", &s.mirror.pip, "https://pypi.org/simple", "The same for pip."},
        {"mirror.pip_files", &s.mirror.pip_files, "https://files.pythonhosted.org", "Where that index has its files."},
        {"mirror.gem", &s.mirror.gem, "https://rubygems.org", "The same for gem, and for Bundler where a Gemfile names rubygems.org."},
        {"mirror.maven", &s.mirror.maven, "https://repo1.maven.org/maven2", "The same for Maven, where it asks the repository 'central'."},
        {"mirror.github", &s.mirror.github, "https://codeload.github.com", "Where it fetches GitHub's archives of commits, for Composer."},
        {"mirror.cache_mb", &s.mirror.cache_mb, 1024,
         "MiB that this may take of the disk of the gears, at most a tenth of it.", 1, 1048576},
        {"cartridges.by_url", &s.cartridges.by_url, true,
         "Users may bring a cartridge of their own from an address, for one application."},
        {"cartridges.url_prefixes", &s.cartridges.url_prefixes, Words{},
         "Only from addresses that begin so, with the slash at the end: [\"https://github.com/acme/\"]; empty: from all."},
        {"cartridges.url_mb", &s.cartridges.url_mb, 256, "Space that such a one may take, MiB.", 1, 65536},
        {"cartridges.url_files", &s.cartridges.url_files, 20000, "Files and directories that it may have.", 10, 1000000},
        {"cartridges.url_seconds", &s.cartridges.url_seconds, 300, "Time to fetch it, seconds.", 5, 3600},
        {"router.user", &s.router.user, "haproxy", "The user that HAProxy runs as; it may connect to gears."},
        {"router.map_file", &s.router.map_file, "/var/lib/gearbox/router/routes.map",
         "HAProxy map from host name and path to gear address."},
        {"router.admin_socket", &s.router.admin_socket, "/run/gearbox/router-admin.sock",
         "HAProxy's stats socket with level admin."},
        {"security.policy", &s.security.policy, "selinux",
         "\"selinux\": refuse to start unless SELinux is enforcing. \"none\": gears are not "
         "separated by labels; for development only."},
        {"security.profile_dir", &s.security.profile_dir, "/etc/gearbox/profiles",
         "Security profiles, one NAME.toml each (docs/security-profiles.md); it need not exist."},
        {"testing.crash_at", &s.testing.crash_at, "",
         "For the project's tests: die by SIGKILL at this fault point, OPERATION/STEP/before|after."},
    };
    rows.insert(rows.end(), others.begin(), others.end());
    return rows;
}

// [size.NAME]: what a size has other than [gear].
void apply_sizes(const toml::table& table, Settings& settings, const std::filesystem::path& file) {
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const auto* const rows = node.as_table();
        const bool is_word = !name.empty() && name.size() <= 24 && name != first_size &&
                             std::all_of(name.begin(), name.end(), [](char c) {
                                 return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                             });
        if (rows == nullptr || !is_word) {
            fail(ErrorKind::invalid, where(node, file), ": 'size.", name, "' must be a table with a name of ",
                 "lower-case letters, digits and _, other than '", first_size, "', which is [gear]");
        }
        GearSettings& size = settings.more_sizes[name];
        size = settings.gear;
        const std::string prefix = str("size.", name, ".");
        toml_file::apply(*rows, prefix, toml_file::gear_rows(prefix, size), file);
    }
}

std::string toml_string(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "\"";
}

std::string printed(const toml_file::Target& target) {
    if (auto* const* text = std::get_if<std::string*>(&target)) {
        return toml_string(**text);
    }
    if (auto* const* number = std::get_if<std::int64_t*>(&target)) {
        return std::to_string(**number);
    }
    if (auto* const* words = std::get_if<Words*>(&target)) {
        std::string list;
        for (const std::string& word : **words) {
            list += str(list.empty() ? "" : ", ", toml_string(word));
        }
        return str("[", list, "]");
    }
    return *std::get<bool*>(target) ? "true" : "false";
}

// Goes into the configuration of a web server.
bool is_https_address(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    constexpr std::string_view others = ".-_~:/";
    return text.starts_with(scheme) && text.size() > scheme.size() && text.back() != '/' &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
           });
}

void check_mirror(const MirrorSettings& mirror, const std::filesystem::path& file) {
    for (const auto& [key, address] : {std::pair("npm", &mirror.npm), {"pip", &mirror.pip}, {"pip_files", &mirror.pip_files},
                                       {"gem", &mirror.gem}, {"maven", &mirror.maven}, {"github", &mirror.github}}) {
        if (!address->empty() && !is_https_address(*address)) {
            fail(ErrorKind::invalid, file.native(), ": 'mirror.", key, "' must be https://HOST[:PORT][/PATH], without a slash at the end");
        }
    }
    if (mirror.pip.empty() != mirror.pip_files.empty()) {
        fail(ErrorKind::invalid, file.native(), ": 'mirror.pip' and 'mirror.pip_files' are both given, or both empty");
    }
}

void check_choices(const Settings& settings, const std::filesystem::path& file) {
    const std::string& policy = settings.security.policy;
    if (policy != "selinux" && policy != "none") {
        fail(ErrorKind::invalid, file.native(), ": 'security.policy' must be \"selinux\" or \"none\"");
    }
    if (settings.node.min_uid > settings.node.max_uid) {
        fail(ErrorKind::invalid, file.native(), ": 'node.min_uid' is above 'node.max_uid'");
    }
    if (!settings.has_size(settings.broker.default_gear_size)) {
        std::string names;
        for (const std::string& name : settings.size_names()) {
            names += str(names.empty() ? "" : ", ", name);
        }
        fail(ErrorKind::invalid, file.native(), ": 'broker.default_gear_size' must be one of the gear sizes: ", names);
    }
    check_mirror(settings.mirror, file);
}

}  // namespace

Settings make_default_settings() {
    Settings settings;
    for (const Row& row : rows_of(settings)) {
        std::visit(
            [&](auto* target) {
                using T = std::remove_reference_t<decltype(*target)>;
                *target = std::get<T>(row.fallback);
            },
            row.target);
    }
    return settings;
}

std::vector<std::string> Settings::size_names() const {
    std::vector<std::string> names = {first_size};
    for (const auto& [name, size] : more_sizes) {
        names.push_back(name);
    }
    return names;
}

bool Settings::has_size(const std::string& name) const {
    return name == first_size || more_sizes.contains(name);
}

const GearSettings& Settings::size(const std::string& name) const {
    const auto found = more_sizes.find(name);
    return found == more_sizes.end() ? gear : found->second;
}

std::string Settings::size_offered(const std::vector<std::string>& allowed) const {
    std::vector<std::string> names = size_names();
    names.insert(names.begin(), broker.default_gear_size);
    const auto found = std::find_first_of(names.begin(), names.end(), allowed.begin(), allowed.end());
    return found == names.end() ? "" : *found;
}

Settings load_settings(const std::filesystem::path& file) {
    Settings settings = make_default_settings();
    toml::table table = toml_file::parse(file);
    // After all else: a size is [gear] but for what it says.
    const auto sizes = table.find("size");
    toml::table own;
    if (sizes != table.end() && sizes->second.is_table()) {
        own = std::move(*sizes->second.as_table());
        table.erase(sizes);
    }
    toml_file::apply(table, "", rows_of(settings), file);
    apply_sizes(own, settings, file);
    check_choices(settings, file);
    return settings;
}

std::string dump_settings(const Settings& settings) {
    Settings copy = settings;
    std::string out;
    const auto print = [&out](const Row& row) {
        out += str("# ", row.doc, "\n", row.key.substr(row.key.rfind('.') + 1), " = ", printed(row.target), "\n");
    };
    std::string section;
    for (const Row& row : rows_of(copy)) {
        if (const std::string own = row.key.substr(0, row.key.find('.')); own != section) {
            section = own;
            out += str(out.empty() ? "" : "\n", "[", section, "]\n");
        }
        print(row);
    }
    for (auto& [name, size] : copy.more_sizes) {
        out += str("\n[size.", name, "]\n");
        for (const Row& row : toml_file::gear_rows(str("size.", name, "."), size)) {
            print(row);
        }
    }
    return out;
}

std::string settings_markdown() {
    Settings defaults = make_default_settings();
    std::string out =
        "# Settings of gearboxd\n\n`/etc/gearbox/gearboxd.toml`. Made by `gearboxd --settings-doc`.\n\n"
        "| key | default | meaning |\n|---|---|---|\n";
    for (const Row& row : rows_of(defaults)) {
        out += str("| `", row.key, "` | `", printed(row.target), "` | ", row.doc, " |\n");
    }
    out += "\n`[gear]` is the gear size `small`. Every table `[size.NAME]` is one more size: it has the keys of"
           " `[gear]`,\nand what it does not say is as in `[gear]`. `gearbox admin user set --gear-sizes` tells who"
           " may use it.\n";
    return out;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
    const auto distance = [](const std::string& a, const std::string& b) {
        std::vector<std::size_t> row(b.size() + 1);
        std::iota(row.begin(), row.end(), 0u);
        for (std::size_t i = 1; i <= a.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= b.size(); ++j) {
                const std::size_t above = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                                   diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
                diagonal = above;
            }
        }
        return row[b.size()];
    };
    std::string best;
    std::size_t least = word.size() / 3 + 2;
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(word, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

}  // namespace gearbox
