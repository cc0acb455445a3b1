// Security profiles: their files, and which one a gear has.
#include "node/profiles.h"

#include "base/error.h"
#include "base/file.h"
#include "node/launcher.h"
#include "node/profile_file.h"

#include <gtest/gtest.h>

namespace gearbox::test {

namespace {

class QuietPolicy final : public SecurityPolicy {
public:
    std::string process_label(uid_t uid, Purpose purpose) const override { return selinux_label(uid, purpose); }
    std::string file_label(uid_t uid, FileKind kind) const override { return selinux_label(uid, kind); }
    void check_type(const std::string& type) const override {
        if (type != "gear_quiet_t") {
            fail(ErrorKind::invalid, "the SELinux policy has no type '", type, "' for processes");
        }
    }
};

struct Directory {
    TempDir dir;
    QuietPolicy policy;
    Settings settings = make_default_settings();

    Directory() {
        settings.more_sizes["large"] = settings.gear;
        settings.security.profile_dir = dir.path();
    }
    void write(const std::string& name, const std::string& text) const {
        write_file_atomically(dir.path() / name, text);
    }
    std::vector<Profile> load() const { return load_profiles(dir.path(), settings, policy); }
    /// What is wrong, from the file's name on.
    std::string refusal() const {
        try {
            load();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::invalid);
            EXPECT_TRUE(error.text().starts_with(dir.path().native() + "/")) << error.text();
            return error.text().substr(dir.path().native().size() + 1);
        }
        return "accepted";
    }
};

std::string refusal(const std::string& text) {
    const Directory directory;
    directory.write("a.toml", text);
    return directory.refusal();
}

constexpr const char* whole = R"(description = "no way out"
selinux_type = "gear_quiet_t"
[assign]
cartridges = ["mysql-10.11", "php"]
sizes = ["large", "small"]
domains = ["acme"]
[seccomp]
allow = ["unshare", "clone3", "unshare"]
refuse = ["ptrace"]
[capabilities]
keep = ["net_raw", "net_bind_service"]
[network]
egress = ["203.0.113.0/24", "198.51.100.7:443"]
[limits]
memory_mb = 256
pids = 40
)";

TEST(ProfileFile, SaysAllOfAProfile) {
    const Directory directory;
    directory.write("quiet.toml", whole);
    directory.write("nothing.toml", "");
    directory.write("README", "no profile");
    const auto profiles = directory.load();
    ASSERT_EQ(profiles.size(), 2u);
    EXPECT_EQ(profiles[0].name, "nothing");
    EXPECT_EQ(to_json(profiles[0]), parse_json(R"({"name":"nothing","description":"","cartridges":[],"sizes":[],
        "domains":[],"selinux_type":"","filter":"standard","capabilities":[],"egress":null,"limits":{}})"));
    EXPECT_EQ(to_json(profiles[1]), parse_json(R"({"name":"quiet","description":"no way out",
        "cartridges":["mysql-10.11","php"],"sizes":["large","small"],"domains":["acme"],"selinux_type":"gear_quiet_t",
        "filter":"standard +clone3 +unshare -ptrace","capabilities":["net_bind_service","net_raw"],
        "egress":[{"network":"203.0.113.0/24","port":0},{"network":"198.51.100.7/32","port":443}],
        "limits":{"memory_mb":256,"pids":40}})"));
    Settings elsewhere = directory.settings;
    EXPECT_TRUE(load_profiles("/nonexistent", elsewhere, directory.policy).empty());
}

struct Bad {
    const char* text;
    const char* message;  ///< after the file's name
};

