#include "formats.h"
#include "names.h"
#include "recipe_tables.h"

#include "base/error.h"
#include "base/settings.h"
#include "base/str.h"
#include "base/toml_file.h"

#include <algorithm>
#include <sstream>

namespace gearbox::builder {

namespace {

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t");
    const auto last = text.find_last_not_of(" \t");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::filesystem::path beside(const Word& value) {
    return (std::filesystem::path(value.at.file).parent_path() / value.text).lexically_normal();
}

template <const char* Role>
void apply_source(const Word& value, Recipe& recipe, Problems&) {
    recipe.image.sources[Role] = beside(value);
}

constexpr char overlay[] = "overlay";
constexpr char initramfs_folder[] = "initramfs";
constexpr char boot_menu[] = "boot_menu";
constexpr char policy_keep[] = "policy_keep";
constexpr char policy_modules[] = "policy_modules";
constexpr char own_cartridges_folder[] = "own_cartridges";

void apply_range(const Word& value, int least, int most, int& to, Problems& problems) {
    const auto number = find_number(value.text);
    if (!number || *number < least || *number > most) {
        problems.add(value.at,
                     str("'", value.text, "' is not a number from ", least, " to ", most));
        return;
    }
    to = *number;
}

void apply_volume_id(const Word& value, Recipe& recipe, Problems& problems) {
    if (!is_volume_id(value.text)) {
        problems.add(value.at, str("'", value.text, "' is not a volume name"),
                     "use up to 32 upper case letters, digits and '_'");
    }
    recipe.image.volume_id = value.text;
}

void apply_title(const Word& value, Recipe& recipe, Problems& problems) {
    if (value.text.find_first_of("\"\\$@") != std::string::npos) {
        problems.add(value.at, "the title has a character that the boot menu cannot show",
                     "leave out '\"', '\\', '$' and '@'");
    }
    recipe.image.title = value.text;
}

void apply_cloud_domain(const Word& value, Recipe& recipe, Problems& problems) {
    if (!is_host_name(value.text)) {
        problems.add(value.at, str("'", value.text, "' is not a domain name"));
    }
    recipe.image.cloud_domain = value.text;
}

void apply_kernel(const Word& value, Recipe& recipe, Problems& problems) {
    if (!value.text.starts_with("linux-image-") || !is_package_name(value.text)) {
        problems.add(value.at, str("'", value.text, "' is not a kernel package"),
                     "the full kernel is 'linux-image-amd64'");
    }
    recipe.image.kernel = value.text;
}

void apply_compression(const Word& value, Recipe& recipe, Problems& problems) {
    apply_range(value, 1, 22, recipe.image.compression, problems);
}

void apply_disk_size(const Word& value, Recipe& recipe, Problems& problems) {
    apply_range(value, 2048, 2097152, recipe.image.disk_size, problems);
}

void apply_policy_version(const Word& value, Recipe& recipe, Problems& problems) {
    apply_range(value, 30, 35, recipe.image.policy_version, problems);
}

void apply_epoch(const Word& value, Recipe& recipe, Problems& problems) {
    int seconds = 0;
    apply_range(value, 1, 2147483647, seconds, problems);
    recipe.image.source_date_epoch = seconds;
}

void apply_glob(const Word& value, std::vector<std::string>& to, Problems& problems) {
    if (!value.text.starts_with("/")) {
        problems.add(value.at, str("'", value.text, "' is not an absolute path"));
    }
    to.push_back(value.text);
}

void apply_exclude(const Word& value, Recipe& recipe, Problems& problems) {
    apply_glob(value, recipe.image.exclude, problems);
}

void apply_include(const Word& value, Recipe& recipe, Problems& problems) {
    apply_glob(value, recipe.image.include, problems);
}

std::vector<std::string> take_names(const Word& value, bool (*is_name)(const std::string&),
                                    const char* what, const char* hint, Problems& problems) {
    const std::vector<std::string> names = split_list(value.text);
    if (names.empty()) {
        problems.add(value.at, str("there is no name in '", value.text, "'"));
    }
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (!is_name(*name)) {
            problems.add(value.at, str("'", *name, "' is not the name of a ", what), hint);
        } else if (std::find(names.begin(), name, *name) != name) {
            problems.add(value.at, str("'", *name, "' is listed twice"));
        }
    }
    return names;
}

void apply_cartridges(const Word& value, Recipe& recipe, Problems& problems) {
    recipe.image.cartridges = take_names(value, is_simple_word, "cartridge", "", problems);
}

void apply_quickstarts(const Word& value, Recipe& recipe, Problems& problems) {
    recipe.image.quickstarts = take_names(value, is_simple_word, "quickstart", "", problems);
}

void apply_size_limit(const Word& value, const std::string& word,
                      std::map<std::string, std::int64_t>& size, Problems& problems) {
    const auto equals = word.find('=');
    const std::string key = word.substr(0, equals);
    GearSettings unused;
    std::vector<std::string> keys;
    for (const toml_file::Row& row : toml_file::gear_rows("", unused)) {
        if (row.key != key) {
            keys.push_back(row.key);
            continue;
        }
        const auto number = find_number(equals == std::string::npos ? "" : word.substr(equals + 1));
        if (!number || *number < row.min || *number > row.max) {
            problems.add(value.at,
                         str("'", key, "' needs a number from ", row.min, " to ", row.max),
                         str("write '", key, "=", std::get<std::int64_t>(row.fallback), "'"));
            return;
        }
        size[key] = *number;
        return;
    }
    problems.add(value.at, str("a gear size has no '", key, "'"),
                 did_you_mean(key, keys, str("it has ", join_names(keys))));
}

void apply_gear_size(const Word& value, Recipe& recipe, Problems& problems) {
    std::istringstream words(value.text);
    std::string name;
    std::string word;
    words >> name;
    if (name.size() > 24 ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
        problems.add(value.at, str("'", name, "' is not the name of a gear size"),
                     "use lower case letters, digits and '_', up to 24; what all get is 'small'");
    }
    auto& size = recipe.image.gear_sizes[name];
    while (words >> word) {
        apply_size_limit(value, word, size, problems);
    }
}

// Whether there is such a size is known at the end.
void apply_default_gear_size(const Word& value, Recipe& recipe, Problems&) {
    recipe.image.default_gear_size = value.text;
}

constexpr int most_tenants = 500;

void apply_tenants(const Word& value, Recipe& recipe, Problems& problems) {
    auto& tenants = recipe.image.tenants;
    if (find_number(value.text)) {
        int count = 0;
        apply_range(value, 1, most_tenants, count, problems);
        tenants.clear();
        for (int i = 1; i <= count; ++i) {
            const std::string number = std::to_string(i);
            const std::size_t digits = count < 100 ? 2 : 3;
            tenants.push_back(str("student", std::string(digits - number.size(), '0'), number));
        }
        return;
    }
    tenants = take_names(value, is_login, "tenant",
                         "use letters, digits, '_', '@', and, not first, '.' and '-'", problems);
    if (tenants.size() > most_tenants) {
        problems.add(value.at,
                     str(tenants.size(), " tenants, and ", most_tenants, " are the most"));
    }
    if (std::find(tenants.begin(), tenants.end(), "demo") != tenants.end()) {
        problems.add(value.at, "'demo' is the account that every image has", "choose another name");
    }
}

void apply_dns(const Word& value, Recipe& recipe, Problems& problems) {
    std::vector<std::string> parts;
    if (value.text != "none") {
        parts = take_names(
            value, [](const std::string& name) { return name == "server" || name == "mdns"; },
            "part of 'dns'", "there are 'server' and 'mdns', and 'none' stands alone", problems);
    }
    const auto has = [&parts](const char* name) {
        return std::find(parts.begin(), parts.end(), name) != parts.end();
    };
    recipe.image.name_server = has("server");
    recipe.image.mdns = has("mdns");
}

void apply_auth(const Word& value, Recipe& recipe, Problems& problems) {
    if (value.text != "accounts" && value.text != "open") {
        problems.add(value.at, str("'", value.text, "' is not a kind of 'auth'"),
                     "use 'accounts', or 'open', which makes one for a login that is not known yet");
    }
    recipe.image.open_accounts = value.text == "open";
}

// The words behind a section's name, which are options only.
Arguments section_options(const CommandSpec& spec, const Section& section, Problems& problems) {
    return match_arguments(spec, section.at, section.arguments, problems);
}

void take_package(const Word& word, Recipe& recipe, Problems& problems) {
    if (word.text.starts_with("@")) {
        problems.add(word.at, str("'", word.text, "': Debian has no package groups"),
                     "list the packages one by one");
        return;
    }
    const bool excluded = word.text.starts_with("-");
    const std::string name = excluded ? word.text.substr(1) : word.text;
    if (!is_package_name(name)) {
        problems.add(word.at, str("'", name, "' is not a package name"),
                     "Debian's package names have lower case letters, digits, '+', '-' and '.'");
        return;
    }
    auto& list = recipe.packages;
    const auto place = std::lower_bound(list.begin(), list.end(), name);
    const bool known = place != list.end() && *place == name;
    if (!excluded && !known) {
        list.insert(place, name);
    } else if (excluded && known) {
        list.erase(place);
    } else if (excluded) {
        problems.add(word.at, str("'-", name, "' excludes a package that no line before lists"),
                     did_you_mean(name, list, "remove the line"));
    }
}

}  // namespace

