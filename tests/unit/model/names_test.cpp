#include "model/application.h"
#include "model/names.h"

#include <gtest/gtest.h>

namespace gearbox {
namespace {

TEST(Names, ApplicationsAreLettersAndDigitsStoredLowerCase) {
    EXPECT_EQ(ApplicationName::parse("WordPress1")->text(), "wordpress1");
    EXPECT_TRUE(ApplicationName::parse(std::string(32, 'a')));
    for (const auto& bad : {std::string(), std::string(33, 'a'), std::string("a-b"),
                            std::string("a b"), std::string("ä"), std::string("a\0b", 3),
                            std::string("../x"), std::string("a\n")}) {
        EXPECT_FALSE(ApplicationName::parse(bad)) << bad;
    }
}

TEST(Names, DomainsHaveSixteenCharacters) {
    EXPECT_EQ(Namespace::parse("Demo")->text(), "demo");
    EXPECT_TRUE(Namespace::parse(std::string(16, 'z')));
    EXPECT_FALSE(Namespace::parse(std::string(17, 'z')));
    EXPECT_FALSE(Namespace::parse("my_domain"));
}

TEST(Names, CartridgesEndInAVersion) {
    for (const char* good : {"php-8.4", "mysql-5.5", "smarterclayton-redis-2.6", "a-1"}) {
        EXPECT_TRUE(CartridgeName::parse(good)) << good;
    }
    for (const char* bad : {"php", "php-", "-1", "php-8.", "php-.8", "php-8..4", "php/x-1", "p h-1"}) {
        EXPECT_FALSE(CartridgeName::parse(bad)) << bad;
    }
}

TEST(Names, VariablesAndKeysAndLogins) {
    EXPECT_TRUE(VariableName::parse("_x1"));
    EXPECT_FALSE(VariableName::parse("1x"));
    EXPECT_FALSE(VariableName::parse("A=B"));
    EXPECT_TRUE(KeyName::parse("laptop@home+1"));
    EXPECT_FALSE(KeyName::parse(".hidden"));
    EXPECT_FALSE(KeyName::parse("key.json"));
    EXPECT_TRUE(Login::parse("alice@example.org"));
    EXPECT_FALSE(Login::parse("-rf"));
    EXPECT_FALSE(Login::parse("a:b"));
}

constexpr const char* quickstarts = "/usr/share/gearbox/quickstarts";

TEST(GitSource, SchemesOfTheContractAreAccepted) {
    for (const char* good :
         {"https://example.org/a.git", "git://h/a", "ssh://u@h/a", "git@example.org:team/app.git",
          "file:///usr/share/gearbox/quickstarts/wordpress/wordpress.git"}) {
        EXPECT_TRUE(parse_git_source(good, quickstarts)) << good;
    }
    const auto source = parse_git_source("https://example.org/a.git#v1.2", quickstarts);
    ASSERT_TRUE(source);
    EXPECT_EQ(source->url, "https://example.org/a.git");
    EXPECT_EQ(source->branch, "v1.2");
}

TEST(GitSource, AnythingElseIsRefused) {
    for (const char* bad :
         {"", "empty", "file:///etc", "file:///usr/share/gearbox/quickstarts/../../../../etc",
          "/etc/passwd", "--upload-pack=x", "ext::sh -c id", "https://a b/", "https://x/#-o",
          "https://x/#a..b", "https://x/#", "javascript:alert(1)", "https://x/\n"}) {
        EXPECT_FALSE(parse_git_source(bad, quickstarts)) << bad;
    }
}

}  // namespace
}  // namespace gearbox
