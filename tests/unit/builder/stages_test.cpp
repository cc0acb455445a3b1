// Stages against tools that only write down what they are asked to run.
#include "stages/stages.h"
#include "base/error.h"
#include "base/file.h"
#include "hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class RecordingTools final : public Tools {
public:
    void run(const ToolCall& call) override {
        std::string line = call.root.empty() ? "host:" : "tree:";
        for (const std::string& word : call.argv) {
            line += " " + word;
        }
        calls.push_back(line);
        inputs.push_back(call.input);
        for (const std::string& entry : call.environment) {
            if (entry.starts_with("GEARBOX_RULES=")) {
                rules = read_file(entry.substr(entry.find('=') + 1));
            }
        }
        for (const std::string& output : says) {
            if (call.on_line) {
                call.on_line(output);
            }
        }
        if (fails) {
            throw Error(ErrorKind::internal, "'tool' ended with status 1");
        }
    }
    std::vector<std::string> calls;
    std::vector<std::string> inputs;
    std::string rules;  // for dpkg
    std::vector<std::string> says;
    bool fails = false;
};

class StageTest : public testing::Test {
protected:
    StageTest() { fs::create_directories(tree()); }
    fs::path tree() const { return folder.path() / "tree"; }
    void put(const std::string& name, const std::string& text) {
        fs::create_directories((tree() / name).parent_path());
        write_file_atomically(tree() / name, text);
    }
    std::string get(const std::string& name) { return read_file(tree() / name); }

    void run(void (*stage)(StageContext&), const Json& options) {
        StageContext context{options,
                             sources,
                             folder.path(),
                             tree(),
                             folder.path() / "out",
                             {},
                             tools,
                             [this](double fraction, const std::string& detail) {
                                 last_fraction = fraction;
                                 last_detail = detail;
                             },
                             "id",
                             packages};
        stage(context);
    }

    TempDir folder;
    RecordingTools tools;
    std::map<std::string, fs::path> sources;
    PackageRequest packages;
    double last_fraction = -1;
    std::string last_detail;
};

TEST_F(StageTest, RootTreeInstallsExactlyTheLockedPackages) {
    fs::create_directories(folder.path() / "packages");
    write_file_atomically(folder.path() / "packages/libc6_1%3a2.41_amd64.deb", "deb");
    ArchivePackage libc{"libc6",          "1:2.41", "amd64", "optional",
                        "pool/libc6.deb", 0,        3,       hash_text("deb")};
    packages.locked = ArchiveState{{"deb http://m trixie main"}, {"hash"}, {"date"}, {libc}};
    tools.says = {"Package: libc6", "Filename: archive/libc6_1%3a2.41_amd64.deb", "0 upgraded, 10 newly installed, 0 to remove", "Get:1 http://m a [1 kB]",
                  "Unpacking libc6:amd64 (2.41) ...", "Setting up libc6:amd64 (2.41) ..."};
    run(stages::run_root_tree, {{"variant", "minbase"},
                                {"recommends", false},
                                {"dpkg", {"path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/a"}},
                                {"packages", {"a", "b"}},
                                {"suite", "trixie"},
                                {"archives", {"deb http://m trixie main"}}});
    ASSERT_EQ(tools.calls.size(), 2u);
    EXPECT_THAT(tools.calls[0], HasSubstr("host: apt-ftparchive packages"));
    EXPECT_THAT(tools.calls[1], HasSubstr("host: mmdebstrap --verbose --mode=root"));
    EXPECT_THAT(tools.calls[1],
                HasSubstr("--aptopt=APT::Install-Recommends \"false\" --include=a --include=b trixie " +
                          tree().string() + " deb [trusted=yes] copy://" +
                          (folder.path() / "package-work/archive").string() + " ./"));
    EXPECT_EQ(tools.rules, "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/a\n");
    EXPECT_DOUBLE_EQ(last_fraction, 0.1);
    EXPECT_EQ(last_detail, "Setting up libc6:amd64");
    EXPECT_FALSE(fs::exists(folder.path() / "package-work"));
    EXPECT_EQ(parse_archive_state(parse_json(read_file(folder.path() / archive_state_file))),
              *packages.locked);
}

