// What the commands of the recipe say about the running system.
#include "diagnostics.h"
#include "stages/stages.h"
#include "toml_edit.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

std::string text_of(const Json& object, const char* key) {
    return object.at(key).get<std::string>();
}

void put_locale(StageContext& context) {
    const fs::path& tree = context.tree;
    const std::string language = text_of(context.options, "language");
    put_file(tree / "etc/locale.conf", str("LANG=", language, "\n"));
    fs::create_directories(tree / "etc/default");
    fs::remove(tree / "etc/default/locale");
    fs::create_symlink("../locale.conf", tree / "etc/default/locale");
    if (!language.starts_with("C")) {
        const auto dot = language.find('.');
        const std::string charset = dot == std::string::npos ? "UTF-8" : language.substr(dot + 1);
        put_file(tree / "etc/locale.gen", str(language, " ", charset, "\n"));
        in_tree(context, {"locale-gen"});
    }
    const std::string keyboard = text_of(context.options, "keyboard");
    put_file(tree / "etc/vconsole.conf", str("KEYMAP=", keyboard, "\n"));
    put_file(tree / "etc/default/keyboard",
             str("XKBMODEL=\"pc105\"\nXKBLAYOUT=\"", keyboard, "\"\nBACKSPACE=\"guess\"\n"));
}

