#include "replication/target/json_syntax.h"

#include <gtest/gtest.h>

#include <string>

namespace liteferry::target {
namespace {

TEST(JsonSyntaxTest, TakesWhatTheStandardTakes) {
  for (const char* text :
       {"1", "-0", "0.5", "1e5", "-1.25E-07", "\"\"", "true", "false", "null", "{}", "[]", " [ ] ",
        "[1, [2], {\"a\": [null]}]", "{\"a\":1,\"a\":2}", "\t\r\n\"\\u00e9\\n\\/\"", "\"\x7f\""}) {
    EXPECT_TRUE(IsJson(text, false)) << text;
    EXPECT_TRUE(IsJson(text, true)) << text;
  }
}

TEST(JsonSyntaxTest, RefusesTheRest) {
  for (const char* text : {"",
                           " ",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "-",
                           "nul",
                           "True",
                           "'a'",
                           "\"a",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "{",
                           "}",
                           "[1",
                           "[1,]",
                           "[,1]",
                           "{\"a\"}",
                           "{a:1}",
                           "{\"a\":1,}",
                           "[1}",
                           "{\"a\":}",
                           "1 2",
                           "[] []",
                           "{\"a\" 1}",
                           "truex",
                           "1a",
                           "\xef\xbb\xbf"
                           "1",
                           "//"}) {
    EXPECT_FALSE(IsJson(text, false)) << text;
    EXPECT_FALSE(IsJson(text, true)) << text;
  }
}

TEST(JsonSyntaxTest, OnlyJsonbLooksAtEscapedCharacters) {
  for (const char* text : {"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"",
                           "\"\\ud800\\n\"", "\"\\ud800\\ud800\""}) {
    EXPECT_TRUE(IsJson(text, false)) << text;
    EXPECT_FALSE(IsJson(text, true)) << text;
  }
  EXPECT_TRUE(IsJson("\"\\ud83d\\ude00\"", true));
}

TEST(JsonSyntaxTest, DepthIsNoProblem) {
  EXPECT_TRUE(IsJson(std::string(1'000'000, '[') + std::string(1'000'000, ']'), true));
}

}  // namespace
}  // namespace liteferry::target
