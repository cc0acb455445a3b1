#include "rest/params.h"

#include <gtest/gtest.h>

namespace gearbox::rest {
namespace {

TEST(Forms, AreReadAsRailsReadsThem) {
    const struct {
        const char* form;
        const char* json;
    } rows[] = {
        {"", "{}"},
        {"a=1&b=two", R"({"a":"1","b":"two"})"},
        {"a=1&a=2", R"({"a":"2"})"},
        {"a=x+y%20z%26", R"({"a":"x y z&"})"},
        {"a", R"({"a":""})"},
        {"a[]=1&a[]=2", R"({"a":["1","2"]})"},
        {"a[b]=1&a[c]=2", R"({"a":{"b":"1","c":"2"}})"},
        {"c[][name]=php&c[][name]=mysql", R"({"c":[{"name":"php"},{"name":"mysql"}]})"},
        {"c[][name]=php&c[][size]=s&c[][name]=mysql",
         R"({"c":[{"name":"php","size":"s"},{"name":"mysql"}]})"},
        {"%61=%C3%A4", "{\"a\":\"\xc3\xa4\"}"},
        {"&&a=1&", R"({"a":"1"})"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(parse_form(row.form), parse_json(row.json)) << row.form;
    }
}

TEST(Forms, RefuseWhatContradictsItself) {
    std::string many;
    for (int i = 0; i < 1001; ++i) {
        many += "a[]=1&";
    }
    for (const std::string& form :
         {std::string("a=%"), std::string("a=%2"), std::string("a=%zz"), std::string("a=%ff"),
          std::string("=1"), std::string("[a]=1"), std::string("a[=1"), std::string("a]b[c]d=1"),
          std::string("a[b]c=1"), std::string("a=1&a[]=2"), std::string("a=1&a[b]=2"),
          std::string("a[]=1&a[b]=2"), std::string("a[][][][][][][][][][]=1"), many}) {
        try {
            parse_form(form);
            // "a]b[c]d" is an odd name, not a broken one.
            EXPECT_EQ(form, "") << "was read";
        } catch (const HttpError& error) {
            EXPECT_EQ(error.status, 400);
        }
    }
}

TEST(MediaTypes, HaveParameters) {
    EXPECT_EQ(media_parameter("application/json;version=1.7", "version"), "1.7");
    EXPECT_EQ(media_parameter("application/json; Version = 1.6 ; nolinks", "version"), "1.6");
    EXPECT_EQ(media_parameter("application/json; version=1.6; nolinks", "nolinks"), "");
    EXPECT_EQ(media_parameter("text/html, application/json;version=1.2", "version"), "1.2");
    EXPECT_EQ(media_parameter("text/html;q=0.5, application/json;version=1.2, */*", "version"), "1.2");
    EXPECT_FALSE(media_parameter("application/json", "version"));
    EXPECT_FALSE(media_parameter("", "version"));
    EXPECT_FALSE(media_parameter(";;;,,;", "version"));
}

}  // namespace
}  // namespace gearbox::rest
