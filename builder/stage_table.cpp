#include "host.h"
#include "stage.h"

#include "base/error.h"
#include "stages/stages.h"

#include <algorithm>

namespace gearbox::builder {

namespace {

using Options = std::optional<Json>;

Options nothing(const Recipe&, const Facts&) {
    return Json::object();
}

Options host_check(const Recipe&, const Facts& facts) {
    Json options{{"formats", facts.formats}};
    if (!facts.given.empty()) {
        options["given"] = facts.given;
    }
    return options;
}

void run_host_check(StageContext& context) {
    require_good_host(context.cache, context.options.at("formats").get<std::vector<std::string>>(),
                      context.options.value("given", std::set<std::string>()));
}

std::string archive_line(const Repository& repo, const std::string& url) {
    std::string line = str("deb ", url, " ", repo.suite);
    for (const std::string& component : repo.components) {
        line += " " + component;
    }
    return line;
}

std::vector<std::string> dpkg_rules(const Recipe& recipe) {
    std::vector<std::string> rules;
    if (!recipe.documents) {
        for (const char* folder : {"doc", "man", "info", "lintian", "doc-base"}) {
            rules.push_back(str("path-exclude=/usr/share/", folder, "/*"));
        }
        rules.emplace_back("path-include=/usr/share/doc/*/copyright");
        // The folders alone: update-alternatives fails where it cannot make Java's links in them.
        rules.emplace_back("path-include=/usr/share/man/man?");
    }
    if (!recipe.languages.empty()) {
        rules.emplace_back("path-exclude=/usr/share/locale/*");
        rules.emplace_back("path-include=/usr/share/locale/locale.alias");
        for (const std::string& language : recipe.languages) {
            rules.push_back(str("path-include=/usr/share/locale/", language, "/*"));
        }
    }
    for (const std::string& path : recipe.image.exclude) {
        rules.push_back("path-exclude=" + path);
    }
    for (const std::string& path : recipe.image.include) {
        rules.push_back("path-include=" + path);
    }
    return rules;
}

// Our package's dependencies are the tree's packages too, so that installing it needs no network
// and a new build of it does not need a new tree.
Options root_tree(const Recipe& recipe, const Facts& facts) {
    std::vector<std::string> packages = recipe.packages;
    packages.push_back(recipe.image.kernel);
    packages.insert(packages.end(), facts.deb_depends.begin(), facts.deb_depends.end());
    std::sort(packages.begin(), packages.end());
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
    Json archives = Json::array();
    for (const Repository& repo : recipe.repositories) {
        archives.push_back(archive_line(repo, facts.mirrors.at(repo.name)));
    }
    return Json{{"suite", recipe.repositories.front().suite},
                {"variant", recipe.core ? "important" : "minbase"},
                {"recommends", recipe.recommends},
                {"packages", packages},
                {"dpkg", dpkg_rules(recipe)},
                {"archives", archives},
                {"source_date_epoch", recipe.image.source_date_epoch}};
}

Options policy(const Recipe& recipe, const Facts&) {
    return Json{{"state", recipe.selinux}, {"policy_version", recipe.image.policy_version}};
}

Options deb(const Recipe&, const Facts& facts) {
    if (!facts.has_deb) {
        return std::nullopt;
    }
    return Json{{"version", facts.version}};
}

Options settings(const Recipe& recipe, const Facts&) {
    Json users = Json::array();
    for (const User& user : recipe.users) {
        users.push_back({{"name", user.name},
                         {"comment", user.comment},
                         {"shell", user.shell},
                         {"groups", user.groups},
                         {"uid", user.uid ? Json(*user.uid) : Json()}});
    }
    Json mounts = Json::array();
    for (const Mount& mount : recipe.mounts) {
        mounts.push_back({{"point", mount.point}, {"type", mount.type}, {"options", mount.options}});
    }
    Json archives = Json::array();
    for (const Repository& repo : recipe.repositories) {
        if (repo.install) {
            archives.push_back(archive_line(repo, repo.baseurl));
        }
    }
    const Network& network = recipe.network;
    Json options{
        {"language", recipe.language},
        {"keyboard", recipe.keyboard},
        {"timezone", recipe.timezone},
        {"hardware_clock_utc", recipe.hardware_clock_utc},
        {"root_locked", recipe.root_locked},
        {"users", users},
        {"mounts", mounts},
        {"archives", archives},
        {"cloud_domain", recipe.image.cloud_domain},
        {"gear_sizes", Json(recipe.image.gear_sizes)},
        {"default_gear_size", recipe.image.default_gear_size},
        {"tenants", recipe.image.tenants},
        {"cartridges", recipe.image.cartridges},
        {"quickstarts", recipe.image.quickstarts},
        {"firewall", {{"enabled", recipe.firewall.enabled}, {"ports", recipe.firewall.ports}}},
        {"network",
         {{"hostname", network.hostname},
          {"bootproto", network.bootproto},
          {"device", network.device},
          {"address", network.address},
          {"gateway", network.gateway}}}};
    const Json dns{{"server", recipe.image.name_server}, {"mdns", recipe.image.mdns}};
    options.update(recipe.image.name_server && recipe.image.mdns ? Json::object() : Json{{"dns", dns}});
    options.update(recipe.image.open_accounts ? Json{{"auth", "open"}} : Json::object());
    return options;  // with no word of what most recipes do not say: their ids stay
}

Options own_cartridges(const Recipe& recipe, const Facts&) {
    return recipe.image.sources.contains("own_cartridges") ? Options(Json::object()) : std::nullopt;
}

Options services(const Recipe& recipe, const Facts&) {
    std::vector<std::string> enable{"systemd-networkd"};
    if (recipe.firewall.enabled) {
        enable.emplace_back("nftables");
    }
    enable.insert(enable.end(), recipe.services_enabled.begin(), recipe.services_enabled.end());
    return Json{{"enable", enable}, {"disable", recipe.services_disabled}};
}

Options scripts(const std::vector<Script>& list) {
    if (list.empty()) {
        return std::nullopt;
    }
    Json rows = Json::array();
    for (const Script& script : list) {
        rows.push_back({{"interpreter", script.interpreter},
                        {"in_chroot", script.in_chroot},
                        {"body", script.body}});
    }
    return Json{{"scripts", rows}};
}

Options pre(const Recipe& recipe, const Facts&) {
    return scripts(recipe.pre);
}
Options post(const Recipe& recipe, const Facts&) {
    return scripts(recipe.post);
}

Options normalise(const Recipe& recipe, const Facts&) {
    return Json{{"source_date_epoch", recipe.image.source_date_epoch}};
}

// What the image says about itself is the last that is put into it.
Options labels(const Recipe& recipe, const Facts& facts) {
    return Json{{"recipe", recipe.path.filename().string()},
                {"title", recipe.image.title},
                {"version", facts.version},
                {"source_date_epoch", recipe.image.source_date_epoch}};
}

Options squashfs(const Recipe& recipe, const Facts&) {
    return Json{{"compression", recipe.image.compression}};
}

Options initramfs(const Recipe& recipe, const Facts&) {
    return Json{{"level", 12}, {"source_date_epoch", recipe.image.source_date_epoch}};
}

// What the boot menu says, of a medium and of a disk.
Json boot(const Recipe& recipe, const Facts& facts) {
    std::string arguments = recipe.boot_arguments;
    arguments = str("security=selinux enforcing=", recipe.selinux == "enforcing" ? 1 : 0,
                    arguments.empty() ? "" : " ", arguments);
    return Json{{"title", recipe.image.title},
                {"version", facts.version},
                {"timeout", recipe.boot_timeout},
                {"arguments", arguments},
                {"source_date_epoch", recipe.image.source_date_epoch}};
}

Options iso(const Recipe& recipe, const Facts& facts) {
    Json options = boot(recipe, facts);
    options["volume_id"] = recipe.image.volume_id;
    return options;
}

Options raw(const Recipe& recipe, const Facts& facts) {
    Json options = boot(recipe, facts);
    options["disk_size"] = recipe.image.disk_size;
    return options;
}

Options vagrant_disk(const Recipe& recipe, const Facts&) {
    return Json{{"disk_size", recipe.image.disk_size},
                {"source_date_epoch", recipe.image.source_date_epoch}};
}

// What describes a machine, or a container, around the file system.
Options described(const Recipe& recipe, const Facts& facts) {
    return Json{{"title", recipe.image.title},
                {"version", facts.version},
                {"suite", recipe.repositories.front().suite},
                {"disk_size", recipe.image.disk_size},
                {"source_date_epoch", recipe.image.source_date_epoch}};
}

constexpr const char* recipe_hint =
    "correct the recipe (or what it names) and run the command again; what is finished is kept";
constexpr const char* builder_hint =
    "read the log; run the command again, what is finished is kept";

}  // namespace

// Order of the layers: what changes seldom and costs most comes first. The policy does not depend
// on our package, so it comes before; the labels come last of all that touches the tree, because a
// file without its label is a denial at boot.
const std::vector<Stage>& stage_table() {
    using enum StageKind;
    static const std::vector<Stage> table{
        {"host-check",
         1,
         check,
         "what the build needs is there",
         {},
         {},
         host_check,
         run_host_check,
         "do what the list says and run the command again"},
        {"pre",
         1,
         check,
         "scripts of '%pre' on the build host",
         {},
         {},
         pre,
         stages::run_pre,
         recipe_hint},
        {"root-tree",
         5,
         layer,
         "Debian tree by mmdebstrap",
         {},
         {},
         root_tree,
         stages::run_root_tree,
         "check the network, the mirror and the package names in the log, then run it again"},
        {"policy",
         4,
         layer,
         "SELinux policy: modules kept, ours added",
         {},
         {"policy_keep", "policy_modules"},
         policy,
         stages::run_policy,
         recipe_hint},
        {"gearbox",
         1,
         layer,
         "Gearbox from its package",
         {},
         {"deb"},
         deb,
         stages::run_deb,
         "build the package again; what is finished of the tree is kept"},
        {"settings",
         5,
         layer,
         "language, time, network, firewall, users",
         {},
         {},
         settings,
         stages::run_settings,
         recipe_hint},
        {"own-cartridges",
         1,
         layer,
         "cartridges that stand beside the recipe",
         {},
         {"own_cartridges"},
         own_cartridges,
         stages::run_own_cartridges,
         recipe_hint},
        {"overlay",
         3,
         layer,
         "files that only the image has",
         {},
         {"overlay", "initramfs"},
         nothing,
         stages::run_overlay,
         recipe_hint},
        {"services",
         1,
         layer,
         "units that start at boot",
         {},
         {},
         services,
         stages::run_services,
         "a unit named in 'services' must come from a package, the .deb or the overlay"},
        {"post", 1, layer, "scripts of '%post'", {}, {}, post, stages::run_post, recipe_hint},
        {"normalise",
         1,
         layer,
         "no keys, no ids, no traces of the build",
         {},
         {},
         normalise,
         stages::run_normalise,
         builder_hint},
        {"labels",
         4,
         layer,
         "SELinux labels, so that no boot relabels",
         {},
         {},
         labels,
         stages::run_labels,
         builder_hint,
         "policy"},
        {"squashfs",
         3,
         artifact,
         "compressed root file system",
         {"labels"},
         {},
         squashfs,
         stages::run_squashfs,
         builder_hint,
         "policy"},
        {"initramfs",
         2,
         artifact,
         "what finds the medium at boot",
         {"root-tree"},
         {"initramfs"},
         initramfs,
         stages::run_initramfs,
         recipe_hint},
        {"iso",
         7,
         artifact,
         "hybrid image for BIOS and UEFI, disc and stick",
         {"squashfs", "root-tree", "initramfs"},
         {"boot_menu"},
         iso,
         stages::run_iso,
         builder_hint},
        {"raw",
         4,
         artifact,
         "disk for BIOS and UEFI, grows to its machine's",
         {"labels", "initramfs"},
         {"boot_menu"},
         raw,
         stages::run_raw,
         "is 'disk_size' in '%addon gearbox' large enough? Then read the log"},
        {"qcow2",
         1,
         artifact,
         "the disk for QEMU, compressed",
         {"raw"},
         {},
         nothing,
         stages::run_qcow2,
         builder_hint},
        {"vmdk",
         1,
         artifact,
         "the disk as a streamOptimized VMDK",
         {"raw"},
         {},
         nothing,
         stages::run_vmdk,
         builder_hint},
        {"vdi",
         1,
         artifact,
         "the disk for VirtualBox",
         {"raw"},
         {},
         nothing,
         stages::run_vdi,
         builder_hint},
        {"ova",
         1,
         artifact,
         "virtual machine: OVF, disk, checksums",
         {"vmdk"},
         {},
         described,
         stages::run_ova,
         builder_hint},
        {"vagrant-disk",
         2,
         artifact,
         "the disk with Vagrant's public key",
         {"raw"},
         {},
         vagrant_disk,
         stages::run_vagrant_disk,
         builder_hint},
        {"vagrant-vmdk",
         1,
         artifact,
         "that disk as a VMDK",
         {"vagrant-disk"},
         {},
         nothing,
         stages::run_vagrant_vmdk,
         builder_hint},
        {"vagrant-qcow2",
         1,
         artifact,
         "that disk for QEMU",
         {"vagrant-disk"},
         {},
         nothing,
         stages::run_vagrant_qcow2,
         builder_hint},
        {"vagrant-virtualbox",
         2,
         artifact,
         "Vagrant box for VirtualBox",
         {"vagrant-vmdk"},
         {},
         described,
         stages::run_vagrant_virtualbox,
         builder_hint},
        {"vagrant-libvirt",
         2,
         artifact,
         "Vagrant box for libvirt",
         {"vagrant-qcow2"},
         {},
         described,
         stages::run_vagrant_libvirt,
         builder_hint},
        {"tar",
         1,
         artifact,
         "root file system with its labels as an archive",
         {"labels"},
         {},
         normalise,
         stages::run_tar,
         builder_hint},
        {"oci",
         1,
         artifact,
         "container image of the archive",
         {"tar"},
         {},
         described,
         stages::run_oci,
         builder_hint},
        {"packages",
         1,
         artifact,
         "what is in it: packages, SPDX",
         {"labels"},
         {},
         described,
         stages::run_packages,
         builder_hint},
    };
    return table;
}

}  // namespace gearbox::builder
