#include "replication/source/sql_tokenizer.h"

#include <gmock/gmock.h>

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Texts(std::string_view sql) {
  std::vector<std::string> texts;
  for (const Token& token : Tokenize(sql)) texts.emplace_back(token.text);
  return texts;
}

TEST(SqlTokenizer, KnowsAllFourQuotes) {
  const Tokens tokens = Tokenize(R"("a""b" [c ]d] `e``f` 'it''s' x'0A')");
  ASSERT_EQ(tokens.size(), 7U);
  EXPECT_EQ(tokens[0].Unquoted(), "a\"b");
  EXPECT_EQ(tokens[1].Unquoted(), "c ");
  EXPECT_TRUE(tokens[2].Is("D"));
  EXPECT_EQ(tokens[3].text, "]");
  EXPECT_EQ(tokens[4].Unquoted(), "e`f");
  EXPECT_EQ(tokens[5].Unquoted(), "it's");
  EXPECT_EQ(tokens[5].kind, TokenKind::kString);
  EXPECT_EQ(tokens[6].kind, TokenKind::kBlob);
}

TEST(SqlTokenizer, LeavesOutComments) {
  EXPECT_THAT(Texts("a--x ' \n/* ( */b/**/c--"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Texts("a - -b /* open"), ElementsAre("a", "-", "-", "b"));
}

TEST(SqlTokenizer, SplitsNumbersAndOperators) {
  EXPECT_THAT(Texts("1.5e-3+.5||x->>'$'<>0x1F-2"),
              ElementsAre("1.5e-3", "+", ".5", "||", "x", "->>", "'$'", "<>", "0x1F", "-", "2"));
}

TEST(SqlTokenizer, TakesUnicodeForNames) {
  EXPECT_THAT(Texts("таблица+日本"), ElementsAre("таблица", "+", "日本"));
}

TEST(SqlTokenizer, CountsParentheses) {
  const Tokens tokens = Tokenize("a(b(c)d)e");
  std::vector<int> depths;
  for (const Token& token : tokens) depths.push_back(token.depth);
  EXPECT_THAT(depths, ElementsAre(0, 0, 1, 1, 2, 1, 1, 0, 0));
}

TEST(SqlTokenizer, GivesDisjointPiecesOfAnyBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    const std::string sql = "a " + one + " b" + one;
    std::size_t end = 0;
    for (const Token& token : Tokenize(sql)) {
      EXPECT_GE(token.at, end) << byte;
      EXPECT_FALSE(token.text.empty()) << byte;
      EXPECT_EQ(sql.substr(token.at, token.text.size()), token.text) << byte;
      end = token.at + token.text.size();
    }
    EXPECT_LE(end, sql.size());
  }
}

TEST(ParseCreateIndex, FindsTermsAndWhere) {
  const IndexText index = ParseCreateIndex(
      "CREATE UNIQUE INDEX \"on (x\" ON \"t(,\"(lower(a, ')') DESC, \"b,\" COLLATE nocase asc, "
      "desc, a + desc, c/*, */ -- x\n) WHERE a > ',' AND (b IS NOT NULL) -- end");
  EXPECT_THAT(index.terms,
              ElementsAre("lower(a, ')')", "\"b,\" COLLATE nocase", "desc", "a + desc", "c"));
  EXPECT_EQ(index.where, "a > ',' AND (b IS NOT NULL)");
  EXPECT_EQ(ParseCreateIndex("CREATE INDEX i ON t(a)").where, "");
}

TEST(ParseCreateTable, FindsGeneratedColumns) {
  const std::vector<ColumnText> columns = ParseCreateTable(
      "CREATE TABLE \"t(\"(a DECIMAL(10,2) DEFAULT (1+(2)), [b] TEXT GENERATED ALWAYS AS (a||')')"
      " VIRTUAL CHECK(b AS 1), 'c' AS (a -- x\n + (1)) STORED, \"primary\" x, PRIMARY KEY(a), "
      "CHECK(a<>1))");
  ASSERT_EQ(columns.size(), 4U);
  EXPECT_EQ(columns[0].generated, "");
  EXPECT_EQ(columns[1].name, "b");
  EXPECT_EQ(columns[1].generated, "a||')'");
  EXPECT_EQ(columns[2].name, "c");
  EXPECT_EQ(columns[2].generated, "a -- x\n + (1)");
  EXPECT_EQ(columns[3].name, "primary");
}

}  // namespace
}  // namespace liteferry::source
