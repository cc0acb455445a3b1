#include "cli/cartridge_source.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <httplib.h>

#include <fstream>
#include <thread>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

namespace {

constexpr const char* manifest = "Name: redis\nCartridge-Short-Name: REDIS\nVersion: '1'\nCategories: [service]\n";

// A cartridge in work/redis, as a directory, in archives and in a repository with two branches.
class CartridgeSource : public ::testing::Test {
protected:
    CartridgeSource() {
        const fs::path directory = work.path() / "redis";
        fs::create_directories(directory / "metadata");
        std::ofstream(directory / "metadata/manifest.yml") << manifest;
        std::ofstream(directory / "file") << "first";
        in_work("tar -czf wrapped.tar.gz redis; tar -cf flat.tar -C redis .; "
                "git init -q -b main redis.git; cp -r redis/. redis.git; cd redis.git; "
                "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a; "
                "git add .; git commit -qm one; git checkout -q -b other; echo -n second >file; git commit -qam two; "
                "git checkout -q main");
    }
    void in_work(const std::string& program) const {
        ToolOptions options;
        options.directory = work.path();
        run_tool_checked({"bash", "-ec", program}, options);
    }
    /// Content of "file" of what was fetched; or the refusal.
    std::string fetched(const std::string& source, const std::string& sha256 = "") const {
        const TempDir to;
        try {
            cli::fetch_cartridge(source, sha256, to.path());
        } catch (const Error& error) {
            return error.text();
        }
        EXPECT_TRUE(fs::exists(to.path() / "metadata/manifest.yml")) << source;
        EXPECT_FALSE(fs::exists(to.path() / ".git")) << source;
        return read_file(to.path() / "file");
    }
    std::string path(const std::string& name) const { return work.path() / name; }

    TempDir work;
};

}  // namespace

TEST_F(CartridgeSource, IsADirectoryAnArchiveOrARepository) {
    EXPECT_EQ(fetched(path("redis")), "first");
    EXPECT_EQ(fetched(path("wrapped.tar.gz")), "first");
    EXPECT_EQ(fetched(path("flat.tar")), "first");
    EXPECT_EQ(fetched("file://" + path("redis.git")), "first");
    EXPECT_EQ(fetched("file://" + path("redis.git#other")), "second");
}

TEST_F(CartridgeSource, IsCheckedAgainstItsDigest) {
    const std::string sum = run_tool_checked({"sha256sum", path("flat.tar")}).substr(0, 64);
    EXPECT_EQ(fetched(path("flat.tar"), sum), "first");
    EXPECT_THAT(fetched(path("flat.tar"), std::string(64, '0')), HasSubstr("has the sha256sum " + sum + ", not 0000"));
}

TEST_F(CartridgeSource, IsNamedByAManifest) {
    std::ofstream(path("redis.yml")) << manifest << "Source-Url: " << path("flat.tar") << "\nDescription: newer\n";
    const TempDir to;
    cli::fetch_cartridge(path("redis.yml"), "", to.path());
    EXPECT_THAT(read_file(to.path() / "metadata/manifest.yml"), HasSubstr("newer"));
    EXPECT_EQ(read_file(to.path() / "file"), "first");
    // Its own files stay as they are.
    std::ofstream(path("redis.yml")) << manifest << "Source-Url: " << path("redis") << "\nDescription: newer\n";
    EXPECT_EQ(fetched(path("redis.yml")), "first");
    EXPECT_EQ(read_file(path("redis/metadata/manifest.yml")), manifest);
    const std::string sum = run_tool_checked({"md5sum", path("flat.tar")}).substr(0, 32);
    std::ofstream(path("sum.yml")) << manifest << "Source-Url: " << path("flat.tar") << "\nSource-Md5: " << sum << "\n";
    EXPECT_EQ(fetched(path("sum.yml")), "first");
    std::ofstream(path("sum.yml")) << manifest << "Source-Url: " << path("flat.tar") << "\nSource-Md5: "
                                   << std::string(32, '0') << "\n";
    EXPECT_THAT(fetched(path("sum.yml")), HasSubstr("has the md5sum " + sum));
    // Nor do others that the code links to.
    in_work("echo safe >outside; mkdir away; cp -r redis linked; ln -sf ../../outside linked/metadata/manifest.yml; "
            "mkdir far; ln -s ../away far/metadata; echo -n first >far/file");
    for (const char* name : {"linked", "far"}) {
        std::ofstream(path("link.yml")) << manifest << "Source-Url: " << path(name) << "\n";
        EXPECT_EQ(fetched(path("link.yml")), "first") << name;
    }
    EXPECT_EQ(read_file(path("outside")), "safe\n");
    EXPECT_TRUE(fs::is_empty(path("away")));
    std::ofstream(path("bare.yml")) << manifest;
    EXPECT_THAT(fetched(path("bare.yml")), HasSubstr("names no Source-Url"));
    std::ofstream(path("loop.yml")) << manifest << "Source-Url: http://localhost/loop.yml\n";
    EXPECT_THAT(fetched(path("loop.yml")), HasSubstr("is another manifest"));
}