const CommandSpec& packages_spec() {
    static const CommandSpec spec{
        "%packages",
        "",
        false,
        true,
        "Debian packages, one a line; '-name' takes one back",
        {{"--nocore", Takes::nothing, "only 'required' packages besides, not the 'important' ones"},
         {"--excludedocs", Takes::nothing, "no manuals and documents (copyrights stay)"},
         {"--exclude-weakdeps", Takes::nothing, "no recommended packages"},
         {"--inst-langs", Takes::list, "keep only these message catalogues ('none' for none)"}}};
    return spec;
}

const CommandSpec& pre_spec() {
    static const CommandSpec spec{
        "%pre",
        "",
        false,
        true,
        "a script that runs on the build host before the first stage",
        {{"--interpreter", Takes::text, "program that reads the script (/bin/sh)"},
         {"--erroronfail", Takes::nothing, "accepted; a failing script always ends the build"}}};
    return spec;
}

const CommandSpec& post_spec() {
    static const CommandSpec spec{
        "%post",
        "",
        false,
        true,
        "a script that runs in the finished tree, without network",
        {{"--interpreter", Takes::text, "program that reads the script (/bin/sh)"},
         {"--nochroot", Takes::nothing, "on the build host; the tree is $GEARBOX_ROOT"},
         {"--erroronfail", Takes::nothing, "accepted; a failing script always ends the build"}}};
    return spec;
}

