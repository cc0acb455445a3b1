#include "mirror.h"

#include "base/file.h"

#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

std::string shown(const std::vector<AptSource>& sources) {
    std::string text;
    for (const AptSource& source : sources) {
        text += source.uri + " " + source.suite + "\n";
    }
    return text;
}

TEST(Mirror, ReadsSourcesList) {
    EXPECT_EQ(
        shown(parse_sources_list("# comment\n"
                                 "deb http://a/debian bookworm main contrib\n"
                                 "deb-src http://a/debian bookworm main\n"
                                 "deb [arch=amd64 signed-by=/k] http://b/debian trixie main # x\n"
                                 "deb http://incomplete\n\n")),
        "http://a/debian bookworm\nhttp://b/debian trixie\n");
}

TEST(Mirror, ReadsDeb822) {
    EXPECT_EQ(shown(parse_deb822("Types: deb deb-src\n# snapshot\nURIs: http://a/debian http://b\n"
                                 "Suites: bookworm\n bookworm-updates\nComponents: main\n"
                                 "Signed-By: /k\n\n"
                                 "Types: deb\nURIs: http://off\nSuites: x\nEnabled: no\n\n"
                                 "Types: deb-src\nURIs: http://src\nSuites: x\n\n\n"
                                 "Types: deb\nURIs: http://c/security\nSuites: bookworm-security")),
              "http://a/debian bookworm\nhttp://b bookworm\nhttp://c/security bookworm-security\n");
}

TEST(Mirror, ChoosesTheArchiveForTheSuite) {
    const std::vector<AptSource> sources{{"cdrom:[x]", "bookworm"},
                                         {"https://other.example/apt", "nodistro"},
                                         {"http://s/debian-security", "bookworm-security"},
                                         {"http://m/debian", "bookworm-updates"}};
    EXPECT_EQ(find_mirror(sources, "trixie"), "http://m/debian");
    EXPECT_EQ(find_mirror(sources, "trixie-security"), "http://s/debian-security");
    EXPECT_EQ(find_mirror({}, "trixie"), std::nullopt);
}

TEST(Mirror, ReadsAWholeFolder) {
    const TempDir etc;
    write_file_atomically(etc.path() / "sources.list", "deb http://a sid main\n");
    std::filesystem::create_directory(etc.path() / "sources.list.d");
    write_file_atomically(etc.path() / "sources.list.d/b.sources",
                          "Types: deb\nURIs: http://b\nSuites: trixie\n");
    write_file_atomically(etc.path() / "sources.list.d/c.list.disabled", "deb http://c sid main\n");
    EXPECT_EQ(shown(load_apt_sources(etc.path())), "http://a sid\nhttp://b trixie\n");
    EXPECT_TRUE(load_apt_sources(etc.path() / "none").empty());
}

}  // namespace
}  // namespace gearbox::builder
