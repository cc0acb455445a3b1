#include "names.h"
#include "recipe_tables.h"

#include "base/str.h"

#include <algorithm>

namespace gearbox::builder {

namespace {

void apply_lang(const Arguments& line, Recipe& recipe, Problems& problems) {
    const Word& locale = line.operands.front();
    if (!is_locale(locale.text)) {
        problems.add(locale.at, str("'", locale.text, "' is not a locale"),
                     "a locale is a name such as 'C.UTF-8' or 'de_DE.UTF-8'");
    }
    recipe.language = locale.text;
}

void apply_keyboard(const Arguments& line, Recipe& recipe, Problems& problems) {
    const Word& layout = line.operands.front();
    if (!is_simple_word(layout.text)) {
        problems.add(layout.at, str("'", layout.text, "' is not a keyboard layout"),
                     "a layout is a short name such as 'us', 'de' or 'fr'");
    }
    recipe.keyboard = layout.text;
}

void apply_timezone(const Arguments& line, Recipe& recipe, Problems& problems) {
    const Word& zone = line.operands.front();
    if (!is_time_zone(zone.text)) {
        problems.add(zone.at, str("'", zone.text, "' is not a time zone"),
                     "a time zone is a name such as 'Etc/UTC' or 'Europe/Berlin'");
    }
    recipe.timezone = zone.text;
    recipe.hardware_clock_utc = line.has("--utc");
}

void apply_selinux(const Arguments& line, Recipe& recipe, Problems& problems) {
    if (line.has("--enforcing") == line.has("--permissive")) {
        problems.add(line.at, "'selinux' needs either '--enforcing' or '--permissive'",
                     "an appliance enforces; '--permissive' is for looking for denials");
        return;
    }
    recipe.selinux = line.has("--enforcing") ? "enforcing" : "permissive";
}

void apply_rootpw(const Arguments& line, Recipe& recipe, Problems& problems) {
    if (!line.has("--lock")) {
        problems.add(line.at, "'rootpw' without '--lock' would bake a password into the image",
                     "write 'rootpw --lock'; accounts get their passwords at first boot");
    }
    recipe.root_locked = true;
}

void apply_user(const Arguments& line, Recipe& recipe, Problems& problems) {
    User user;
    user.name = line.text("--name");
    user.comment = line.text("--gecos");
    user.shell = line.text("--shell", user.shell);
    user.groups = line.list("--groups");
    const auto checked = [&](const std::string& name, const Location& at) {
        if (!is_account_name(name)) {
            problems.add(at, str("'", name, "' is not an account name"),
                         "use lower case letters, digits, '-' and '_', up to 31");
        }
    };
    if (line.has("--name")) {
        checked(user.name, line.options.at("--name").at);
    }
    for (const std::string& group : user.groups) {
        checked(group, line.options.at("--groups").at);
    }
    if (line.has("--uid")) {
        user.uid = line.number("--uid", 0);
        if (*user.uid < 1 || *user.uid >= 1000) {
            problems.add(line.options.at("--uid").at,
                         str("uid ", *user.uid, " is not a system account's"),
                         "choose 1 to 999: gears use the uids from 1000");
        }
    }
    if (std::any_of(recipe.users.begin(), recipe.users.end(),
                    [&user](const User& other) { return other.name == user.name; })) {
        problems.add(line.at, str("the user '", user.name, "' is defined twice"));
    }
    recipe.users.push_back(std::move(user));
}

void apply_services(const Arguments& line, Recipe& recipe, Problems& problems) {
    if (!line.has("--enabled") && !line.has("--disabled")) {
        problems.add(line.at, "'services' changes nothing", "add '--enabled=…' or '--disabled=…'");
    }
    const auto take = [&](const char* option, std::vector<std::string>& to,
                          const std::vector<std::string>& other) {
        for (const std::string& unit : line.list(option)) {
            if (!is_unit_name(unit)) {
                problems.add(line.options.at(option).at, str("'", unit, "' is not a service"));
            } else if (std::find(other.begin(), other.end(), unit) != other.end()) {
                problems.add(line.options.at(option).at,
                             str("'", unit, "' is both enabled and disabled"));
            } else if (std::find(to.begin(), to.end(), unit) == to.end()) {
                to.push_back(unit);
            }
        }
    };
    take("--enabled", recipe.services_enabled, recipe.services_disabled);
    take("--disabled", recipe.services_disabled, recipe.services_enabled);
}

bool is_port(const std::string& text) {
    const auto colon = text.find(':');
    const auto number = find_number(text.substr(0, colon));
    const std::string protocol = colon == std::string::npos ? "tcp" : text.substr(colon + 1);
    return number && *number > 0 && *number < 65536 && (protocol == "tcp" || protocol == "udp");
}

void apply_firewall(const Arguments& line, Recipe& recipe, Problems& problems) {
    if (line.has("--enabled") && line.has("--disabled")) {
        problems.add(line.at, "'firewall' is both enabled and disabled", "keep one of the two");
    }
    recipe.firewall.enabled = !line.has("--disabled");
    recipe.firewall.ports.clear();
    for (const auto& [option, port] : {std::pair{"--ssh", "22:tcp"}, std::pair{"--http", "80:tcp"},
                                       std::pair{"--https", "443:tcp"}}) {
        if (line.has(option)) {
            recipe.firewall.ports.emplace_back(port);
        }
    }
    for (const std::string& port : line.list("--port")) {
        if (!is_port(port)) {
            problems.add(line.options.at("--port").at, str("'", port, "' is not a port"),
                         "write NUMBER:tcp or NUMBER:udp");
            continue;
        }
        const bool bare = port.find(':') == std::string::npos;
        recipe.firewall.ports.push_back(bare ? port + ":tcp" : port);
    }
}

// The prefix of a static address is behind it, or what '--netmask' means.
void take_netmask(const Arguments& line, Network& network, Problems& problems) {
    const bool has_prefix = network.address.find('/') != std::string::npos;
    if (network.bootproto != "static") {
        return;
    }
    if (!line.has("--ip") || has_prefix == line.has("--netmask")) {
        problems.add(line.at, "'--bootproto=static' needs '--ip=ADDRESS/PREFIX', or '--ip' and '--netmask'",
                     "for example '--ip=192.168.56.10/24'");
    } else if (!has_prefix) {
        const auto prefix = prefix_of_netmask(line.text("--netmask"));
        if (!prefix) {
            problems.add(line.options.at("--netmask").at,
                         str("'", line.text("--netmask"), "' is not a netmask"), "for example '255.255.255.0'");
        }
        network.address += str("/", prefix.value_or(0));
    }
}

void apply_network(const Arguments& line, Recipe& recipe, Problems& problems) {
    Network& network = recipe.network;
    network.hostname = line.text("--hostname", network.hostname);
    network.bootproto = line.text("--bootproto", network.bootproto);
    network.bootproto = network.bootproto == "bootp" ? "dhcp" : network.bootproto;
    network.device = line.text("--device", network.device);
    network.address = line.text("--ip");
    network.gateway = line.text("--gateway");
    if (!is_host_name(network.hostname)) {
        problems.add(line.options.at("--hostname").at,
                     str("'", network.hostname, "' is not a host name"),
                     "use lower case letters, digits and '-', in parts separated by '.'");
    }
    if (network.bootproto != "dhcp" && network.bootproto != "static") {
        problems.add(line.options.at("--bootproto").at,
                     str("'", network.bootproto, "' is not a way to get an address"),
                     "write '--bootproto=dhcp' or '--bootproto=static'");
    }
    for (const char* option : {"--ip", "--netmask", "--gateway"}) {
        if (line.has(option) && network.bootproto == "dhcp") {
            problems.add(line.options.at(option).at, str("'", option, "' is for '--bootproto=static'"));
        } else if (line.has(option) && !is_address(line.text(option))) {
            problems.add(line.options.at(option).at,
                         str("'", line.text(option), "' is not an address"));
        }
    }
    take_netmask(line, network, problems);
    if (network.device == "bootif" || network.device == "ibft") {
        problems.add(line.options.at("--device").at,
                     str("'", network.device, "' is a device that only an installer knows"),
                     "write 'link' for every Ethernet device");
    } else if (!is_simple_word(network.device) && !is_mac_address(network.device)) {
        problems.add(line.options.at("--device").at,
                     str("'", network.device, "' is not a network device"),
                     "write 'link' for every Ethernet device, or a name such as 'eth0', or a MAC address");
    }
}

void apply_bootloader(const Arguments& line, Recipe& recipe, Problems& problems) {
    recipe.boot_arguments = line.text("--append", recipe.boot_arguments);
    recipe.boot_timeout = line.number("--timeout", recipe.boot_timeout);
    if (recipe.boot_timeout < 0 || recipe.boot_timeout > 600) {
        problems.add(line.options.at("--timeout").at,
                     str("a timeout of ", recipe.boot_timeout, " s is out of range"),
                     "choose 0 to 600 seconds");
    }
}

void apply_part(const Arguments& line, Recipe& recipe, Problems& problems) {
    const Word& point = line.operands.front();
    const std::string type = line.text("--fstype");
    if (point.text == "/") {
        for (const auto& [name, value] : line.options) {
            problems.add(value.at, str("'", name, "' of '/' is the format's: squashfs on a live medium, ext4 on a disk"),
                         "write 'part /', or leave the line out");
        }
        return;
    }
    if (!point.text.starts_with("/") || point.text.find("..") != std::string::npos) {
        problems.add(point.at, str("'", point.text, "' is not a mount point"),
                     "a mount point is an absolute path");
    }
    if (type != "tmpfs") {
        problems.add(line.at, str("'part ", point.text, "' needs '--fstype=tmpfs'"),
                     "a live image has no disk: everything else lives in memory");
    }
    if (line.has("--fsoptions") && !is_mount_options(line.text("--fsoptions"))) {
        problems.add(line.options.at("--fsoptions").at, "mount options have no blanks and no '#'",
                     "separate them by ','");
    }
    recipe.mounts.push_back({point.text, type, line.text("--fsoptions", "mode=0755,nosuid,nodev")});
}

void apply_repo(const Arguments& line, Recipe& recipe, Problems& problems) {
    Repository repo;
    repo.name = line.text("--name");
    repo.suite = line.text("--suite", "trixie");
    repo.components = line.list("--components");
    repo.baseurl = line.text("--baseurl");
    repo.install = line.has("--install");
    repo.at = line.at;
    if (repo.components.empty()) {
        repo.components = {"main"};
    }
    if (!repo.baseurl.empty() && !is_url(repo.baseurl)) {
        problems.add(line.options.at("--baseurl").at, str("'", repo.baseurl, "' is not a URL"),
                     "write http://…, https://… or file:///…, or leave the option out to use the "
                     "build host's mirror");
    }
    if (repo.install && repo.baseurl.empty()) {
        problems.add(line.options.at("--install").at, "'--install' needs '--baseurl'",
                     "the build host's mirror may be out of the image's reach");
    }
    for (const Repository& other : recipe.repositories) {
        if (other.name == repo.name) {
            problems.add(line.at, str("the repository '", repo.name, "' is defined twice"));
        }
    }
    recipe.repositories.push_back(std::move(repo));
}

}  // namespace

const std::vector<RecipeCommand>& command_table() {
    using enum Takes;
    static const std::vector<RecipeCommand> table{
        {{"lang",
          "LOCALE",
          true,
          false,
          "language of the system; others than C.UTF-8 need the package 'locales'",
          {}},
         apply_lang},
        {{"keyboard", "LAYOUT", true, false, "keyboard layout of the console", {}}, apply_keyboard},
        {{"timezone",
          "ZONE",
          true,
          false,
          "time zone, as below /usr/share/zoneinfo",
          {{"--utc", nothing, "the hardware clock runs in UTC"}}},
         apply_timezone},
        {{"selinux",
          "",
          false,
          false,
          "state of SELinux from the first instruction on",
          {{"--enforcing", nothing, "denials are enforced"},
           {"--permissive", nothing, "denials are only logged"}}},
         apply_selinux},
        {{"rootpw",
          "",
          false,
          false,
          "root's password: there is none",
          {{"--lock", nothing, "nobody logs in as root"}}},
         apply_rootpw},
        {{"user",
          "",
          false,
          true,
          "an account without a password",
          {{"--name", text, "its name", true},
           {"--gecos", text, "who it is"},
           {"--groups", list, "supplementary groups; those that no package made are made as system groups"},
           {"--shell", text, "login shell (/bin/bash)"},
           {"--uid", number, "user id, below 1000"}}},
         apply_user},
        {{"services",
          "",
          false,
          true,
          "systemd units",
          {{"--enabled", list, "units that start at boot"},
           {"--disabled", list, "units that do not, though their package wants to"}}},
         apply_services},
        {{"firewall",
          "",
          false,
          false,
          "nftables rules for what comes in",
          {{"--enabled", nothing, "only the listed ports are open"},
           {"--disabled", nothing, "everything is open"},
           {"--ssh", nothing, "port 22"},
           {"--http", nothing, "port 80"},
           {"--https", nothing, "port 443"},
           {"--port", list, "more ports, NUMBER:tcp or NUMBER:udp"}}},
         apply_firewall},
        {{"network",
          "",
          false,
          false,
          "host name and addresses (systemd-networkd)",
          {{"--hostname", text, "name of the machine"},
           {"--bootproto", text, "dhcp (bootp is the same) or static"},
           {"--device", text, "'link' (every Ethernet device), a name or a MAC address"},
           {"--ip", text, "address, for static; with the prefix length, or beside --netmask"},
           {"--netmask", text, "netmask of an IPv4 address"},
           {"--gateway", text, "default gateway, for static"}}},
         apply_network},
        {{"bootloader",
          "",
          false,
          false,
          "boot menu",
          {{"--append", text, "kernel arguments"}, {"--timeout", number, "seconds to wait"}}},
         apply_bootloader},
        {{"part",
          "MOUNTPOINT",
          true,
          true,
          "a tmpfs; the root file system '/' is as the format has it",
          {{"--fstype", text, "tmpfs"},
           {"--fsoptions", text, "mount options of a tmpfs"}}},
         apply_part},
        {{"repo",
          "",
          false,
          true,
          "a Debian archive that packages come from",
          {{"--name", text, "what messages call it", true},
           {"--suite", text, "suite (trixie)"},
           {"--components", list, "components (main)"},
           {"--baseurl", text, "where it is; left out: the mirror of the build host's apt sources"},
           {"--install", nothing, "stays in the image's apt sources; needs --baseurl"}}},
         apply_repo},
    };
    return table;
}

}  // namespace gearbox::builder