namespace {

void apply_formats(const Word& value, Recipe& recipe, Problems& problems) {
    try {
        recipe.image.formats = parse_formats(value.text, "'formats'");
    } catch (const Error& error) {
        problems.add(value.at, error.what());
    }
}

}  // namespace

const std::vector<AddonKey>& addon_table() {
    static const std::vector<AddonKey> table{
        {"title", "TEXT", "name in the boot menu (Gearbox)", false, apply_title},
        {"volume_id", "NAME", "volume name of the medium (GEARBOX)", false, apply_volume_id},
        {"cloud_domain", "DOMAIN", "applications are NAME-NAMESPACE.DOMAIN (gearbox.localhost)",
         false, apply_cloud_domain},
        {"kernel", "PACKAGE", "kernel package (linux-image-amd64)", false, apply_kernel},
        {"compression", "LEVEL", "zstd level of the root image, 1 to 22 (3)", false,
         apply_compression},
        {"disk_size", "MIB", "size of a disk image before it grows, from 2048 (8192)", false,
         apply_disk_size},
        {"formats", "A,B,…", "what is made unless --format says otherwise (iso)", false,
         apply_formats},
        {"source_date_epoch", "SECONDS", "newest time stamp in the image", false, apply_epoch},
        {"exclude", "PATTERN", "paths that packages do not unpack (dpkg path-exclude)", true,
         apply_exclude},
        {"include", "PATTERN", "exceptions from 'exclude' (dpkg path-include)", true,
         apply_include},
        {overlay, "FOLDER", "files copied onto the tree", false, apply_source<overlay>},
        {initramfs_folder, "FOLDER", "with 'init' and the lists 'modules' and 'programs'", false,
         apply_source<initramfs_folder>},
        {boot_menu, "FILE", "GRUB menu with @NAMES@ to fill in", false, apply_source<boot_menu>},
        {policy_keep, "FILE", "policy modules that stay enabled", false, apply_source<policy_keep>},
        {policy_modules, "FOLDER", "our policy modules, *.cil", false,
         apply_source<policy_modules>},
        {"policy_version", "NUMBER", "binary policy version that the kernel reads (33)", false,
         apply_policy_version},
        {"cartridges", "A,B,…", "which of the packaged ones are on offer (all)", false,
         apply_cartridges},
        {"quickstarts", "A,B,…", "which of the packaged ones are on offer (all)", false,
         apply_quickstarts},
        {own_cartridges_folder, "FOLDER", "cartridges that are on offer, too, a folder each", false,
         apply_source<own_cartridges_folder>},
        {"gear_size", "NAME KEY=NUMBER …",
         "limits of a gear size, as in gearboxd.toml; 'small' is what everybody may use", true,
         apply_gear_size},
        {"default_gear_size", "NAME", "size of an application that asks for none (small)", false,
         apply_default_gear_size},
        {"tenants", "COUNT or A,B,…",
         "accounts made at first boot, student01 and so on, or these; at most 500", false,
         apply_tenants},
        {"dns", "A,B or none",
         "what answers for names: 'server', for the applications, and 'mdns', for the machine (both)",
         false, apply_dns},
        {"auth", "accounts or open",
         "'open' makes an account for a login that is not known yet, with the password it comes with "
         "(accounts)",
         false, apply_auth},
    };
    return table;
}

