#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::source {

enum class TokenKind : std::uint8_t {
  kWord,        // a keyword or an unquoted name
  kQuotedName,  // "x", [x] or `x`
  kString,      // 'x'
  kBlob,        // x'00'
  kNumber,
  kOperator,  // one punctuation token: ( ) , ; . + || -> …
};

struct Token {
  TokenKind kind = TokenKind::kOperator;
  std::string_view text;  // as written, with its quotes
  std::size_t at = 0;     // offset of text in the statement
  int depth = 0;          // parentheses open around it; a pair has the depth of what is outside

  bool Is(std::string_view word) const;  // an unquoted word, ASCII case ignored
  bool IsOperator(std::string_view op) const { return kind == TokenKind::kOperator && text == op; }
  bool IsName() const { return kind == TokenKind::kWord || kind == TokenKind::kQuotedName; }
  // What it means, without quotes: a name as it is, a string's contents.
  std::string Unquoted() const;
};

// Splits SQLite's SQL as SQLite does; leaves out blanks and comments. Takes any bytes: what is no
// token of SQLite becomes an operator of one byte. The tokens point into `sql`.
std::vector<Token> Tokenize(std::string_view sql);

using Tokens = std::vector<Token>;

// `sql` from the first of tokens[from, to) to the last, without comments before or behind; "" when
// empty.
std::string SliceText(std::string_view sql, const Tokens& tokens, std::size_t from, std::size_t to);

// The parts of a CREATE INDEX statement as sqlite_schema holds it.
struct IndexText {
  std::vector<std::string> terms;  // expressions, without ASC and DESC
  std::string where;               // of a partial index
};
IndexText ParseCreateIndex(std::string_view sql);

// One column of a CREATE TABLE statement, in the order of the statement.
struct ColumnText {
  std::string name;
  std::string generated;  // expression of a generated column, without its parentheses
};
std::vector<ColumnText> ParseCreateTable(std::string_view sql);

// Whether `tokens` hold the unquoted word `word`.
bool HasWord(const Tokens& tokens, std::string_view word);

}  // namespace liteferry::source
