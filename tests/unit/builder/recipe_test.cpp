#include "base/file.h"
#include "model/names.h"
#include "names.h"
#include "recipe_files.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;

struct BadLine {
    const char* text;
    const char* message;
};

class RecipeLine : public testing::TestWithParam<BadLine> {};

TEST_P(RecipeLine, IsExplained) {
    EXPECT_EQ(problems_of(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Commands, RecipeLine,
    testing::Values(
        BadLine{"lagn C\n", "r.ks:1:1: error: unknown command 'lagn'\n    did you mean 'lang'?\n"},
        BadLine{"clearpart --all\n",
                "r.ks:1:1: error: 'clearpart' cannot be used in a recipe\n"
                "    remove the line: disks are laid out by the builder, 'disk_size' in '%addon "
                "gearbox' says how large\n"},
        BadLine{"reboot --eject\n",
                "r.ks:1:1: error: 'reboot' cannot be used in a recipe\n"
                "    remove the line: it is for an installer, and there is none\n"},
        BadLine{"group --name=staff\n",
                "r.ks:1:1: error: 'group' cannot be used in a recipe\n"
                "    groups come from packages; one more is made by 'groupadd --system' in '%post'\n"},
        BadLine{"sshkey --username=ann ssh-ed25519\n",
                "r.ks:1:1: error: 'sshkey' cannot be used in a recipe\n"
                "    it would open every copy: a machine is given its key as the credential "
                "gearbox.operator_key\n"},
        BadLine{"url --url=http://x\n",
                "r.ks:1:1: error: 'url' cannot be used in a recipe\n"
                "    packages come from the archives that 'repo' names\n"},
        BadLine{"timesource --ntp-server=x\n",
                "r.ks:1:1: error: 'timesource' cannot be used in a recipe\n"
                "    list a package such as 'systemd-timesyncd'; its servers go into a file of the "
                "overlay\n"},
        BadLine{"partition /\n",
                "r.ks:1:1: error: 'partition' cannot be used in a recipe\n    write 'part'\n"},
        BadLine{"lang\n", "r.ks:1:1: error: 'lang' needs LOCALE\n"},
        BadLine{"lang C de_DE\n", "r.ks:1:8: error: 'lang' takes one LOCALE\n"},
        BadLine{"lang 'C; x'\n",
                "r.ks:1:6: error: 'C; x' is not a locale\n"
                "    a locale is a name such as 'C.UTF-8' or 'de_DE.UTF-8'\n"},
        BadLine{"network --gateway=10.0.0.1\n", "r.ks:1:9: error: '--gateway' is for '--bootproto=static'\n"},
        BadLine{"network --bootproto=static --ip=10.0.0.2/24 --gateway=router\n",
                "r.ks:1:45: error: 'router' is not an address\n"},
        BadLine{"network --bootproto=static --ip=10.0.0.2/33\n",
                "r.ks:1:28: error: '10.0.0.2/33' is not an address\n"},
        BadLine{"network --bootproto=static --ip=10.0.0.2 --netmask=255.0.255.0\n",
                "r.ks:1:42: error: '255.0.255.0' is not a netmask\n    for example '255.255.255.0'\n"},
        BadLine{"network --bootproto=ibft\n",
                "r.ks:1:9: error: 'ibft' is not a way to get an address\n"
                "    write '--bootproto=dhcp' or '--bootproto=static'\n"},
        BadLine{"network --device=bootif\n",
                "r.ks:1:9: error: 'bootif' is a device that only an installer knows\n"
                "    write 'link' for every Ethernet device\n"},
        BadLine{"network --device=52:54:00\n",
                "r.ks:1:9: error: '52:54:00' is not a network device\n"
                "    write 'link' for every Ethernet device, or a name such as 'eth0', or a MAC address\n"},
        BadLine{"network --nameserver=10.0.0.1\n",
                "r.ks:1:9: error: 'network' has no option '--nameserver'\n"
                "    it has --hostname, --bootproto, --device, --ip, --netmask and --gateway\n"},
        BadLine{"user --name=ann --groups=staff(500)\n",
                "r.ks:1:17: error: 'staff(500)' is not an account name\n"
                "    use lower case letters, digits, '-' and '_', up to 31\n"},
        BadLine{"part /d --fstype=tmpfs --fsoptions='a b'\n",
                "r.ks:1:24: error: mount options have no blanks and no '#'\n"
                "    separate them by ','\n"},
        BadLine{"lang C\nlang C\n",
                "r.ks:2:1: error: 'lang' is already on line 1\n    keep one of the two lines\n"},
        BadLine{"lang de_DE.UTF-8\n",
                "r.ks:1:1: error: the language 'de_DE.UTF-8' needs the package 'locales'\n"
                "    add 'locales' to '%packages', or use 'lang C.UTF-8'\n"},
        BadLine{"keyboard 'u s'\n",
                "r.ks:1:10: error: 'u s' is not a keyboard layout\n"
                "    a layout is a short name such as 'us', 'de' or 'fr'\n"},
        BadLine{"timezone ../../etc/passwd\n",
                "r.ks:1:10: error: '../../etc/passwd' is not a time zone\n"
                "    a time zone is a name such as 'Etc/UTC' or 'Europe/Berlin'\n"},
        BadLine{"selinux --enforcng\n",
                "r.ks:1:9: error: 'selinux' has no option '--enforcng'\n"
                "    did you mean '--enforcing'?\n"},
        BadLine{"selinux --disabled\n",
                "r.ks:1:9: error: 'selinux' has no option '--disabled'\n"
                "    it has --enforcing and --permissive\n"},
        BadLine{"selinux\n",
                "r.ks:1:1: error: 'selinux' needs either '--enforcing' or '--permissive'\n"
                "    an appliance enforces; '--permissive' is for looking for denials\n"},
        BadLine{"user --groups=sudo\n", "r.ks:1:1: error: 'user' needs '--name'\n    its name\n"},
        BadLine{"user --name=Ann\n",
                "r.ks:1:6: error: 'Ann' is not an account name\n"
                "    use lower case letters, digits, '-' and '_', up to 31\n"},
        BadLine{"user --name=ann --uid=1000\n",
                "r.ks:1:17: error: uid 1000 is not a system account's\n"
                "    choose 1 to 999: gears use the uids from 1000\n"},
        BadLine{"user --name=ann --uid=x\n",
                "r.ks:1:17: error: '--uid' must be a number, not 'x'\n"},
        BadLine{"user --name=ann --password=x\n",
                "r.ks:1:17: error: 'user' has no option '--password'\n"
                "    it has --name, --gecos, --groups, --shell and --uid\n"},
        BadLine{"user --name\n",
                "r.ks:1:6: error: '--name' needs a value\n    write '--name=VALUE'\n"
                "r.ks:1:1: error: 'user' needs '--name'\n    its name\n"},
        BadLine{"services\n",
                "r.ks:1:1: error: 'services' changes nothing\n"
                "    add '--enabled=…' or '--disabled=…'\n"},
        BadLine{"services --enabled=a --disabled=b,a\n",
                "r.ks:1:22: error: 'a' is both enabled and disabled\n"},
        BadLine{"firewall --enabled=yes\n",
                "r.ks:1:10: error: '--enabled' takes no value\n    write '--enabled'\n"},
        BadLine{"firewall --disabled --port=99999:tcp\n",
                "r.ks:1:21: error: '99999:tcp' is not a port\n"
                "    write NUMBER:tcp or NUMBER:udp\n"},
        BadLine{"firewall --enabled\n",
                "r.ks:1:1: error: the firewall needs the package 'nftables'\n"
                "    add it to '%packages'\n"},
        BadLine{"network --hostname=under_score\n",
                "r.ks:1:9: error: 'under_score' is not a host name\n"
                "    use lower case letters, digits and '-', in parts separated by '.'\n"},
        BadLine{"network --bootproto=static\n",
                "r.ks:1:1: error: '--bootproto=static' needs '--ip=ADDRESS/PREFIX', or '--ip' and '--netmask'\n"
                "    for example '--ip=192.168.56.10/24'\n"},
        BadLine{"bootloader --timeout=-1\n",
                "r.ks:1:12: error: a timeout of -1 s is out of range\n"
                "    choose 0 to 600 seconds\n"},
        BadLine{"part / --fstype=ext4\n",
                "r.ks:1:8: error: '--fstype' of '/' is the format's: squashfs on a live medium, ext4 on a disk\n"
                "    write 'part /', or leave the line out\n"},
        BadLine{"part /data --fstype=ext4\n",
                "r.ks:1:1: error: 'part /data' needs '--fstype=tmpfs'\n"
                "    a live image has no disk: everything else lives in memory\n"},
        BadLine{"repo --name=x --baseurl=ftp://y\n",
                "r.ks:1:15: error: 'ftp://y' is not a URL\n"
                "    write http://…, https://… or file:///…, or leave the option out to use the "
                "build host's mirror\n"},
        BadLine{"repo --name=x --install\n",
                "r.ks:1:15: error: '--install' needs '--baseurl'\n"
                "    the build host's mirror may be out of the image's reach\n"},
        BadLine{"repo --name=debian --name=x\n",
                "r.ks:1:20: error: '--name' is given twice\n    keep one of the two\n"}));

INSTANTIATE_TEST_SUITE_P(
    Sections, RecipeLine,
    testing::Values(
        BadLine{"%packages\nGit\n%end\n",
                "r.ks:2:1: error: 'Git' is not a package name\n"
                "    Debian's package names have lower case letters, digits, '+', '-' and '.'\n"},
        BadLine{"%packages\n@core\n%end\n",
                "r.ks:2:1: error: '@core': Debian has no package groups\n"
                "    list the packages one by one\n"},
        BadLine{"%packages\ngit curl\n%end\n",
                "r.ks:2:5: error: more than one package on a line\n    one package a line\n"},
        BadLine{"%packages\ncurl\n-crul\n%end\n",
                "r.ks:3:1: error: '-crul' excludes a package that no line before lists\n"
                "    did you mean 'curl'?\n"},
        BadLine{"%packages --no-core\n%end\n",
                "r.ks:1:11: error: '%packages' has no option '--no-core'\n"
                "    did you mean '--nocore'?\n"},
        BadLine{"%post --interpreter=python3\n%end\n",
                "r.ks:1:7: error: 'python3' is not an absolute path\n"
                "    for example '--interpreter=/bin/bash'\n"},
        BadLine{"%addon\n%end\n",
                "r.ks:1:1: error: '%addon' needs a name\n    the only one is '%addon gearbox'\n"},
        BadLine{"%addon org_fedora\n%end\n",
                "r.ks:1:8: error: unknown addon 'org_fedora'\n"
                "    the only one is '%addon gearbox'\n"},
        BadLine{"%addon gearbox\ncompresion = 3\n%end\n",
                "r.ks:2:1: error: unknown setting 'compresion'\n"
                "    did you mean 'compression'?\n"},
        BadLine{"%addon gearbox\n  compression = 99\n%end\n",
                "r.ks:2:17: error: '99' is not a number from 1 to 22\n"},
        BadLine{"%addon gearbox\nvolume_id\n%end\n",
                "r.ks:2:1: error: 'volume_id' is not a setting\n    write 'key = value'\n"},
        BadLine{"%addon gearbox\nvolume_id =\n%end\n",
                "r.ks:2:1: error: 'volume_id' has no value\n    it takes a NAME\n"},
        BadLine{"%addon gearbox\nvolume_id = a b\n%end\n",
                "r.ks:2:13: error: 'a b' is not a volume name\n"
                "    use up to 32 upper case letters, digits and '_'\n"},
        BadLine{"%addon gearbox\ntitle = A\ntitle = B\n%end\n",
                "r.ks:3:1: error: 'title' is set twice in this section\n"},
        BadLine{"%addon gearbox\nkernel = linux-headers-amd64\n%end\n",
                "r.ks:2:10: error: 'linux-headers-amd64' is not a kernel package\n"
                "    the full kernel is 'linux-image-amd64'\n"},
        BadLine{"%addon gearbox\nexclude = usr/share/doc\n%end\n",
                "r.ks:2:11: error: 'usr/share/doc' is not an absolute path\n"},
        BadLine{"%addon gearbox\ncartridges = php,mysql,../x,php\n%end\n",
                "r.ks:2:14: error: '../x' is not the name of a cartridge\n"
                "r.ks:2:14: error: 'php' is listed twice\n"},
        BadLine{"%addon gearbox\nquickstarts = ,\n%end\n",
                "r.ks:2:15: error: there is no name in ','\n"},
        BadLine{"%addon gearbox\nlicence = free\n%end\n",
                "r.ks:2:1: error: unknown setting 'licence'\n    there are title, volume_id, "
                "cloud_domain, kernel, compression, disk_size, formats, source_date_epoch, exclude, "
                "include, overlay, initramfs, boot_menu, policy_keep, policy_modules, policy_version, "
                "cartridges, quickstarts, own_cartridges, gear_size, default_gear_size, tenants, dns and auth\n"},
        BadLine{"%addon gearbox\nauth = ldap\n%end\n",
                "r.ks:2:8: error: 'ldap' is not a kind of 'auth'\n"
                "    use 'accounts', or 'open', which makes one for a login that is not known yet\n"},
        BadLine{"%addon gearbox\ndns = bind,server,none,server\n%end\n",
                "r.ks:2:7: error: 'bind' is not the name of a part of 'dns'\n"
                "    there are 'server' and 'mdns', and 'none' stands alone\n"
                "r.ks:2:7: error: 'none' is not the name of a part of 'dns'\n"
                "    there are 'server' and 'mdns', and 'none' stands alone\n"
                "r.ks:2:7: error: 'server' is listed twice\n"},
        BadLine{"%addon gearbox\ndns = ,\n%end\n", "r.ks:2:7: error: there is no name in ','\n"},
        BadLine{"%addon gearbox\ngear_size = big memory=9\n%end\n",
                "r.ks:2:13: error: a gear size has no 'memory'\n"
                "    it has memory_mb, swap_mb, pids, cpu_percent, cpu_weight, io_weight, tmp_mb, "
                "open_files, disk_mb, files and network_mbit\n"},
        BadLine{"%addon gearbox\ngear_size = big memory_m=512\n%end\n",
                "r.ks:2:13: error: a gear size has no 'memory_m'\n    did you mean 'memory_mb'?\n"},
        BadLine{"%addon gearbox\ngear_size = small memory_mb=31\n%end\n",
                "r.ks:2:13: error: 'memory_mb' needs a number from 32 to 1048576\n"
                "    write 'memory_mb=512'\n"},
        BadLine{"%addon gearbox\ngear_size = small pids\n%end\n",
                "r.ks:2:13: error: 'pids' needs a number from 16 to 1000000\n    write 'pids=250'\n"},
        BadLine{"%addon gearbox\ngear_size = Big pids=99\n%end\n",
                "r.ks:2:13: error: 'Big' is not the name of a gear size\n    use lower case letters, "
                "digits and '_', up to 24; what all get is 'small'\n"},
        BadLine{"%addon gearbox\ngear_size = large memory_mb=1024\ndefault_gear_size = big\n%end\n",
                "r.ks:1:1: error: 'default_gear_size' is 'big', and no 'gear_size' says what that is\n"
                "    add 'gear_size = big memory_mb=1024' to '%addon gearbox'\n"},
        BadLine{"%addon gearbox\ntenants = 0\n%end\n",
                "r.ks:2:11: error: '0' is not a number from 1 to 500\n"},
        BadLine{"%addon gearbox\ntenants = 501\n%end\n",
                "r.ks:2:11: error: '501' is not a number from 1 to 500\n"},
        BadLine{"%addon gearbox\ntenants = ann,b\"n,.x,demo,ann\n%end\n",
                "r.ks:2:11: error: 'b\"n' is not the name of a tenant\n"
                "    use letters, digits, '_', '@', and, not first, '.' and '-'\n"
                "r.ks:2:11: error: '.x' is not the name of a tenant\n"
                "    use letters, digits, '_', '@', and, not first, '.' and '-'\n"
                "r.ks:2:11: error: 'ann' is listed twice\n"
                "r.ks:2:11: error: 'demo' is the account that every image has\n"
                "    choose another name\n"}));

TEST(Recipe, LoginsAreThoseThatTheBrokerTakes) {
    for (const char* text : {"ann", "Ann.B@example.org", "@x", "_", "9", "-x", ".x", "", "a b", "a/b",
                             "a\"b", "ä"}) {
        EXPECT_EQ(is_login(text), Login::parse(text).has_value()) << text;
    }
    for (const std::size_t length : {255u, 256u}) {
        const std::string text(length, 'a');
        EXPECT_EQ(is_login(text), Login::parse(text).has_value()) << length;
    }
}

TEST(Recipe, TheLastListOfTenantsCounts) {
    const auto tenants = [](const std::string& lines) {
        return recipe_of("%addon gearbox\n" + lines + "%end\n").image.tenants;
    };
    EXPECT_THAT(tenants("tenants = 2\n"), ElementsAre("student01", "student02"));
    EXPECT_EQ(tenants("tenants = 500\n").front(), "student001");
    EXPECT_EQ(tenants("tenants = 500\n").back(), "student500");
    EXPECT_THAT(tenants("tenants = 2\n%end\n%addon gearbox\ntenants = ann, ben@example.org\n"),
                ElementsAre("ann", "ben@example.org"));
    EXPECT_THAT(tenants("tenants = ann\n%end\n%addon gearbox\ntenants = 1\n"),
                ElementsAre("student01"));
}

TEST(Recipe, ANetworkLineMeansWhatKickstartSays) {
    const auto network = [](const char* options) { return recipe_of(str("network ", options, "\n")).network; };
    EXPECT_EQ(network("--bootproto=static --ip=10.0.0.2 --netmask=255.255.240.0").address, "10.0.0.2/20");
    EXPECT_EQ(network("--bootproto=static --ip=fd00::2/64").address, "fd00::2/64");
    EXPECT_EQ(network("--bootproto=bootp").bootproto, "dhcp");
    EXPECT_EQ(network("--device=52:54:00:12:34:56").device, "52:54:00:12:34:56");
}

TEST(Recipe, ASizeOfItsOwnCanBeTheDefault) {
    EXPECT_EQ(recipe_of("").image.default_gear_size, "small");
    EXPECT_EQ(recipe_of("%addon gearbox\ndefault_gear_size = big\ngear_size = big memory_mb=1024\n%end\n")
                  .image.default_gear_size,
              "big");
}

TEST(Recipe, SaysWhatAnswersForNames) {
    const auto parts = [](const std::string& line) {
        const auto image = recipe_of("%addon gearbox\n" + line + "\n%end\n").image;
        return std::pair(image.name_server, image.mdns);
    };
    EXPECT_EQ(parts(""), std::pair(true, true));
    EXPECT_EQ(parts("dns = server,mdns"), std::pair(true, true));
    EXPECT_EQ(parts("dns = mdns, server"), std::pair(true, true));
    EXPECT_EQ(parts("dns = server"), std::pair(true, false));
    EXPECT_EQ(parts("dns = mdns"), std::pair(false, true));
    EXPECT_EQ(parts("dns = none"), std::pair(false, false));
    EXPECT_EQ(parts("dns = none\n%end\n%addon gearbox\ndns = server"), std::pair(true, false));
}

TEST(Recipe, SaysWhetherALoginNeedsAnAccount) {
    const auto is_open = [](const std::string& line) {
        return recipe_of("%addon gearbox\n" + line + "\n%end\n").image.open_accounts;
    };
    EXPECT_FALSE(is_open(""));
    EXPECT_FALSE(is_open("auth = accounts"));
    EXPECT_TRUE(is_open("auth = open"));
    EXPECT_FALSE(is_open("auth = open\n%end\n%addon gearbox\nauth = accounts"));
}

TEST(Recipe, ShowsAllProblemsAtOnce) {
    EXPECT_EQ(problems_of("lagn C\nselinux --x\n%packages\nA\n%end\n"),
              "r.ks:1:1: error: unknown command 'lagn'\n    did you mean 'lang'?\n"
              "r.ks:2:9: error: 'selinux' has no option '--x'\n"
              "    it has --enforcing and --permissive\n"
              "r.ks:4:1: error: 'A' is not a package name\n"
              "    Debian's package names have lower case letters, digits, '+', '-' and '.'\n");
}

TEST(Recipe, NamesWhatIsMissingAltogether) {
    Problems problems;
    load_recipe("r.ks", reader_of({{"r.ks", "lang C\n"}}), problems);
    EXPECT_EQ(problems.list().size(), 10u) << problems.text();
    EXPECT_EQ(to_text(problems.list().front()),
              "r.ks:1:1: error: the recipe has no 'repo'\n"
              "    add 'repo --name=debian' to use the build host's mirror");
}

TEST(Recipe, UnreadableFile) {
    Problems problems;
    load_recipe("none.ks", reader_of({}), problems);
    EXPECT_EQ(problems.text(),
              "none.ks:1:1: error: cannot read 'none.ks'\n    check the path of the recipe\n");
}

TEST(Recipe, MeansWhatItSays) {
    const Recipe recipe = recipe_of(
        "lang C.UTF-8\nkeyboard de\ntimezone Europe/Berlin --utc\nselinux --permissive\n"
        "user --name ann --groups=sudo,adm --gecos 'Ann A' --uid=200\n"
        "services --enabled=a,b --disabled=c\nservices --enabled=d\n"
        "firewall --enabled --ssh --port=53:udp,8080\n"
        "network --hostname=box --bootproto=static --ip=10.0.0.2/24 --gateway=10.0.0.1 "
        "--device=eth0\n"
        "bootloader --append=\"quiet audit=1\" --timeout 0\n"
        "part /\npart /data --fstype=tmpfs --fsoptions=size=10%\n"
        "%packages --nocore --excludedocs --inst-langs=de,fr\nnftables\ngit=1:2.47-1\ncurl\n-curl\n"
        "%end\n"
        "%post --interpreter=/bin/bash\necho \"# kept as it is\"\n%end\n"
        "%post --nochroot\ntrue\n%end\n%pre\nfalse\n%end\n"
        "%addon gearbox\ntitle = My Box\ncompression = 15\nexclude = /a/*\nexclude = /b\n%end\n");
    EXPECT_EQ(recipe.keyboard, "de");
    EXPECT_TRUE(recipe.hardware_clock_utc);
    EXPECT_EQ(recipe.selinux, "permissive");
    ASSERT_EQ(recipe.users.size(), 1u);
    EXPECT_EQ(recipe.users[0].comment, "Ann A");
    EXPECT_THAT(recipe.users[0].groups, ElementsAre("sudo", "adm"));
    EXPECT_EQ(recipe.users[0].uid, 200);
    EXPECT_THAT(recipe.services_enabled, ElementsAre("a", "b", "d"));
    EXPECT_THAT(recipe.firewall.ports, ElementsAre("22:tcp", "53:udp", "8080:tcp"));
    EXPECT_EQ(recipe.network.address, "10.0.0.2/24");
    EXPECT_EQ(recipe.boot_arguments, "quiet audit=1");
    EXPECT_EQ(recipe.boot_timeout, 0);
    ASSERT_EQ(recipe.mounts.size(), 1u);
    EXPECT_EQ(recipe.mounts[0].options, "size=10%");
    EXPECT_THAT(recipe.packages, ElementsAre("busybox", "git=1:2.47-1", "nftables",
                                             "policycoreutils", "selinux-policy-default"));
    EXPECT_FALSE(recipe.core);
    EXPECT_THAT(recipe.languages, ElementsAre("de", "fr"));
    ASSERT_EQ(recipe.post.size(), 2u);
    EXPECT_EQ(recipe.post[0].body, "echo \"# kept as it is\"\n");
    EXPECT_TRUE(recipe.post[0].in_chroot);
    EXPECT_FALSE(recipe.post[1].in_chroot);
    EXPECT_FALSE(recipe.pre[0].in_chroot);
    EXPECT_EQ(recipe.image.title, "My Box");
    EXPECT_THAT(recipe.image.exclude, ElementsAre("/a/*", "/b"));
}

TEST(Recipe, AnIncludingFileOverridesWhatItIncludes) {
    const Files files{{"k/r.ks", "%include base.ks\nkeyboard fr\n"},
                      {"k/base.ks", "keyboard us\n" + minimal_recipe()}};
    Problems problems;
    const Recipe recipe = load_recipe("k/r.ks", reader_of(files), problems);
    EXPECT_EQ(problems.text(), "");
    EXPECT_EQ(recipe.keyboard, "fr");
    EXPECT_EQ(recipe.image.sources.at("overlay"), "k/o");
}

TEST(Recipe, SettingsOfTheCommandLineOverrideIt) {
    const Files files{{"k/r.ks", minimal_recipe() + "%addon gearbox\ntitle = A\n%end\n"}};
    Problems problems;
    const Recipe recipe = load_recipe("k/r.ks", reader_of(files), problems,
                                      {"title=B", "title = C", "overlay=x/y", "exclude=/a/*"});
    EXPECT_EQ(problems.text(), "");
    EXPECT_EQ(recipe.image.title, "C");
    EXPECT_EQ(recipe.image.sources.at("overlay"), "x/y");
    EXPECT_THAT(recipe.image.exclude, ElementsAre("/a/*"));
    load_recipe("k/r.ks", reader_of(files), problems, {"title=B", "titel=C", "formats=dvd"});
    EXPECT_THAT(problems.text(),
                testing::StartsWith("--set:2:1: error: unknown setting 'titel'\n    did you mean "
                                    "'title'?\n--set:3:9: error: 'formats': there is no format "
                                    "'dvd'"));
}

TEST(Recipe, TheOnesOfThisRepositoryAreValid) {
    Problems problems;
    const std::filesystem::path folder = test::source_path("kickstart");
    const auto read = [](const std::filesystem::path& path) { return find_file(path); };
    const Recipe recipe = load_recipe(folder / "livecd.ks", read, problems);
    EXPECT_EQ(problems.text(), "");
    EXPECT_EQ(recipe.files.size(), 3u);
    EXPECT_EQ(recipe.selinux, "enforcing");
    const Recipe machine = load_recipe(folder / "vm.ks", read, problems);
    const Recipe box = load_recipe(folder / "vagrant.ks", read, problems);
    const Recipe full = load_recipe(folder / "full.ks", read, problems);
    EXPECT_EQ(problems.text(), "");
    EXPECT_THAT(full.packages, testing::IsSupersetOf(recipe.packages));
    EXPECT_THAT(machine.image.formats, ElementsAre("qcow2", "vmdk", "vdi", "ova"));
    EXPECT_THAT(box.image.formats, ElementsAre("vagrant-virtualbox", "vagrant-libvirt"));
    EXPECT_EQ(box.image.disk_size, machine.image.disk_size);
}

TEST(Recipe, ATrainersIsTenLines) {
    Problems problems;
    const std::filesystem::path path = test::source_path("kickstart/course.ks");
    const auto read = [](const std::filesystem::path& file) { return find_file(file); };
    const Recipe course = load_recipe(path, read, problems);
    EXPECT_EQ(problems.text(), "");
    const std::string text = read_file(path);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 10);
    EXPECT_THAT(course.packages, testing::IsSupersetOf({"jq", "nano"}));
    EXPECT_EQ(course.image.tenants.size(), 30u);
    EXPECT_TRUE(std::filesystem::exists(course.image.sources.at("own_cartridges") /
                                        "hello/metadata/manifest.yml"));
}

TEST(Recipe, LanguageIsDocumentedAsItIs) {
    const auto text =
        find_file(test::source_path("docs/builder.md")).value_or("");
    EXPECT_NE(text.find(describe_language()), std::string::npos)
        << "docs/builder.md is not current: put in the output of 'gearbox-build language'";
}

}  // namespace
}  // namespace gearbox::builder
