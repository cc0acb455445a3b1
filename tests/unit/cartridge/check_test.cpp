#include "cartridge/check.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace gearbox::test {

namespace fs = std::filesystem;
using cartridge::Limits;
using cartridge::Report;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr const char* manifest =
    "Name: Redis\nCartridge-Short-Name: REDIS\nVersion: '2.6'\nVersions: ['2.6', '2.8']\n"
    "Cartridge-Version: 0.0.3\nCartridge-Vendor: acme\nCategories: [service, embedded]\n";

class CartridgeCheck : public ::testing::Test {
protected:
    CartridgeCheck() {
        write("metadata/manifest.yml", manifest);
        write("bin/control", "#!/bin/bash\necho \"$1\"\n");
    }
    void write(const std::string& name, const std::string& text) {
        fs::create_directories((directory.path() / name).parent_path());
        write_file_atomically(directory.path() / name, text);
    }
    /// "error bin/setup: …" or "remark …", a line each.
    std::vector<std::string> found(const Limits& limits = {}) {
        std::vector<std::string> out;
        for (const auto& finding : cartridge::check(directory.path(), limits).findings) {
            out.push_back((finding.is_error ? "error " : "remark ") + cartridge::to_line(finding));
        }
        return out;
    }

    TempDir directory;
};

}  // namespace

TEST_F(CartridgeCheck, SaysWhatIsOffered) {
    const Report report = cartridge::check(directory.path());
    EXPECT_TRUE(report.is_usable());
    EXPECT_THAT(found(), IsEmpty());
    EXPECT_EQ(report.name, "acme-redis");
    EXPECT_EQ(report.vendor, "acme");
    EXPECT_EQ(report.cartridge_version, "0.0.3");
    EXPECT_THAT(report.offers, ElementsAre("acme-redis-2.8", "acme-redis-2.6"));
}

TEST_F(CartridgeCheck, NamesWhatIsMissing) {
    EXPECT_THAT(cartridge::check("/nonexistent").findings.at(0).text, HasSubstr("no such directory"));
    fs::remove_all(directory.path() / "bin");
    EXPECT_THAT(found(), ElementsAre("remark bin/control: is missing: there is nothing to start, and nobody tells how it is"));
    fs::remove_all(directory.path() / "metadata");
    EXPECT_THAT(found().back(), HasSubstr("error metadata/manifest.yml: is missing"));
}