TEST_F(StageTest, DebSaysWhatIsMissingInTheImage) {
    write_file_atomically(folder.path() / "g.deb", "deb");
    sources["deb"] = folder.path() / "g.deb";
    fs::create_directories(tree() / "var/cache");
    tools.says = {" gearbox depends on libgit2-1.9; however:",
                  "  Package libgit2-1.9 is not installed."};
    tools.fails = true;
    try {
        run(stages::run_deb, {{"version", "1"}});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.text(),
                  "the package needs what the image does not have: libgit2-1.9 (add it to "
                  "'%packages')");
    }
    tools.fails = false;
    run(stages::run_deb, {{"version", "1"}});
    EXPECT_THAT(tools.calls, testing::Contains("tree: dpkg --install "
                                               "/var/cache/gearbox.deb"));
    EXPECT_FALSE(fs::exists(tree() / "usr/sbin/policy-rc.d"));
    EXPECT_FALSE(fs::exists(tree() / "var/cache/gearbox.deb"));
}

class PolicyTest : public StageTest {
protected:
    PolicyTest() {
        put("usr/share/selinux/default/.modules", "apt\nbase\ngames\nssh\n");
        put("etc/selinux/semanage.conf",
            "module-store = direct\nusepasswd = true\nexpand-check=0\n");
        put("etc/selinux/default/policy/policy.33", "");
        put("etc/selinux/default/contexts/files/file_contexts", "/.* <<none>>\n");
        put("etc/selinux/default/policy/policy.34", "");
        sources["policy_keep"] = folder.path() / "keep";
        sources["policy_modules"] = folder.path() / "cil";
        fs::create_directory(folder.path() / "cil");
        write_file_atomically(folder.path() / "cil/gearbox.cil", "(x)");
        write_file_atomically(folder.path() / "cil/README.md", "not policy");
    }
    const Json options{{"policy_version", 33}, {"state", "enforcing"}};
};

TEST_F(PolicyTest, SetsTheWholeListInOneTransaction) {
    write_file_atomically(folder.path() / "keep", "base # always\napt ssh\n");
    run(stages::run_policy, options);
    EXPECT_THAT(tools.calls, ElementsAre("tree: semodule -s default -n -X 100 "
                                         "-i /usr/share/selinux/default/apt.pp.bz2 "
                                         "-i /usr/share/selinux/default/base.pp.bz2 "
                                         "-i /usr/share/selinux/default/ssh.pp.bz2 "
                                         "-X 400 -i /var/tmp/gearbox-policy/gearbox.cil",
                                         "tree: setfiles -F -m -e /proc -T 0 "
                                         "/etc/selinux/default/contexts/files/file_contexts /"));
    EXPECT_EQ(get("etc/selinux/semanage.conf"),
              "module-store = direct\npolicy-version = 33\nusepasswd = false\nexpand-check = 1\n"
              "bzip-blocksize = 0\n");
    EXPECT_THAT(get("etc/selinux/config"), HasSubstr("SELINUX=enforcing\n"));
    EXPECT_TRUE(fs::exists(tree() / "var/lib/selinux/default/active/modules/disabled/games"));
    EXPECT_FALSE(fs::exists(tree() / "var/lib/selinux/default/active/modules/disabled/ssh"));
    EXPECT_TRUE(fs::exists(tree() / "etc/selinux/default/policy/policy.33"));
    EXPECT_FALSE(fs::exists(tree() / "etc/selinux/default/policy/policy.34"));
    EXPECT_FALSE(fs::exists(tree() / "var/tmp/gearbox-policy"));
}

TEST_F(PolicyTest, RefusesAModuleThatIsNotThere) {
    write_file_atomically(folder.path() / "keep", "base\nshs\n");
    try {
        run(stages::run_policy, options);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), "selinux-policy-default has no module 'shs'; did you mean 'ssh'?");
    }
}