void put_time(StageContext& context) {
    const fs::path& tree = context.tree;
    const std::string zone = text_of(context.options, "timezone");
    if (!fs::exists(tree / "usr/share/zoneinfo" / zone)) {
        fail(ErrorKind::invalid, "the time zone '", zone, "' is not in the tree",
             " (is the package 'tzdata' listed?)");
    }
    fs::remove(tree / "etc/localtime");
    fs::create_symlink("/usr/share/zoneinfo/" + zone, tree / "etc/localtime");
    put_file(tree / "etc/timezone", zone + "\n");
    if (!context.options.at("hardware_clock_utc").get<bool>()) {
        put_file(tree / "etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
    }
}

void put_network(StageContext& context) {
    const fs::path& tree = context.tree;
    const Json& network = context.options.at("network");
    const std::string name = text_of(network, "hostname");
    put_file(tree / "etc/hostname", name + "\n");
    put_file(tree / "etc/hosts", str("127.0.0.1 localhost\n127.0.1.1 ", name,
                                     "\n::1 localhost ip6-localhost ip6-loopback\n"));
    // mmdebstrap leaves the build host's.
    put_file(tree / "etc/resolv.conf", "");
    const std::string device = text_of(network, "device");
    // Links of gears (gb*) are gearboxd's.
    const char* const key = device.find(':') == std::string::npos ? "Name=" : "PermanentMACAddress=";
    std::string text = str("[Match]\n", device == "link" ? "Type=ether\nKind=!*" : key + device,
                           "\n\n[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n");
    if (text_of(network, "bootproto") == "dhcp") {
        text += "DHCP=yes\n\n[DHCPv4]\nUseHostname=no\n\n[DHCPv6]\nUseHostname=no\n";
    } else {
        const std::string gateway = text_of(network, "gateway");
        text += str("Address=", text_of(network, "address"), "\n",
                    gateway.empty() ? "" : str("Gateway=", gateway, "\n"));
    }
    // The first file that fits counts: what the operator, or Vagrant, has for a card goes before it.
    put_file(tree / "etc/systemd/network/80-gearbox.network", text);
}

// 1 and 58 are ICMP and ICMPv6: a small image has no /etc/protocols to look names up in.
constexpr const char* firewall_head = R"(#!/usr/sbin/nft -f
# Written by gearbox-build from the recipe's 'firewall' line. A table of its own: gearboxd keeps one
# too, and neither may flush the other's.
table inet firewall
delete table inet firewall
table inet firewall {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "lo" accept
        # Links of gears: the table of gearboxd has refused what is not meant for them.
        iifname "gb*" accept
        meta l4proto { 1, 58 } accept
        udp dport { 68, 546 } accept
)";

void put_firewall(StageContext& context) {
    const Json& firewall = context.options.at("firewall");
    if (!firewall.at("enabled").get<bool>()) {
        return;
    }
    std::string rules;
    for (const Json& port : firewall.at("ports")) {
        const auto text = port.get<std::string>();
        const auto colon = text.find(':');
        rules +=
            str("        ", text.substr(colon + 1), " dport ", text.substr(0, colon), " accept\n");
    }
    put_file(context.tree / "etc/nftables.conf", firewall_head + rules + "    }\n}\n", 0755);
    // The unit as packaged flushes every table when it stops, gearboxd's too.
    put_file(context.tree / "etc/systemd/system/nftables.service.d/gearbox.conf",
             "[Service]\nExecStop=\nExecStop=/usr/sbin/nft delete table inet firewall\n");
}

void put_mounts(StageContext& context) {
    std::string text = "# Written by gearbox-build.\n";
    for (const Json& mount : context.options.at("mounts")) {
        const std::string point = text_of(mount, "point");
        fs::create_directories(context.tree / fs::path(point).relative_path());
        text += str(text_of(mount, "type"), " ", point, " ", text_of(mount, "type"), " ",
                    text_of(mount, "options"), " 0 0\n");
    }
    put_file(context.tree / "etc/fstab", text);
}

void put_archives(StageContext& context) {
    std::string text;
    for (const Json& line : context.options.at("archives")) {
        text += line.get<std::string>() + "\n";
    }
    put_file(context.tree / "etc/apt/sources.list", text);
    fs::remove_all(context.tree / "etc/apt/sources.list.d");
    fs::create_directory(context.tree / "etc/apt/sources.list.d");
    fs::remove(context.tree / "etc/apt/apt.conf.d/99mmdebstrap");
}

void add_users(StageContext& context) {
    if (context.options.at("root_locked").get<bool>()) {
        in_tree(context, {"usermod", "--password", "!*", "root"});
    }
    for (const Json& user : context.options.at("users")) {
        // A system account: uids and gids from 1000 on belong to gears.
        std::vector<std::string> argv{"useradd", "--system", "--create-home", "--shell",
                                      text_of(user, "shell")};
        if (!text_of(user, "comment").empty()) {
            argv.insert(argv.end(), {"--comment", text_of(user, "comment")});
        }
        if (!user.at("uid").is_null()) {
            argv.insert(argv.end(), {"--uid", std::to_string(user.at("uid").get<int>())});
        }
        std::string groups;
        for (const Json& group : user.at("groups")) {
            // Does nothing if there is such a group.
            in_tree(context, {"groupadd", "--system", "--force", group.get<std::string>()});
            groups += (groups.empty() ? "" : ",") + group.get<std::string>();
        }
        if (!groups.empty()) {
            argv.insert(argv.end(), {"--groups", groups});
        }
        argv.push_back(text_of(user, "name"));
        in_tree(context, std::move(argv));
    }
}

// For the name server, and for gearboxd; the default needs no change of its configuration file.
void put_cloud_domain(StageContext& context) {
    const std::string domain = text_of(context.options, "cloud_domain");
    std::string defaults = str("# As broker.cloud_domain in /etc/gearbox/gearboxd.toml.\nDOMAIN=", domain, "\n");
    if (context.options.contains("dns")) {
        // For the welcome text, which starts the servers and names both.
        const auto word = [&](const char* part) { return context.options["dns"].at(part).get<bool>() ? "yes" : "no"; };
        defaults += str("SERVER=", word("server"), "\nMDNS=", word("mdns"), "\n");
    }
    put_file(context.tree / "etc/default/gearbox-dns", defaults);
    const fs::path path = context.tree / "etc/gearbox/gearboxd.toml";
    const auto text = find_file(path);
    if (text && domain != "gearbox.localhost") {
        put_file(path, with_toml_value(*text, "broker", "cloud_domain", str("\"", domain, "\"")));
    }
}

void put_gear_sizes(StageContext& context) {
    const fs::path path = context.tree / "etc/gearbox/gearboxd.toml";
    for (const auto& [name, limits] : context.options.at("gear_sizes").items()) {
        const std::string section = name == "small" ? "gear" : "size." + name;
        for (const auto& [key, value] : limits.items()) {
            put_file(path, with_toml_value(read_file(path), section, key, to_text(value)));
        }
    }
    if (const std::string size = text_of(context.options, "default_gear_size"); size != "small") {
        put_file(path, with_toml_value(read_file(path), "broker", "default_gear_size", str("\"", size, "\"")));
    }
}

void put_accounts(StageContext& context) {
    const fs::path path = context.tree / "etc/gearbox/gearboxd.toml";
    if (context.options.contains("auth")) {
        put_file(path, with_toml_value(read_file(path), "broker", "create_users", "true"));
    }
}

// For firstboot, and the welcome screen.
void put_tenants(StageContext& context) {
    std::string text;
    for (const Json& login : context.options.at("tenants")) {
        text += login.get<std::string>() + "\n";
    }
    if (!text.empty()) {
        put_file(context.tree / "etc/gearbox/tenants", text);
    }
}

// Of a catalogue, a folder with one folder each, only what is picked stays, and comes with a newer
// package.
void pick(StageContext& context, const char* catalogue) {
    const auto picked = context.options.at(catalogue).get<std::vector<std::string>>();
    if (picked.empty()) {
        return;
    }
    const fs::path folder = context.tree / "usr/share/gearbox" / catalogue;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    std::string rules = str("path-exclude=/usr/share/gearbox/", catalogue, "/*\n");
    for (const std::string& name : picked) {
        if (!std::binary_search(names.begin(), names.end(), name)) {
            fail(ErrorKind::invalid, "'", catalogue, "': there is no '", name, "'; ",
                 did_you_mean(name, names, "there are " + join_names(names)));
        }
        for (const char* part : {"\n", "/*\n"}) {
            rules += str("path-include=/usr/share/gearbox/", catalogue, "/", name, part);
        }
    }
    put_file(context.tree / "etc/dpkg/dpkg.cfg.d" / str("gearbox-", catalogue), rules);
    for (const std::string& name : names) {
        if (std::find(picked.begin(), picked.end(), name) == picked.end()) {
            fs::remove_all(folder / name);
        }
    }
}

}  // namespace

