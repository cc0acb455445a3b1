#include "recipe_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;

std::vector<std::string> words_of(const std::string& text) {
    Problems problems;
    std::vector<std::string> texts;
    for (const Word& word : split_words({text, {"f", 1, 1}}, problems)) {
        texts.push_back(word.text);
    }
    EXPECT_EQ(problems.text(), "");
    return texts;
}

TEST(SplitWords, GroupsLikeAShell) {
    EXPECT_THAT(words_of("  lang  C.UTF-8 # the default"), ElementsAre("lang", "C.UTF-8"));
    EXPECT_THAT(words_of("a --append=\"b  c\" 'd \"e'"),
                ElementsAre("a", "--append=b  c", "d \"e"));
    EXPECT_THAT(words_of("a\\ b c#d \"x\\\"y\""), ElementsAre("a b", "c#d", "x\"y"));
    EXPECT_THAT(words_of("--empty=\"\" ''"), ElementsAre("--empty=", ""));
    EXPECT_THAT(words_of(" \t\r"), ElementsAre());
}

TEST(SplitWords, KnowsTheColumn) {
    Problems problems;
    const auto words = split_words({"  lang  C", {"f", 7, 1}}, problems);
    EXPECT_EQ(to_text(words[0].at), "f:7:3");
    EXPECT_EQ(to_text(words[1].at), "f:7:9");
}

struct BadShape {
    const char* text;
    const char* message;
};

class KickstartShape : public testing::TestWithParam<BadShape> {};

TEST_P(KickstartShape, IsExplained) {
    const Files files{{"r.ks", GetParam().text}, {"loop.ks", "%include r.ks\n"}};
    Problems problems;
    load_kickstart("r.ks", reader_of(files), problems);
    EXPECT_EQ(problems.text(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, KickstartShape,
    testing::Values(
        BadShape{"lang \"C\n",
                 "r.ks:1:6: error: the quote \" is not closed on this line\n"
                 "    add \" at the end of the value\n"},
        BadShape{"\n%end\n",
                 "r.ks:2:1: error: '%end' without a section before it\n    remove the line\n"},
        BadShape{"%packages\nx\n",
                 "r.ks:1:1: error: '%packages' has no '%end'\n"
                 "    add a line '%end' after the last line of the section\n"},
        BadShape{"%packages\n%post\n%end\n",
                 "r.ks:2:1: error: '%post' starts inside '%packages' of line 1\n"
                 "    end '%packages' with '%end' first\n"},
        BadShape{"%packges\n%end\n",
                 "r.ks:1:1: error: unknown section '%packges'\n    did you mean '%packages'?\n"},
        BadShape{"%section\n%end\n",
                 "r.ks:1:1: error: unknown section '%section'\n"
                 "    there are %packages, %pre, %post, %addon, %include and %end\n"},
        BadShape{"%onerror\ntrue\n%end\n",
                 "r.ks:1:1: error: '%onerror' cannot be used in a recipe\n"
                 "    it is for an installer: '%pre' runs before the build, '%post' in the finished tree\n"},
        BadShape{"%include\n",
                 "r.ks:1:1: error: '%include' needs exactly one file\n"
                 "    write '%include base.ks', one line a file\n"},
        BadShape{"lang C\n%include none.ks\n",
                 "r.ks:2:10: error: cannot read 'none.ks'\n"
                 "    the path is relative to the file with the '%include'\n"},
        BadShape{"%include loop.ks\n",
                 "loop.ks:1:10: error: 'r.ks' includes itself\n"
                 "    remove one of the '%include' lines\n"}));

TEST(Kickstart, IncludesRelativeToTheIncludingFile) {
    const Files files{{"a/r.ks", "%include ../b/base.ks\nlang C\n"},
                      {"b/base.ks", "%include more.ks\nkeyboard us\n"},
                      {"b/more.ks", "%packages\ngit\n%end\n"}};
    Problems problems;
    const Kickstart kickstart = load_kickstart("a/r.ks", reader_of(files), problems);
    EXPECT_EQ(problems.text(), "");
    EXPECT_THAT(kickstart.files, ElementsAre("a/r.ks", "b/base.ks", "b/more.ks"));
    ASSERT_EQ(kickstart.commands.size(), 2u);
    EXPECT_EQ(to_text(kickstart.commands[0].words[0].at), "b/base.ks:2:1");
    ASSERT_EQ(kickstart.sections.size(), 1u);
    EXPECT_EQ(to_text(kickstart.sections[0].body[0].at), "b/more.ks:2:1");
}

TEST(Kickstart, IncludesInsideASection) {
    const Files files{{"r.ks", "%packages\na\n%include list\nc\n%end\n"}, {"list", "b\n"}};
    Problems problems;
    const Kickstart kickstart = load_kickstart("r.ks", reader_of(files), problems);
    EXPECT_EQ(problems.text(), "");
    ASSERT_EQ(kickstart.sections.size(), 1u);
    EXPECT_EQ(kickstart.sections[0].body.size(), 3u);
}

TEST(Kickstart, SurvivesAnything) {
    // Whatever the bytes: problems, never a crash. A seeded generator keeps it repeatable.
    unsigned state = 1;
    const std::string alphabet = "%\n\"'\\#= -postendpackgsil\t\r";
    for (int round = 0; round < 500; ++round) {
        std::string text;
        for (int i = 0; i < 80; ++i) {
            state = state * 1664525u + 1013904223u;
            text += alphabet[(state >> 16) % alphabet.size()];
        }
        Problems problems;
        load_recipe("r.ks", reader_of({{"r.ks", text}}), problems);
        EXPECT_FALSE(problems.empty());
    }
}

}  // namespace
}  // namespace gearbox::builder