TEST(RepositoryPage, NamesARepositoryABranchAndADirectory) {
    const char* const cases[][4] = {
        {"https://github.com/acme/redis/tree/main", "https://github.com/acme/redis", "main", ""},
        {"https://github.com/acme/all/tree/v2/carts/redis/", "https://github.com/acme/all", "v2", "carts/redis"},
        {"https://github.com/acme/redis/blob/main/metadata/manifest.yml", "https://github.com/acme/redis", "main", ""},
        {"https://raw.githubusercontent.com/acme/all/main/redis/metadata/manifest.yml", "https://github.com/acme/all", "main", "redis"},
        {"https://raw.githubusercontent.com/acme/all/refs/heads/main/redis/metadata/manifest.yml", "https://github.com/acme/all", "main", "redis"},
        {"https://gitlab.com/acme/group/all/-/tree/main/redis?ref_type=heads", "https://gitlab.com/acme/group/all", "main", "redis"},
        {"https://codeberg.org/acme/all/src/branch/main/my%20redis", "https://codeberg.org/acme/all", "main", "my redis"},
        {"https://bitbucket.org/acme/all/src/main/redis", "https://bitbucket.org/acme/all", "main", "redis"},
        {"https://github.com/acme/redis", "", "", ""},
        {"https://github.com/acme/redis/archive/main.zip", "", "", ""},
        {"http://example.org/redis/metadata/manifest.yml", "", "", ""},
    };
    for (const auto& [address, repository, ref, directory] : cases) {
        const cli::RepositoryPlace place = cli::repository_place(address);
        EXPECT_EQ(place.repository, repository) << address;
        EXPECT_EQ(place.ref, ref) << address;
        EXPECT_EQ(place.directory, directory) << address;
    }
}

TEST(Listing, LeadsOnlyDownwards) {
    const std::string html = "<a href=\"../\">up</a> <A HREF='bin/'>bin</A><a class=x href=manifest.yml> <a href=\"/redis/hooks/\">"
                             "<a href=\"/etc/passwd\"><a href=\"http://evil/\"><a href=\"?C=N\"><a href=\"a/b\"><a href=\"%2e%2e/\">"
                             "<a href=\"..%2fx\"><a href=\".git/\"><a href=\"a%20b\"><a href=\"./usr/\"><a href=\"bin/\">";
    EXPECT_EQ(cli::names_in_listing(html, "http://example.org/redis/"),
              (std::vector<std::string>{"a%20b", "bin/", "hooks/", "manifest.yml", "usr/"}));
}

// A manifest from elsewhere must not have root's files copied into a cartridge.
TEST_F(CartridgeSource, StaysElsewhere) {
    httplib::Server server;
    const int port = server.bind_to_any_port("127.0.0.1");
    std::string url;
    server.Get("/redis.yml", [&](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(str(manifest, "Source-Url: ", url, "\n"), "text/yaml");
    });
    server.Get("/flat.tar", [&](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(read_file(path("flat.tar")), "application/x-tar");
    });
    std::thread thread([&] { server.listen_after_bind(); });
    const std::string address = str("http://127.0.0.1:", port);
    for (const std::string& local : {path("redis"), path("flat.tar"), "file://" + path("redis.git")}) {
        url = local;
        EXPECT_THAT(fetched(address + "/redis.yml"), HasSubstr("is no http, https or git address")) << local;
    }
    url = address + "/flat.tar";
    EXPECT_EQ(fetched(address + "/redis.yml"), "first");
    EXPECT_THAT(fetched(address + "/none.tar"), HasSubstr("404"));
    server.stop();
    thread.join();
}

TEST_F(CartridgeSource, SaysWhatCouldNotBeFetched) {
    EXPECT_THAT(fetched("/nonexistent"), HasSubstr("'/nonexistent' is no file or directory here, and no address"));
    EXPECT_THAT(fetched("file:///nonexistent.git"), HasSubstr("nonexistent"));
    EXPECT_THAT(fetched("http://127.0.0.1:9/x.tar.gz"), HasSubstr("127.0.0.1"));
    std::ofstream(path("broken.zip")) << "no archive";
    EXPECT_THAT(fetched(path("broken.zip")), HasSubstr("unzip"));
    in_work("ln -s / out; tar -cPf hostile.tar redis redis/../../../../etc/hostname || true");
    EXPECT_THAT(fetched(path("hostile.tar")), HasSubstr("tar"));
}

}  // namespace gearbox::test