TEST(ProfileFile, IsRefusedWithItsPlace) {
    for (const auto& [text, message] : std::initializer_list<Bad>{
             {"descripton = 'x'", ":1:14: unknown key 'descripton'; did you mean 'description'?"},
             {"description = 1", ":1:15: 'description' must be a string"},
             {"assign = 1", ":1:10: this must be a table: write its name in brackets, [assign]"},
             {"[asign]\n", ":1:1: unknown key 'asign'; did you mean 'assign'?"},
             {"[assign]\ncartridge = ['php']",
              ":2:13: unknown key 'assign.cartridge'; did you mean 'assign.cartridges'?"},
             {"[assign]\ndomains = 'acme'", ":2:11: 'assign.domains' must be a list of strings"},
             {"[assign]\ndomains = ['acme', 1]", ":2:20: 'assign.domains' must be a list of strings"},
             {"[assign]\ndomains = ['Acme']",
              ":2:12: 'Acme' is no domain's name: 1 to 16 lower-case letters and digits"},
             {"[assign]\nsizes = ['small', 'larg']", ":2:19: unknown gear size 'larg'; did you mean 'large'?"},
             {"[assign]\ncartridges = ['php!']",
              ":2:15: 'php!' is no cartridge's name, as \"php\" or \"php-8.4\""},
             {"[assign]\ndomains = ['acme', 'acme']",
              ":2:20: the domain 'acme' is assigned to the profile 'a' already, and cannot be to 'a', too"},
             {"selinux_type = 'gear_x_t'", ":1:16: the SELinux policy has no type 'gear_x_t' for processes"},
             {"selinux_type = 'gear_t:s0'", ":1:16: 'gear_t:s0' is no SELinux type"},
             {"[seccomp]\nallow = ['unshar']", ":2:10: unknown system call 'unshar'; did you mean 'unshare'?"},
             {"[seccomp]\nallow = ['ptrace']\nrefuse = ['ptrace']",
              ":3:11: the system call 'ptrace' is allowed and refused"},
             {"[seccomp]\nrefuse = ['execve']",
              ":2:11: the system call 'execve' cannot be refused: gear-init needs it to start programs and to be PID 1"},
             {"[seccomp]\nfilter = 'no'", ":2:10: 'seccomp.filter' must be true or false"},
             {"[seccomp]\nfilter = false\nallow = ['bpf']",
              ":3:9: without a filter ('seccomp.filter' is false) there is nothing to allow or refuse"},
             {"[seccomp]\ndeny = ['bpf']", ":2:8: unknown key 'seccomp.deny'; did you mean 'seccomp.allow'?"},
             {"[capabilities]\nkeep = ['net_bind_servce']",
              ":2:9: unknown capability 'net_bind_servce'; did you mean 'net_bind_service'?"},
             {"[capabilities]\nkeep = ['sys_admin']",
              ":2:9: no gear can keep the capability 'sys_admin': it opens most of the kernel, and with it the machine"},
             {"[capabilities]\nkeep = ['setuid']",
              ":2:9: no gear can keep the capability 'setuid': gears are told apart by their users, and it makes one of "
              "another"},
             {"[network]\negress = 'all'",
              ":2:10: 'network.egress' must be \"internet\", \"none\" or a list of networks"},
             {"[network]\negress = ['203.0.113.9/24']",
              ":2:11: '203.0.113.9/24' has bits behind its prefix; the network is '203.0.113.0/24'"},
             {"[network]\negress = ['203.0.113.0/24',\n 'example.com']",
              ":3:2: 'example.com' is not an address or a network with its prefix length, with a port if need be: "
              "\"203.0.113.0/24\", \"198.51.100.7:443\""},
             {"[network]\negress = ['2001:db8::/32']",
              ":2:11: '2001:db8::/32' is of IPv6, which gears do not have: name networks of IPv4"},
             {"[limits]\nmemory = 1", ":2:10: unknown setting 'limits.memory'; did you mean 'limits.memory_mb'?"},
             {"[limits]\npids = 1", ":2:8: 'limits.pids' must be from 16 to 1000000"},
             {"[limits]\npids = '99'", ":2:8: 'limits.pids' must be a whole number"},
         }) {
        EXPECT_EQ(refusal(text), str("a.toml", message)) << text;
    }
    EXPECT_EQ(refusal("[assign").substr(0, 9), "a.toml:1:");
}

TEST(ProfileFile, IsNamedAsTheProfile) {
    const Directory directory;
    directory.write("Big One.toml", "");
    EXPECT_EQ(directory.refusal(), "Big One.toml:1:1: the profile's name 'Big One' must be 1 to 32 lower-case letters, "
                                   "digits, _ and -, and begin with a letter or digit");
}