void run_settings(StageContext& context) {
    put_locale(context);
    put_time(context);
    put_network(context);
    put_firewall(context);
    put_mounts(context);
    put_archives(context);
    put_cloud_domain(context);
    put_gear_sizes(context);
    put_accounts(context);
    put_tenants(context);
    pick(context, "cartridges");
    pick(context, "quickstarts");
    add_users(context);
}

namespace {

// Owners are root. Modes are those that git keeps: a clone under another umask must give the same image.
void copy_onto(const fs::path& from, const fs::path& tree) {
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        const fs::path name = entry.path().lexically_relative(from);
        const fs::path to = tree / name;
        const auto status = entry.symlink_status();
        if (fs::is_directory(status)) {
            if (fs::is_symlink(to)) {
                fail(ErrorKind::conflict, "the overlay has the folder '", name.string(),
                     "', which is a link in the tree: use the real path below /usr");
            }
            if (fs::create_directory(to)) {
                fs::permissions(to, fs::perms(0755));
            }
            continue;
        }
        fs::remove(to);
        fs::copy(entry.path(), to, fs::copy_options::copy_symlinks);
        if (!fs::is_symlink(status)) {
            const bool runs = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
            fs::permissions(to, fs::perms(runs ? 0755 : 0644));
        }
    }
}

}  // namespace

// With what the system makes the initramfs of a new kernel from, as the builder does.
void run_overlay(StageContext& context) {
    copy_onto(context.sources.at("overlay"), context.tree);
    const fs::path lists = context.tree / "usr/lib/gearbox/initramfs";
    fs::create_directories(lists);
    copy_onto(context.sources.at("initramfs"), lists);
}

// Each is looked through by the same program that its author has for that.
void run_own_cartridges(StageContext& context) {
    const fs::path catalogue = "/usr/share/gearbox/cartridges";
    for (const auto& entry : fs::directory_iterator(context.sources.at("own_cartridges"))) {
        const fs::path place = catalogue / entry.path().filename();
        const fs::path to = context.tree / place.relative_path();
        if (!fs::exists(entry.path() / "metadata/manifest.yml")) {
            fail(ErrorKind::invalid, "'", entry.path().string(),
                 "' is not a cartridge: it has no metadata/manifest.yml");
        }
        if (!fs::create_directory(to)) {
            fail(ErrorKind::conflict, "there is a packaged cartridge '",
                 entry.path().filename().string(), "' already: give the folder another name");
        }
        fs::permissions(to, fs::perms(0755));
        copy_onto(entry.path(), to);
        in_tree(context, {"gearbox", "cartridge", "check", place});
    }
}

void run_services(StageContext& context) {
    for (const char* verb : {"enable", "disable"}) {
        std::vector<std::string> argv{"systemctl", verb};
        for (const Json& unit : context.options.at(verb)) {
            argv.push_back(unit.get<std::string>());
        }
        if (argv.size() > 2) {
            in_tree(context, std::move(argv));
        }
    }
}

namespace {

void run_scripts(StageContext& context) {
    int number = 0;
    for (const Json& script : context.options.at("scripts")) {
        context.progress(-1, str("script ", ++number));
        ToolCall call;
        call.argv = {text_of(script, "interpreter"), "-s"};
        if (text_of(script, "interpreter") == "/bin/sh") {
            call.argv = {"/bin/sh", "-eu", "-s"};
        }
        call.input = text_of(script, "body");
        if (script.at("in_chroot").get<bool>()) {
            call.root = context.tree;
        } else {
            call.environment = {"GEARBOX_ROOT=" + context.tree.string()};
        }
        while_doing([&] { context.tools.run(call); }, "script ", number);
    }
}

}  // namespace

void run_pre(StageContext& context) {
    run_scripts(context);
}
void run_post(StageContext& context) {
    run_scripts(context);
}

}  // namespace gearbox::builder::stages
