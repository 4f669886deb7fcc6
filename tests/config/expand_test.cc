#include "config/expand.h"

#include <gtest/gtest.h>

#include <random>

namespace liteferry::config {
namespace {

const Environment kEnvironment = {
    {"NAME", "value"}, {"EMPTY", ""}, {"HOSTILE", "p#a:s\"s$w ${NAME} $$"}};

std::string TextOf(std::string_view text) {
  const Expanded expanded = Expand(text, kEnvironment);
  EXPECT_TRUE(expanded.problems.empty()) << text;
  return expanded.text;
}

TEST(Expand, PutsVariablesIn) {
  EXPECT_EQ(TextOf("a${NAME}b${NAME}"), "avaluebvalue");
  EXPECT_EQ(TextOf("${EMPTY}"), "");
}

TEST(Expand, UsesTheDefaultWhenUnsetOrEmpty) {
  EXPECT_EQ(TextOf("${MISSING:-some $ default:-x}!"), "some $ default:-x!");
  EXPECT_EQ(TextOf("${EMPTY:-fallback}"), "fallback");
  EXPECT_EQ(TextOf("${NAME:-fallback}"), "value");
  EXPECT_EQ(TextOf("${MISSING:-}"), "");
}

TEST(Expand, LeavesOtherDollarsAlone) {
  EXPECT_EQ(TextOf("$"), "$");
  EXPECT_EQ(TextOf("a$b$ c"), "a$b$ c");
  EXPECT_EQ(TextOf("$$"), "$");
  EXPECT_EQ(TextOf("$${NAME}"), "${NAME}");
  EXPECT_EQ(TextOf("$$${NAME}"), "$value");
}

TEST(Expand, DoesNotExpandWhatItPutIn) {
  EXPECT_EQ(TextOf("${HOSTILE}"), kEnvironment.at("HOSTILE"));
}

TEST(Expand, NamesEveryVariableThatIsNotSet) {
  const Expanded expanded = Expand("${ONE}:${NAME}:${TWO}", kEnvironment);
  ASSERT_EQ(expanded.problems.size(), 2U);
  EXPECT_NE(expanded.problems[0].find("ONE"), std::string::npos);
  EXPECT_NE(expanded.problems[1].find("TWO"), std::string::npos);
}

TEST(Expand, ReportsWhatIsNoVariable) {
  for (const char* text : {"${", "${NAME", "${}", "${1A}", "${A B}", "${NA-ME}", "${:-x}"}) {
    EXPECT_EQ(Expand(text, kEnvironment).problems.size(), 1U) << text;
  }
}

TEST(Expand, GivesBackWhatWasEscaped) {
  constexpr std::string_view kAlphabet = "$${}:-aN";
  std::mt19937_64 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (std::size_t n = random() % 12; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    EXPECT_EQ(TextOf(EscapeExpansion(text)), text);
  }
}

}  // namespace
}  // namespace liteferry::config