TEST(ProfileFile, IsAloneWithWhatItIsAssignedTo) {
    for (const char* assigned : {"cartridges = ['php']", "sizes = ['large']", "domains = ['acme']"}) {
        const Directory directory;
        directory.write("a.toml", str("[assign]\n", assigned));
        directory.write("b.toml", str("\n[assign]\n", assigned));
        const std::string what = directory.refusal();
        EXPECT_TRUE(what.starts_with("b.toml:3:")) << what;
        EXPECT_NE(what.find("is assigned to the profile 'a' already, and cannot be to 'b', too"), std::string::npos)
            << what;
    }
    const Directory directory;
    directory.write("a.toml", "[assign]\ncartridges = ['php']");
    directory.write("b.toml", "[assign]\ncartridges = ['php-8.4']");
    EXPECT_EQ(directory.refusal(), "accepted") << "a version is more than the name alone";
}

GearRecord make_record(std::vector<std::string> cartridges) {
    GearRecord record;
    record.spec.id = GearId("5f0000000000000000000101");
    record.spec.uid = 1001;
    record.spec.domain = *Namespace::parse("acme");
    for (const std::string& full : cartridges) {
        RecordedCartridge cartridge;
        cartridge.full_name = full;
        cartridge.name = full.substr(0, full.find('-'));
        record.cartridges.push_back(cartridge);
    }
    return record;
}

std::string profile_of(const Directory& directory, const GearRecord& record) {
    const std::vector<Profile> profiles = directory.load();
    const Profile* const found = find_profile(profiles, record);
    return found == nullptr ? "" : found->name;
}

TEST(Profiles, AreChosenByDomainSizeAndCartridges) {
    const Directory directory;
    directory.write("php.toml", "[assign]\ncartridges = ['php']");
    directory.write("php84.toml", "[assign]\ncartridges = ['php-8.4']");
    directory.write("db.toml", "[assign]\ncartridges = ['mysql']");
    directory.write("large.toml", "[assign]\nsizes = ['large']");
    directory.write("other.toml", "[assign]\ndomains = ['other']");
    GearRecord record = make_record({});
    EXPECT_EQ(profile_of(directory, record), "");
    EXPECT_EQ(profile_of(directory, make_record({"python-3.13"})), "");
    EXPECT_EQ(profile_of(directory, make_record({"php-8.2"})), "php");
    EXPECT_EQ(profile_of(directory, make_record({"php-8.4"})), "php84") << "with version before without";
    EXPECT_EQ(profile_of(directory, make_record({"python-3.13", "mysql-10.11", "php-8.4"})), "db")
        << "the first cartridge that has one";
    record = make_record({"php-8.4"});
    record.spec.resources.size = "large";
    EXPECT_EQ(profile_of(directory, record), "large");
    record.spec.domain = *Namespace::parse("other");
    EXPECT_EQ(profile_of(directory, record), "other");
}

TEST(Profiles, MakeThePrivilegesOfAGear) {
    const Directory directory;
    directory.write("quiet.toml", whole);
    directory.write("open.toml", "[assign]\ndomains = ['lab']\n[seccomp]\nfilter = false");
    const Profiles profiles(directory.settings, directory.policy);
    GearRecord record = make_record({});
    const Privileges quiet = make_privileges(record, profiles, directory.policy, Purpose::service);
    EXPECT_EQ(quiet.label, "system_u:system_r:gear_quiet_t:s0:c0,c1001") << "the categories stay";
    EXPECT_EQ(quiet.capabilities, (std::vector<std::string>{"net_bind_service", "net_raw"}));
    EXPECT_EQ(quiet.filter, "standard +clone3 +unshare -ptrace");
    EXPECT_EQ(quiet.limits[1], (std::pair<std::string, std::uint64_t>{"nproc", 40}));
    EXPECT_EQ(quiet.limits[0].second, 4096u) << "the size's";
    EXPECT_EQ(profiles.limits(record).memory_mb, 256);
    record.spec.domain = *Namespace::parse("lab");
    const Privileges open = make_privileges(record, profiles, directory.policy, Purpose::service);
    EXPECT_EQ(open.filter, no_filter);
    EXPECT_EQ(open.label, "system_u:system_r:gear_t:s0:c0,c1001");
    EXPECT_EQ(read_all(profiles.filter(no_filter).get()), "");
    EXPECT_GT(read_all(profiles.filter(quiet.filter).get()).size(), 1000u);
}

TEST(Profiles, LeaveAHostWithoutLabelsWithoutThem) {
    EXPECT_EQ(with_type("", "gear_quiet_t"), "");
    EXPECT_EQ(with_type("a:b:gear_t:s0:c1,c2", "x_t"), "a:b:x_t:s0:c1,c2");
}

}  // namespace

}  // namespace gearbox::test