Json settings_options() {
    return {{"language", "C.UTF-8"},
            {"keyboard", "de"},
            {"timezone", "Etc/UTC"},
            {"hardware_clock_utc", true},
            {"root_locked", true},
            {"cloud_domain", "apps.example"},
            {"gear_sizes", Json::object()},
            {"default_gear_size", "small"},
            {"tenants", Json::array()},
            {"cartridges", Json::array()},
            {"quickstarts", Json::array()},
            {"users",
             {{{"name", "ann"},
               {"comment", "Ann"},
               {"shell", "/bin/bash"},
               {"groups", {"sudo", "adm"}},
               {"uid", 200}}}},
            {"mounts", {{{"point", "/data"}, {"type", "tmpfs"}, {"options", "mode=0755"}}}},
            {"archives", Json::array()},
            {"firewall", {{"enabled", true}, {"ports", {"22:tcp", "53:udp"}}}},
            {"network",
             {{"hostname", "box"},
              {"bootproto", "dhcp"},
              {"device", "link"},
              {"address", ""},
              {"gateway", ""}}}};
}

TEST_F(StageTest, SettingsWriteTheFilesOfTheSystem) {
    put("usr/share/zoneinfo/Etc/UTC", "");
    put("etc/resolv.conf", "nameserver of the build host");
    put("etc/gearbox/gearboxd.toml", "[broker]\n# cloud_domain = \"gearbox.localhost\"\n");
    run(stages::run_settings, settings_options());
    EXPECT_THAT(
        tools.calls,
        ElementsAre(
            "tree: usermod --password !* root", "tree: groupadd --system --force sudo",
            "tree: groupadd --system --force adm",
            "tree: useradd --system --create-home --shell /bin/bash --comment Ann --uid 200 "
            "--groups sudo,adm ann"));
    EXPECT_EQ(get("etc/hostname"), "box\n");
    EXPECT_EQ(get("etc/resolv.conf"), "");
    EXPECT_EQ(get("etc/systemd/network/80-gearbox.network"),
              "[Match]\nType=ether\nKind=!*\n\n[Network]\nLinkLocalAddressing=ipv6\n"
              "IPv6AcceptRA=yes\nDHCP=yes\n\n[DHCPv4]\nUseHostname=no\n\n[DHCPv6]\nUseHostname=no\n");
    EXPECT_THAT(get("etc/nftables.conf"),
                HasSubstr("        tcp dport 22 accept\n        udp dport 53 accept\n"));
    EXPECT_THAT(get("etc/fstab"), HasSubstr("tmpfs /data tmpfs mode=0755 0 0\n"));
    EXPECT_EQ(fs::read_symlink(tree() / "etc/localtime"), "/usr/share/zoneinfo/Etc/UTC");
    EXPECT_EQ(get("etc/gearbox/gearboxd.toml"), "[broker]\ncloud_domain = \"apps.example\"\n");
    EXPECT_THAT(get("etc/default/gearbox-dns"), HasSubstr("\nDOMAIN=apps.example\n"));
    EXPECT_EQ(get("etc/apt/sources.list"), "");
}

TEST_F(StageTest, SettingsGiveACardItsAddress) {
    put("usr/share/zoneinfo/Etc/UTC", "");
    put("etc/gearbox/gearboxd.toml", "[broker]\n");
    Json options = settings_options();
    options["network"] = {{"hostname", "box"},
                          {"bootproto", "static"},
                          {"device", "ens3"},
                          {"address", "192.0.2.7/24"},
                          {"gateway", "192.0.2.1"}};
    run(stages::run_settings, options);
    EXPECT_EQ(get("etc/systemd/network/80-gearbox.network"),
              "[Match]\nName=ens3\n\n[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n"
              "Address=192.0.2.7/24\nGateway=192.0.2.1\n");
    options["network"]["device"] = "52:54:00:12:34:56";
    run(stages::run_settings, options);
    EXPECT_THAT(get("etc/systemd/network/80-gearbox.network"),
                testing::StartsWith("[Match]\nPermanentMACAddress=52:54:00:12:34:56\n\n"));
}