TEST_F(CartridgeCheck, NamesWhatIsWrongInTheManifest) {
    const std::pair<const char*, const char*> cases[] = {
        {"Name: [", "manifest line 1:"},
        {"just words", "not a YAML mapping"},
        {"Name: git\n", "not 'app-root' or 'git'"},
        {"Name: redis\nCartridge-Short-Name: A-B\n", "Cartridge-Short-Name 'A-B'"},
        {"Name: redis\nCartridge-Short-Name: R\nVersion: '1'\nCategories: [fast]\n", "Categories must hold one of"},
        {"Name: redis\nCartridge-Short-Name: R\nVersion: '1'\nCategories: [service]\n"
         "Endpoints: [{Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 70000}]\n",
         "Endpoints[0]: Private-Port must be 1 to 65535"},
    };
    for (const auto& [text, words] : cases) {
        write("metadata/manifest.yml", text);
        ASSERT_THAT(found(), ElementsAre(HasSubstr(words)));
        EXPECT_TRUE(found().front().starts_with("error metadata/manifest.yml: ")) << found().front();
    }
    write("metadata/manifest.yml", std::string(manifest) + ("Cart-Data:\n- {Key: A, Type: environment}\n- {Key: B, Type: enviroment}\n- just a word\n"));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("remark metadata/manifest.yml: Cart-Data[1] has no Key, or a Type other than"), HasSubstr("Cart-Data[2]")));
    write("metadata/manifest.yml", std::string(30'000, '#'));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("larger than 20480 bytes")));
    write("metadata/manifest.yml", "Name: w\nCartridge-Short-Name: W\nVersion: '1'\nCategories: [web_framework]\n");
    EXPECT_THAT(found(), ElementsAre(HasSubstr("remark metadata/manifest.yml: Cartridge-Version is missing"),
                                     "remark metadata/manifest.yml: Cartridge-Vendor must name its author, not '', for it"
                                     " to be imported or used by its address",
                                     HasSubstr("remark metadata/manifest.yml: Endpoints is missing")));
}

TEST_F(CartridgeCheck, ReadsScriptsWithoutRunningThem) {
    write("bin/setup", "#!/bin/bash\ntouch /tmp/executed\nif true; then\n");
    write("bin/install", "#!/bin/bash\r\necho\r\n");
    write("bin/build", "#!/usr/bin/python9\n");
    write("bin/tidy", "#!/usr/bin/env ruby99 -w\n");
    write("hooks/publish-it", "");
    write("hooks/get", "\x7f" "ELF\x01\x01\x01");
    write("hooks/picture", std::string("PNG\0\0", 5));
    EXPECT_THAT(found(),
                ElementsAre("remark bin/build:1: wants '/usr/bin/python9', which is not on this machine",
                            "error bin/install: ends its lines as Windows does; sed -i 's/\\r$//' makes it a script",
                            "error bin/setup:4: syntax error: unexpected end of file",
                            "remark bin/tidy:1: wants '/usr/bin/env ruby99 -w', which is not on this machine",
                            "error hooks/get: is a program for another processor than x86-64",
                            "error hooks/picture: is neither a script nor a program of this system",
                            "error hooks/publish-it: is empty"));
    EXPECT_FALSE(fs::exists("/tmp/executed"));
}

TEST_F(CartridgeCheck, TakesNoLinksForItsOwnFilesAndNoDevices) {
    fs::remove(directory.path() / "metadata/manifest.yml");
    fs::create_symlink("/etc/shadow", directory.path() / "metadata/manifest.yml");
    ASSERT_EQ(::mkfifo((directory.path() / "pipe").c_str(), 0600), 0);
    fs::create_symlink("/etc/passwd", directory.path() / "bin/setup");
    EXPECT_THAT(found(), ElementsAre(HasSubstr("error metadata/manifest.yml: is missing"),
                                     HasSubstr("error pipe: is a device, pipe or socket")));
    EXPECT_FALSE(cartridge::check(directory.path()).is_usable());
}

TEST_F(CartridgeCheck, BoundsItsSize) {
    write("usr/large", std::string(3 << 20, 'x'));
    EXPECT_THAT(found({1 << 20, 100}), ElementsAre("error has more than 100 files or 1 MiB"));
    EXPECT_THAT(found({8 << 20, 2}), ElementsAre(HasSubstr("has more than 2 files")));
    EXPECT_THAT(found({8 << 20, 100}), IsEmpty());
}

TEST(OurCartridges, AreUsable) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(source_path("cartridges"))) {
        if (fs::exists(entry.path() / "metadata")) {
            const Report report = cartridge::check(entry.path());
            EXPECT_TRUE(report.is_usable()) << entry.path() << ": "
                                            << (report.findings.empty() ? "" : cartridge::to_line(report.findings.front()));
            ++count;
        }
    }
    EXPECT_GE(count, 15);
}

TEST(CartridgeSource, IsWhatTheManifestSays) {
    const auto source = cartridge::source_of(std::string(manifest) + "Source-Url: https://a/b.tgz\nSource-Md5: " + std::string(32, 'A'));
    EXPECT_EQ(source.url, "https://a/b.tgz");
    EXPECT_EQ(source.md5, std::string(32, 'a'));
    EXPECT_EQ(source.sha256, "");
    EXPECT_EQ(cartridge::source_of(manifest).url, "");
}

}  // namespace gearbox::test
