#include "recipe.h"

#include "recipe_tables.h"

#include "base/str.h"

#include <algorithm>

namespace gearbox::builder {

namespace {

// Where each command was first used, by file: an including recipe may override what it includes,
// but one file does not say a thing twice.
using FirstUses = std::map<std::pair<std::string, std::string>, int>;

void check_first_use(const Word& head, FirstUses& seen, Problems& problems) {
    const auto [first, is_new] = seen.try_emplace({head.at.file, head.text}, head.at.line);
    if (!is_new) {
        problems.add(head.at, str("'", head.text, "' is already on line ", first->second),
                     "keep one of the two lines");
    }
}

struct Refused {
    std::vector<std::string> names;
    const char* reason;
};

// Every other command that Kickstart has, with what to do instead.
const std::vector<Refused>& refused_commands() {
    static const std::vector<Refused> table{
        {{"autostep",    "cmdline",   "device",    "deviceprobe", "driverdisk",
          "eula",        "firstboot", "graphical", "halt",        "install",
          "interactive", "logging",   "poweroff",  "rdp",         "reboot",
          "rescue",      "shutdown",  "sshpw",     "text",        "unsupported_hardware",
          "updates",     "upgrade",   "vnc"},
         "remove the line: it is for an installer, and there is none"},
        {{"autopart", "btrfs", "clearpart", "dmraid", "fcoe", "ignoredisk", "iscsi", "iscsiname",
          "logvol", "mount", "multipath", "nvdimm", "raid", "reqpart", "snapshot", "volgroup",
          "zerombr", "zfcp"},
         "remove the line: disks are laid out by the builder, 'disk_size' in '%addon gearbox' says "
         "how large"},
        {{"bootc", "cdrom", "harddrive", "hmc", "liveimg", "method", "nfs", "ostreecontainer",
          "ostreesetup", "url"},
         "packages come from the archives that 'repo' names"},
        {{"auth", "authconfig", "authselect", "realm"},
         "accounts are the system's own; packages and files for others go into '%packages' and the "
         "overlay"},
        {{"group"},
         "groups come from packages; one more is made by 'groupadd --system' in '%post'"},
        {{"sshkey"},
         "it would open every copy: a machine is given its key as the credential "
         "gearbox.operator_key"},
        {{"lilo", "lilocheck", "zipl"}, "the boot loader is GRUB: see 'bootloader'"},
        {{"langsupport"}, "'%packages --inst-langs' says which languages stay"},
        {{"mediacheck"}, "remove the line: the boot menu of a live medium has an entry for it"},
        {{"module"}, "Debian has no modules of packages: list packages in '%packages'"},
        {{"monitor", "mouse", "skipx", "xconfig"}, "remove the line: there is no desktop"},
        {{"partition"}, "write 'part'"},
        {{"rhsm", "syspurpose"}, "remove the line: Debian has no subscriptions"},
        {{"timesource"},
         "list a package such as 'systemd-timesyncd'; its servers go into a file of the overlay"},
    };
    return table;
}

void apply_command(const CommandLine& line, Recipe& recipe, FirstUses& seen, Problems& problems) {
    const Word& head = line.words.front();
    std::vector<std::string> names;
    for (const RecipeCommand& row : command_table()) {
        if (head.text != row.spec.name) {
            names.emplace_back(row.spec.name);
            continue;
        }
        if (!row.spec.repeatable) {
            check_first_use(head, seen, problems);
        }
        const std::size_t before = problems.list().size();
        const Arguments arguments = match_arguments(
            row.spec, head.at, {line.words.begin() + 1, line.words.end()}, problems);
        if (arguments.operands.size() > 1) {
            problems.add(arguments.operands[1].at,
                         str("'", head.text, "' takes one ", row.spec.operand));
        }
        // Half a line would only bring follow-up messages.
        if (problems.list().size() == before) {
            row.apply(arguments, recipe, problems);
        }
        return;
    }
    for (const Refused& row : refused_commands()) {
        if (std::find(row.names.begin(), row.names.end(), head.text) != row.names.end()) {
            problems.add(head.at, str("'", head.text, "' cannot be used in a recipe"), row.reason);
            return;
        }
    }
    problems.add(head.at, str("unknown command '", head.text, "'"),
                 did_you_mean(head.text, names, str("there are ", join_names(names))));
}

void apply_section(const Section& section, Recipe& recipe, Problems& problems) {
    if (section.name == "%packages") {
        apply_packages(section, recipe, problems);
    } else if (section.name == "%pre" || section.name == "%post") {
        apply_script(section, recipe, problems);
    } else if (section.name == "%addon") {
        apply_addon(section, recipe, problems);
    }
}

// What no single line can know.
void check_whole(Recipe& recipe, Problems& problems) {
    const Location at{recipe.path.string(), 1, 1};
    if (recipe.repositories.empty()) {
        problems.add(at, "the recipe has no 'repo'",
                     "add 'repo --name=debian' to use the build host's mirror");
    }
    if (!recipe.root_locked) {
        problems.add(at, "the recipe says nothing about root's password", "add 'rootpw --lock'");
    }
    const std::string& size = recipe.image.default_gear_size;
    if (size != "small" && !recipe.image.gear_sizes.contains(size)) {
        problems.add(at, str("'default_gear_size' is '", size, "', and no 'gear_size' says what that is"),
                     str("add 'gear_size = ", size, " memory_mb=1024' to '%addon gearbox'"));
    }
    const auto has = [&recipe](const char* name) {
        return std::binary_search(recipe.packages.begin(), recipe.packages.end(), name);
    };
    if (recipe.language != "C.UTF-8" && recipe.language != "C" && !has("locales")) {
        problems.add(at, str("the language '", recipe.language, "' needs the package 'locales'"),
                     "add 'locales' to '%packages', or use 'lang C.UTF-8'");
    }
    if (recipe.firewall.enabled && !has("nftables")) {
        problems.add(at, "the firewall needs the package 'nftables'", "add it to '%packages'");
    }
    for (const char* needed :
         {"overlay", "initramfs", "boot_menu", "policy_keep", "policy_modules"}) {
        if (!recipe.image.sources.contains(needed)) {
            problems.add(at, str("'%addon gearbox' does not set '", needed, "'"),
                         str("add '", needed, " = PATH', relative to the recipe"));
        }
    }
    for (const char* needed : {"busybox", "selinux-policy-default", "policycoreutils"}) {
        if (!has(needed)) {
            problems.add(at, str("the image needs the package '", needed, "'"),
                         "add it to '%packages'");
        }
    }
}

// What is not to answer for names is not started, whatever an included file says.
void leave_out_names(Recipe& recipe) {
    constexpr const char* avahi = "avahi-daemon";
    std::erase_if(recipe.services_enabled, [&](const std::string& unit) {
        return (!recipe.image.name_server && unit.starts_with("gearbox-dns@")) ||
               (!recipe.image.mdns && unit.starts_with(avahi));
    });
    if (!recipe.image.mdns && std::binary_search(recipe.packages.begin(), recipe.packages.end(), avahi)) {
        recipe.services_disabled.emplace_back(avahi);  // its package enables it
    }
}

void describe(std::string& text, const CommandSpec& spec) {
    text += str("| `", spec.name, *spec.operand != '\0' ? " " : "", spec.operand, "` | ", spec.doc,
                spec.repeatable ? " (may be repeated)" : "", " |\n");
    for (const OptionSpec& option : spec.options) {
        static constexpr const char* values[] = {"", "=TEXT", "=NUMBER", "=A,B,…"};
        text += str("| &nbsp;&nbsp;`", option.name, values[static_cast<int>(option.takes)], "` | ",
                    option.doc, option.required ? " (required)" : "", " |\n");
    }
}

}  // namespace

Recipe load_recipe(const std::filesystem::path& path, const SourceReader& read, Problems& problems,
                   const std::vector<std::string>& settings) {
    const Kickstart kickstart = load_kickstart(path, read, problems);
    Recipe recipe;
    recipe.path = path.lexically_normal();
    recipe.files = kickstart.files;
    if (kickstart.files.empty()) {
        return recipe;
    }
    FirstUses seen;
    for (const CommandLine& line : kickstart.commands) {
        apply_command(line, recipe, seen, problems);
    }
    for (const Section& section : kickstart.sections) {
        apply_section(section, recipe, problems);
    }
    // One section each: the last of two is what counts, as on any command line.
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const Location at{"--set", static_cast<int>(i) + 1, 1};
        apply_addon({"%addon", at, {{"gearbox", at}}, {{settings[i], at}}}, recipe, problems);
    }
    if (problems.empty()) {
        check_whole(recipe, problems);
    }
    leave_out_names(recipe);
    return recipe;
}

std::string describe_language() {
    std::string text = "| command | meaning |\n|---|---|\n";
    for (const RecipeCommand& row : command_table()) {
        describe(text, row.spec);
    }
    text += "\n| section | meaning |\n|---|---|\n";
    for (const CommandSpec* spec : {&packages_spec(), &pre_spec(), &post_spec()}) {
        describe(text, *spec);
    }
    text += "\n| key of `%addon gearbox` | meaning |\n|---|---|\n";
    for (const AddonKey& key : addon_table()) {
        text += str("| `", key.name, " = ", key.value, "` | ", key.doc,
                    key.repeatable ? " (may be repeated)" : "", " |\n");
    }
    return text;
}

}  // namespace gearbox::builder