TEST_F(StageTest, SettingsMakeThePlatformOfTheRecipe) {
    put("usr/share/zoneinfo/Etc/UTC", "");
    put("etc/gearbox/gearboxd.toml", "[broker]\n# cloud_domain = \"x\"\n\n[gear]\n# memory_mb = 512\n");
    for (const char* name : {"cartridges/php", "cartridges/mysql", "cartridges/ruby", "quickstarts/chat"}) {
        put(str("usr/share/gearbox/", name, "/file"), "");
    }
    Json options = settings_options();
    options["gear_sizes"] = {{"big", {{"disk_mb", 4096}, {"memory_mb", 1024}}}, {"small", {{"memory_mb", 256}}}};
    options["default_gear_size"] = "big";
    options["tenants"] = {"student01", "ann@example.org"};
    options["cartridges"] = {"ruby", "php"};
    run(stages::run_settings, options);
    EXPECT_EQ(get("etc/gearbox/gearboxd.toml"),
              "[broker]\ncloud_domain = \"apps.example\"\n\ndefault_gear_size = \"big\"\n[gear]\nmemory_mb = 256\n"
              "\n[size.big]\ndisk_mb = 4096\nmemory_mb = 1024\n");
    EXPECT_EQ(get("etc/gearbox/tenants"), "student01\nann@example.org\n");
    EXPECT_TRUE(fs::exists(tree() / "usr/share/gearbox/cartridges/php"));
    EXPECT_FALSE(fs::exists(tree() / "usr/share/gearbox/cartridges/mysql"));
    EXPECT_TRUE(fs::exists(tree() / "usr/share/gearbox/quickstarts/chat"));
    EXPECT_EQ(get("etc/dpkg/dpkg.cfg.d/gearbox-cartridges"),
              "path-exclude=/usr/share/gearbox/cartridges/*\n"
              "path-include=/usr/share/gearbox/cartridges/ruby\n"
              "path-include=/usr/share/gearbox/cartridges/ruby/*\n"
              "path-include=/usr/share/gearbox/cartridges/php\n"
              "path-include=/usr/share/gearbox/cartridges/php/*\n");
    options["cartridges"] = {"ruby", "pph"};
    try {
        run(stages::run_settings, options);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), "'cartridges': there is no 'pph'; did you mean 'php'?");
    }
}

TEST_F(StageTest, SettingsSayWhatAnswersForNamesAndWhoMayComeIn) {
    put("usr/share/zoneinfo/Etc/UTC", "");
    put("etc/gearbox/gearboxd.toml", "[broker]\n# create_users = false\n");
    Json options = settings_options();
    options["cloud_domain"] = "gearbox.localhost";
    run(stages::run_settings, options);
    EXPECT_EQ(get("etc/default/gearbox-dns"), "# As broker.cloud_domain in /etc/gearbox/gearboxd.toml.\nDOMAIN=gearbox.localhost\n");
    EXPECT_EQ(get("etc/gearbox/gearboxd.toml"), "[broker]\n# create_users = false\n");
    options["dns"] = {{"server", false}, {"mdns", true}};
    options["auth"] = "open";
    run(stages::run_settings, options);
    EXPECT_THAT(get("etc/default/gearbox-dns"), testing::EndsWith("DOMAIN=gearbox.localhost\nSERVER=no\nMDNS=yes\n"));
    EXPECT_EQ(get("etc/gearbox/gearboxd.toml"), "[broker]\ncreate_users = true\n");
}

TEST_F(StageTest, OwnCartridgesStandBesideThePackagedOnes) {
    sources["own_cartridges"] = folder.path() / "own";
    fs::create_directories(folder.path() / "own/hello/bin");
    fs::create_directories(folder.path() / "own/hello/metadata");
    write_file_atomically(folder.path() / "own/hello/metadata/manifest.yml", "Name: hello\n");
    write_file_atomically(folder.path() / "own/hello/bin/control", "#!/bin/sh\n", 0750);
    put("usr/share/gearbox/cartridges/php/file", "");
    run(stages::run_own_cartridges, Json::object());
    const fs::path control = tree() / "usr/share/gearbox/cartridges/hello/bin/control";
    EXPECT_EQ(fs::status(control).permissions() & fs::perms::mask, fs::perms(0755));
    EXPECT_THAT(tools.calls,
                ElementsAre("tree: gearbox cartridge check /usr/share/gearbox/cartridges/hello"));
    const auto refusal = [&] {
        try {
            run(stages::run_own_cartridges, Json::object());
        } catch (const Error& error) {
            return error.text();
        }
        return std::string("none");
    };
    EXPECT_EQ(refusal(), "there is a packaged cartridge 'hello' already: give the folder another name");
    fs::remove(folder.path() / "own/hello/metadata/manifest.yml");
    EXPECT_THAT(refusal(), HasSubstr("own/hello' is not a cartridge: it has no metadata/manifest.yml"));
}