void apply_packages(const Section& section, Recipe& recipe, Problems& problems) {
    const Arguments options = section_options(packages_spec(), section, problems);
    recipe.core = recipe.core && !options.has("--nocore");
    recipe.documents = recipe.documents && !options.has("--excludedocs");
    recipe.recommends = recipe.recommends && !options.has("--exclude-weakdeps");
    if (options.has("--inst-langs")) {
        recipe.languages = options.list("--inst-langs");
    }
    for (const SourceLine& line : section.body) {
        const std::vector<Word> words = split_words(line, problems);
        if (words.size() > 1) {
            problems.add(words[1].at, "more than one package on a line", "one package a line");
        }
        if (!words.empty()) {
            take_package(words.front(), recipe, problems);
        }
    }
}

void apply_script(const Section& section, Recipe& recipe, Problems& problems) {
    const bool post = section.name == "%post";
    const Arguments options = section_options(post ? post_spec() : pre_spec(), section, problems);
    Script script;
    script.at = section.at;
    script.interpreter = options.text("--interpreter", script.interpreter);
    script.in_chroot = post && !options.has("--nochroot");
    for (const SourceLine& line : section.body) {
        script.body += line.text + "\n";
    }
    if (!script.interpreter.starts_with("/")) {
        problems.add(options.options.at("--interpreter").at,
                     str("'", script.interpreter, "' is not an absolute path"),
                     "for example '--interpreter=/bin/bash'");
    }
    (post ? recipe.post : recipe.pre).push_back(std::move(script));
}

namespace {

void apply_addon_line(const SourceLine& line, Recipe& recipe, std::vector<std::string>& seen,
                      Problems& problems) {
    const auto start = line.text.find_first_not_of(" \t");
    if (start == std::string::npos || line.text[start] == '#') {
        return;
    }
    const Location at{line.at.file, line.at.line, static_cast<int>(start) + 1};
    const auto equals = line.text.find('=');
    if (equals == std::string::npos) {
        problems.add(at, str("'", trimmed(line.text), "' is not a setting"), "write 'key = value'");
        return;
    }
    const std::string name = trimmed(line.text.substr(0, equals));
    std::vector<std::string> names;
    for (const AddonKey& key : addon_table()) {
        if (name != key.name) {
            names.emplace_back(key.name);
            continue;
        }
        const std::string value = trimmed(line.text.substr(equals + 1));
        const auto column = line.text.find_first_not_of(" \t", equals + 1);
        if (value.empty()) {
            problems.add(at, str("'", name, "' has no value"), str("it takes a ", key.value));
            return;
        }
        if (!key.repeatable && std::find(seen.begin(), seen.end(), name) != seen.end()) {
            problems.add(at, str("'", name, "' is set twice in this section"));
        }
        seen.push_back(name);
        key.apply({value, {at.file, at.line, static_cast<int>(column) + 1}}, recipe, problems);
        return;
    }
    problems.add(at, str("unknown setting '", name, "'"),
                 did_you_mean(name, names, str("there are ", join_names(names))));
}

}  // namespace

void apply_addon(const Section& section, Recipe& recipe, Problems& problems) {
    if (section.arguments.size() != 1 || section.arguments[0].text != "gearbox") {
        const bool named = !section.arguments.empty();
        problems.add(named ? section.arguments[0].at : section.at,
                     named ? str("unknown addon '", section.arguments[0].text, "'")
                           : "'%addon' needs a name",
                     "the only one is '%addon gearbox'");
        return;
    }
    std::vector<std::string> seen;
    for (const SourceLine& line : section.body) {
        apply_addon_line(line, recipe, seen, problems);
    }
}

}  // namespace gearbox::builder
