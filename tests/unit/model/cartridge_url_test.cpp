#include "model/cartridge_url.h"

#include "base/error.h"
#include "model/cartridge.h"

#include <gtest/gtest.h>

namespace gearbox::test {

namespace {

constexpr const char* near = "names the machine that fetches it, or its network, and no other server";
constexpr const char* scheme = "must begin with http://, https:// or git://";
constexpr const char* text = "must be at most 2048 printable characters, without spaces and quotes";
constexpr const char* user = "must hold no user name and no password: others of the domain see it";
constexpr const char* dots = "must not have '.' or '..' in its path";
constexpr const char* host = "names no host";

}  // namespace

TEST(CartridgeUrl, IsAServersOnTheNetwork) {
    const std::string cases[][2] = {
        {"http://example.org/redis/metadata/manifest.yml", ""},
        {"https://github.com/acme/redis", ""},
        {"https://github.com/acme/redis.git#2.0", ""},
        {"git://example.org:9418/redis.git", ""},
        {"http://10.1.2.3:8080/redis.tgz?raw=1&x=..", ""},  // a private network: the gear's network decides
        {"http://[2001:db8::1]/redis.zip", ""},
        {"https://example.org", ""},
        {"", scheme},
        {"redis", scheme},
        {"ftp://example.org/redis.tgz", scheme},
        {"ssh://git@example.org/redis.git", scheme},
        {"file:///etc/passwd", scheme},
        {"ext::sh", scheme},
        {"HTTP://example.org/", scheme},
        {"-o/tmp/x", scheme},
        {"http://example.org/a b", text},
        {"http://example.org/a\nb", text},
        {"http://example.org/'a'", text},
        {"http://example.org/{a,b}", text},
        {"http://example.org/\xc3\xa4", text},
        {"http://example.org/" + std::string(2048, 'a'), text},
        {"https://me:secret@example.org/redis.git", user},
        {"https://example.org@127.0.0.1/redis.git", user},
        {"http:///redis.tgz", host},
        {"http://:80/redis.tgz", host},
        {"http://-x/redis.tgz", host},
        {"http://exa%6dple.org/redis.tgz", host},
        {"http://localhost/x.tgz", near},
        {"http://LOCALHOST./x.tgz", near},
        {"http://shop-acme.gearbox.localhost/x.tgz", near},
        {"http://127.0.0.1/x.tgz", near},
        {"http://127.1:8080/x.tgz", near},
        {"http://2130706433/x.tgz", near},
        {"http://0x7f.0.0.1/x.tgz", near},
        {"http://0177.0.0.1/x.tgz", near},
        {"http://0/x.tgz", near},
        {"http://169.254.169.254/latest/meta-data", near},
        {"http://224.0.0.1/x.tgz", near},
        {"http://[::1]/x.tgz", near},
        {"http://[::]/x.tgz", near},
        {"http://[fe80::1]/x.tgz", near},
        {"http://[::ffff:127.0.0.1]/x.tgz", near},
        {"git://127.0.0.1/x.git", near},
        {"http://example.org/a/../b.tgz", dots},
        {"http://example.org/a/%2E%2e/b.tgz", dots},
        {"http://example.org/a/..", dots},
    };
    for (const auto& [url, wrong] : cases) {
        EXPECT_EQ(wrong_with_cartridge_url(url, {}), wrong) << url;
    }
}

TEST(CartridgeUrl, IsBelowOneOfTheOperatorsPrefixes) {
    const std::vector<std::string> prefixes = {"https://github.com/acme/", "http://files.example.org/"};
    const std::string refusal =
        "is not below one that this host takes cartridges from: https://github.com/acme/, http://files.example.org/";
    EXPECT_EQ(wrong_with_cartridge_url("https://github.com/acme/redis", prefixes), "");
    EXPECT_EQ(wrong_with_cartridge_url("http://files.example.org/redis.tgz", prefixes), "");
    EXPECT_EQ(wrong_with_cartridge_url("https://github.com/acme-evil/redis", prefixes), refusal);
    EXPECT_EQ(wrong_with_cartridge_url("https://github.com/other/redis", prefixes), refusal);
    EXPECT_EQ(wrong_with_cartridge_url("http://files.example.org.evil.org/redis.tgz", prefixes), refusal);
    EXPECT_EQ(wrong_with_cartridge_url("https://github.com/acme/../other/redis", prefixes), dots);
}

TEST(OwnCartridge, IsNobodyElses) {
    const auto parsed = [](const std::string& more, const std::string& name = "") {
        try {
            return parse_own_cartridge(str("Name: redis\nCartridge-Short-Name: REDIS\nVersion: '2'\nVersions: ['1', '2']\n",
                                           more, "\n"),
                                       "http://example.org/redis", name)
                .full_name();
        } catch (const Error& error) {
            return error.text();
        }
    };
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [service]"), "acme-redis-2");
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [service]", "acme-redis-1"), "acme-redis-1");
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [service]", "acme-redis-3"),
              "the manifest has no version 'acme-redis-3'");
    for (const char* vendor : {"redhat", "RedHat", "gearbox", ""}) {
        EXPECT_EQ(parsed(str("Cartridge-Vendor: ", vendor, "\nCategories: [service]")),
                  str("Cartridge-Vendor must name who has made it, and not '", to_lower(vendor),
                      "': plain names are those of this appliance's own cartridges"));
    }
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [external]"),
              "the categories external, domain_scope and web_proxy are for the operator's cartridges");
    for (const char* version : {"../../etc", "active", "1/2", ".1"}) {
        EXPECT_EQ(parsed(str("Cartridge-Vendor: acme\nCategories: [service]\nCartridge-Version: ", version)),
                  str("Cartridge-Version '", version, "' must be a version such as 1.0.2: at most 32 letters, digits and"
                      " .-_+, with a digit first"));
    }
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [service]\nSource-Md5: abc"),
              "Source-Md5 must be 32 hex digits, not 'abc'");
    EXPECT_EQ(parsed("Cartridge-Vendor: acme\nCategories: [service]\nSource-Sha256: " + std::string(63, 'a')),
              "Source-Sha256 must be 64 hex digits, not '" + std::string(63, 'a') + "'");
}

}  // namespace gearbox::test