TEST_F(StageTest, SettingsRefuseAnUnknownTimeZone) {
    EXPECT_THROW(run(stages::run_settings, settings_options()), Error);
}

TEST_F(StageTest, OverlayKeepsLinksAndTheModesThatGitKeeps) {
    const fs::path overlay = folder.path() / "overlay";
    sources["overlay"] = overlay;
    fs::create_directories(overlay / "etc/x");
    write_file_atomically(overlay / "etc/x/run", "#!/bin/sh\n", 0750);
    write_file_atomically(overlay / "etc/x/private", "", 0600);
    fs::create_symlink("run", overlay / "etc/x/link");
    sources["initramfs"] = folder.path() / "lists";
    fs::create_directory(folder.path() / "lists");
    write_file_atomically(folder.path() / "lists/modules", "ext4\n");
    put("etc/x/run", "old");
    run(stages::run_overlay, Json::object());
    EXPECT_EQ(get("etc/x/run"), "#!/bin/sh\n");
    EXPECT_EQ(fs::status(tree() / "etc/x/run").permissions() & fs::perms::mask, fs::perms(0755));
    EXPECT_EQ(fs::status(tree() / "etc/x/private").permissions() & fs::perms::mask,
              fs::perms(0644));
    EXPECT_EQ(fs::read_symlink(tree() / "etc/x/link"), "run");
    EXPECT_EQ(get("usr/lib/gearbox/initramfs/modules"), "ext4\n");
}

TEST_F(StageTest, OverlayMustNotReplaceALinkByAFolder) {
    sources["overlay"] = folder.path() / "overlay";
    fs::create_directories(folder.path() / "overlay/lib/systemd");
    fs::create_directories(tree() / "usr/lib");
    fs::create_symlink("usr/lib", tree() / "lib");
    try {
        run(stages::run_overlay, Json::object());
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.text(), HasSubstr("use the real path below /usr"));
    }
}

TEST_F(StageTest, ScriptsRunWhereTheySay) {
    run(stages::run_post,
        {{"scripts",
          {{{"interpreter", "/bin/sh"}, {"in_chroot", true}, {"body", "a\n"}},
           {{"interpreter", "/bin/bash"}, {"in_chroot", false}, {"body", "b\n"}}}}});
    EXPECT_THAT(tools.calls, ElementsAre("tree: /bin/sh -eu -s", "host: /bin/bash -s"));
    EXPECT_THAT(tools.inputs, ElementsAre("a\n", "b\n"));
}

TEST_F(StageTest, NormaliseRemovesWhatMustNotBeInEveryCopy) {
    put("etc/ssh/ssh_host_rsa_key", "secret");
    put("etc/ssh/sshd_config", "kept");
    put("etc/machine-id", "0123");
    put("etc/shadow-", "old");
    put("var/log/apt/history.log", "today");
    put("var/lib/apt/lists/x", "list");
    put("root/.keep", "kept");
    run(stages::run_normalise, {{"source_date_epoch", 1767225600}});
    EXPECT_THAT(tools.calls, ElementsAre("tree: systemd-sysusers", "tree: ldconfig"));
    EXPECT_FALSE(fs::exists(tree() / "etc/ssh/ssh_host_rsa_key"));
    EXPECT_EQ(get("etc/ssh/sshd_config"), "kept");
    EXPECT_EQ(get("etc/machine-id"), "");
    EXPECT_FALSE(fs::exists(tree() / "etc/shadow-"));
    EXPECT_EQ(get("var/log/apt/history.log"), "");
    EXPECT_FALSE(fs::exists(tree() / "var/lib/apt/lists/x"));
    EXPECT_THAT(get("etc/.updated"), HasSubstr("TIMESTAMP_NSEC=1767225600000000000\n"));
}

}  // namespace
}  // namespace gearbox::builder
