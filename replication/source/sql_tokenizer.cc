#include "replication/source/sql_tokenizer.h"

#include <algorithm>
#include <array>

#include "replication/base/text.h"

namespace liteferry::source {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// As SQLite: every byte from 0x80 on belongs to a name, so UTF-8 needs no decoding.
bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  Tokens Run() {
    while (SkipBlanks(), at_ < sql_.size()) Next();
    return std::move(tokens_);
  }

 private:
  char Peek(std::size_t ahead) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void SkipBlanks() {
    for (;;) {
      while (at_ < sql_.size() && IsSpace(sql_[at_])) ++at_;
      if (Peek(0) == '-' && Peek(1) == '-') {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (Peek(0) == '/' && Peek(1) == '*' && at_ + 2 < sql_.size()) {
        const std::size_t end = sql_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  void Next() {
    const char c = sql_[at_];
    if (c == '\'') return Emit(TokenKind::kString, QuotedEnd(at_, '\''));
    if (c == '"' || c == '`') return Emit(TokenKind::kQuotedName, QuotedEnd(at_, c));
    if (c == '[') {
      const std::size_t end = sql_.find(']', at_);
      return Emit(TokenKind::kQuotedName, end == std::string_view::npos ? sql_.size() : end + 1);
    }
    if ((c == 'x' || c == 'X') && Peek(1) == '\'') {
      return Emit(TokenKind::kBlob, QuotedEnd(at_ + 1, '\''));
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Emit(TokenKind::kNumber, NumberEnd());
    if (IsNameByte(c)) {
      std::size_t end = at_;
      while (end < sql_.size() && IsNameByte(sql_[end])) ++end;
      return Emit(TokenKind::kWord, end);
    }
    Operator();
  }

  void Operator() {
    constexpr std::array<std::string_view, 10> kLong = {"->>", "||", "<=", ">=", "<>",
                                                        "!=",  "==", "<<", ">>", "->"};
    if (sql_[at_] == ')') depth_ = std::max(0, depth_ - 1);
    std::size_t length = 1;
    for (const std::string_view op : kLong) {
      if (sql_.substr(at_).starts_with(op)) {
        length = op.size();
        break;
      }
    }
    const bool opens = sql_[at_] == '(';
    Emit(TokenKind::kOperator, at_ + length);
    if (opens) ++depth_;
  }

  // The end of the quoted text that begins at `from`; a doubled quote stands for one.
  std::size_t QuotedEnd(std::size_t from, char quote) const {
    for (std::size_t i = from + 1; i < sql_.size(); ++i) {
      if (sql_[i] != quote) continue;
      if (i + 1 >= sql_.size() || sql_[i + 1] != quote) return i + 1;
      ++i;
    }
    return sql_.size();
  }

  // Digits, point, exponent, 0x…; also the letters that may follow wrongly, as in SQLite.
  std::size_t NumberEnd() const {
    std::size_t end = at_;
    while (end < sql_.size()) {
      const char c = sql_[end];
      const bool sign = (c == '+' || c == '-') && (sql_[end - 1] == 'e' || sql_[end - 1] == 'E') &&
                        !(Peek(0) == '0' && (Peek(1) == 'x' || Peek(1) == 'X'));
      if (!IsNameByte(c) && c != '.' && !(end > at_ && sign)) break;
      ++end;
    }
    return end;
  }

  void Emit(TokenKind kind, std::size_t end) {
    tokens_.push_back({kind, sql_.substr(at_, end - at_), at_, depth_});
    at_ = end;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Tokens tokens_;
};

// ASC and DESC may also be the name of a column: they are a direction only behind an operand.
bool EndsOperand(const Token& token) {
  return token.kind != TokenKind::kOperator || token.text == ")";
}

// [from, to) of each part of the list between the parentheses at `open`, cut at its commas.
std::vector<std::pair<std::size_t, std::size_t>> ListParts(const Tokens& tokens, std::size_t open,
                                                           std::size_t& close) {
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  const int inside = tokens[open].depth + 1;
  std::size_t from = open + 1;
  for (close = from; close < tokens.size(); ++close) {
    const Token& token = tokens[close];
    const bool end = token.IsOperator(")") && token.depth == inside - 1;
    if (end || (token.IsOperator(",") && token.depth == inside)) {
      parts.emplace_back(from, close);
      from = close + 1;
    }
    if (end) break;
  }
  return parts;
}

std::size_t FindOpen(const Tokens& tokens, std::size_t from) {
  while (from < tokens.size() && !tokens[from].IsOperator("(")) ++from;
  return from;
}

std::string GeneratedExpression(std::string_view sql, const Tokens& tokens, std::size_t from,
                                std::size_t to) {
  const int depth = tokens[from].depth;
  for (std::size_t i = from + 1; i + 1 < to; ++i) {
    if (tokens[i].depth != depth || !tokens[i].Is("AS") || !tokens[i + 1].IsOperator("(")) continue;
    std::size_t close = i + 2;
    while (close < to && !(tokens[close].IsOperator(")") && tokens[close].depth == depth)) ++close;
    return SliceText(sql, tokens, i + 2, close);
  }
  return "";
}

}  // namespace

bool Token::Is(std::string_view word) const {
  return kind == TokenKind::kWord && ToLowerAscii(text) == ToLowerAscii(word);
}

std::string Token::Unquoted() const {
  if (kind != TokenKind::kQuotedName && kind != TokenKind::kString) return std::string(text);
  const char quote = text.front();
  std::string_view inside = text.substr(1);
  if (!inside.empty()) inside.remove_suffix(1);
  if (quote == '[') return std::string(inside);
  std::string out;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    out.push_back(inside[i]);
    if (inside[i] == quote) ++i;
  }
  return out;
}

Tokens Tokenize(std::string_view sql) { return Scanner(sql).Run(); }

std::string SliceText(std::string_view sql, const Tokens& tokens, std::size_t from,
                      std::size_t to) {
  if (from >= to || to > tokens.size()) return "";
  const Token& last = tokens[to - 1];
  return std::string(sql.substr(tokens[from].at, last.at + last.text.size() - tokens[from].at));
}

IndexText ParseCreateIndex(std::string_view sql) {
  const Tokens tokens = Tokenize(sql);
  IndexText index;
  std::size_t on = 0;
  while (on < tokens.size() && !tokens[on].Is("ON")) ++on;
  const std::size_t open = FindOpen(tokens, on);
  if (open >= tokens.size()) return index;
  std::size_t close = 0;
  for (const auto& [from, end] : ListParts(tokens, open, close)) {
    std::size_t to = end;
    if (to - from > 1 && (tokens[to - 1].Is("ASC") || tokens[to - 1].Is("DESC")) &&
        EndsOperand(tokens[to - 2])) {
      --to;
    }
    index.terms.push_back(SliceText(sql, tokens, from, to));
  }
  if (close + 1 < tokens.size() && tokens[close + 1].Is("WHERE")) {
    std::size_t end = tokens.size();
    while (end > close + 2 && tokens[end - 1].IsOperator(";")) --end;
    index.where = SliceText(sql, tokens, close + 2, end);
  }
  return index;
}

std::vector<ColumnText> ParseCreateTable(std::string_view sql) {
  constexpr std::array<std::string_view, 5> kConstraint = {"CONSTRAINT", "PRIMARY", "UNIQUE",
                                                           "CHECK", "FOREIGN"};
  const Tokens tokens = Tokenize(sql);
  std::vector<ColumnText> columns;
  const std::size_t open = FindOpen(tokens, 0);
  if (open >= tokens.size()) return columns;
  std::size_t close = 0;
  for (const auto& [from, to] : ListParts(tokens, open, close)) {
    if (from >= to) break;
    // These words are reserved: unquoted they never name a column.
    const bool constraint = std::any_of(kConstraint.begin(), kConstraint.end(),
                                        [&](std::string_view w) { return tokens[from].Is(w); });
    if (constraint) break;
    columns.push_back({tokens[from].Unquoted(), GeneratedExpression(sql, tokens, from, to)});
  }
  return columns;
}

bool HasWord(const Tokens& tokens, std::string_view word) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const Token& token) { return token.Is(word); });
}

}  // namespace liteferry::source
