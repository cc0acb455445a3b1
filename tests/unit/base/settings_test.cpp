#include "base/settings.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#include <gtest/gtest.h>

namespace gearbox {
namespace {

std::string refusal(const std::string& text) {
    TempDir dir;
    const auto file = dir.path() / "g.toml";
    write_file_atomically(file, text);
    try {
        load_settings(file);
    } catch (const Error& error) {
        return error.text().substr(error.text().find("g.toml"));
    }
    return "accepted";
}

TEST(Settings, FileOverridesDefaults) {
    TempDir dir;
    const auto file = dir.path() / "g.toml";
    write_file_atomically(file, "[rest]\nlisten_port = 0\n[security]\npolicy = \"none\"\n");
    const Settings settings = load_settings(file);
    EXPECT_EQ(settings.rest.listen_port, 0);
    EXPECT_EQ(settings.security.policy, "none");
    EXPECT_EQ(settings.broker.cloud_domain, "gearbox.localhost");
}

TEST(Settings, MistakesAreNamedWithTheirPlace) {
    EXPECT_EQ(refusal("[rest]\nlisten_prot = 1\n"),
              "g.toml:2:15: unknown setting 'rest.listen_prot'; did you mean 'rest.listen_port'?");
    EXPECT_EQ(refusal("[rest]\nlisten_port = \"x\"\n"),
              "g.toml:2:15: 'rest.listen_port' must be a whole number");
    EXPECT_EQ(refusal("[rest]\nlisten_port = 70000\n"),
              "g.toml:2:15: 'rest.listen_port' must be from 0 to 65535");
    EXPECT_EQ(refusal("[network]\nhost_ports = [443]\n"),
              "g.toml:2:14: 'network.host_ports' must be a list of strings");
    EXPECT_EQ(refusal("[network]\nreachable = []\nhost_ports = [\"443\"]\n"), "accepted");
    EXPECT_EQ(refusal("[security]\npolicy = \"permissive\"\n"),
              "g.toml: 'security.policy' must be \"selinux\" or \"none\"");
    for (const char* address : {"http://a.test", "https://", "https://a.test/", "https://a.test/ x", "https://a.test/${X}", "https://a\\\"b"}) {
        EXPECT_EQ(refusal(str("[mirror]\nnpm = \"", address, "\"\n")),
                  "g.toml: 'mirror.npm' must be https://HOST[:PORT][/PATH], without a slash at the end");
    }
    EXPECT_EQ(refusal("[mirror]\nnpm = \"\"\ngem = \"https://gems.acme.test:8443/all\"\n"), "accepted");
    EXPECT_EQ(refusal("[mirror]\npip = \"\"\n"), "g.toml: 'mirror.pip' and 'mirror.pip_files' are both given, or both empty");
    EXPECT_EQ(refusal("[rest\n").rfind("g.toml:1:", 0), 0u);
}

TEST(Settings, TheDumpIsAValidFileWithTheSameValues) {
    TempDir dir;
    const auto file = dir.path() / "g.toml";
    const std::string dump = dump_settings(make_default_settings());
    write_file_atomically(file, dump);
    EXPECT_EQ(dump_settings(load_settings(file)), dump);
}

TEST(Settings, ASizeIsTheFirstOneButForWhatItSays) {
    TempDir dir;
    const auto file = dir.path() / "g.toml";
    write_file_atomically(file, "[size.large]\nmemory_mb = 2048\n[gear]\npids = 99\n[size.medium]\n");
    const Settings settings = load_settings(file);
    EXPECT_EQ(settings.size_names(), (std::vector<std::string>{"small", "large", "medium"}));
    EXPECT_EQ(settings.size("large").memory_mb, 2048);
    EXPECT_EQ(settings.size("large").pids, 99);
    EXPECT_EQ(settings.size("medium").memory_mb, 512);
    EXPECT_EQ(settings.size("gone").memory_mb, 512);
    EXPECT_TRUE(settings.has_size("small"));
    EXPECT_FALSE(settings.has_size("gone"));
    write_file_atomically(file, dump_settings(settings));
    EXPECT_EQ(dump_settings(load_settings(file)), dump_settings(settings));
    EXPECT_EQ(refusal("[size.large]\nmemory = 1\n"),
              "g.toml:2:10: unknown setting 'size.large.memory'; did you mean 'size.large.memory_mb'?");
    EXPECT_EQ(refusal("[size.large]\npids = 1\n"), "g.toml:2:8: 'size.large.pids' must be from 16 to 1000000");
    EXPECT_EQ(refusal("[size.small]\n").substr(0, 35), "g.toml:1:1: 'size.small' must be a ");
    EXPECT_EQ(refusal("[size]\nlarge = 1\n").substr(0, 35), "g.toml:2:9: 'size.large' must be a ");
    EXPECT_EQ(refusal("[broker]\ndefault_gear_size = \"big\"\n[size.large]\n"),
              "g.toml: 'broker.default_gear_size' must be one of the gear sizes: small, large");
}

TEST(Settings, NearestWantsAResemblance) {
    EXPECT_EQ(nearest("strat", {"start", "stop"}), "start");
    EXPECT_EQ(nearest("zzz", {"start", "stop"}), "");
}

}  // namespace
}  // namespace gearbox
