#include "replication/source/ddl_cursor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "replication/base/error.h"

namespace liteferry::source {
namespace {

// Reserved words that end the type of a column; unquoted they are no part of a type.
constexpr std::array<std::string_view, 12> kAfterType = {
    "CONSTRAINT", "PRIMARY",    "NOT", "NULL", "UNIQUE",     "CHECK",
    "DEFAULT",    "REFERENCES", "AS",  "ON",   "DEFERRABLE", "COLLATE"};

}  // namespace

const Token DdlCursor::kNothing{TokenKind::kOperator, "", 0, 0};

const Token& DdlCursor::Next() {
  if (AtEnd()) Fail("more");
  return tokens_[at_++];
}

bool DdlCursor::Take(std::string_view word) {
  if (!Sees(word)) return false;
  ++at_;
  return true;
}

bool DdlCursor::TakeOperator(std::string_view op) {
  if (!SeesOperator(op)) return false;
  ++at_;
  return true;
}

bool DdlCursor::TakeWords(std::initializer_list<std::string_view> words) {
  std::size_t ahead = 0;
  for (const std::string_view word : words) {
    if (!Sees(word, ahead++)) return false;
  }
  at_ += words.size();
  return true;
}

void DdlCursor::Expect(std::string_view word) {
  if (!Take(word)) Fail(word);
}

void DdlCursor::ExpectOperator(std::string_view op) {
  if (!TakeOperator(op)) Fail(op);
}

std::string DdlCursor::ExpectName() {
  if (AtEnd() || (!Peek().IsName() && Peek().kind != TokenKind::kString)) Fail("a name");
  return Next().Unquoted();
}

void DdlCursor::SkipToClose() {
  for (int open = 1; open > 0;) {
    const Token& token = Next();
    if (token.IsOperator("(")) ++open;
    if (token.IsOperator(")")) --open;
  }
}

void DdlCursor::Fail(std::string_view wanted) const {
  const std::string found = AtEnd() ? "its end" : "\"" + std::string(Peek().text) + "\"";
  const std::string where = AtEnd() ? "" : " at byte " + std::to_string(Peek().at);
  throw Error(
      Disposition::kStop, Component::kSource,
      "cannot read the definition: found " + found + where + " instead of " + std::string(wanted))
      .Exit(ExitCode::kDataError);
}

std::string ReadTypeName(DdlCursor& cursor) {
  const std::size_t from = cursor.position();
  const auto is_part = [&] {
    const Token& token = cursor.Peek();
    if (token.kind == TokenKind::kString || token.kind == TokenKind::kQuotedName) return true;
    if (cursor.Sees("GENERATED") && cursor.Sees("ALWAYS", 1)) return false;
    return token.kind == TokenKind::kWord &&
           std::none_of(kAfterType.begin(), kAfterType.end(),
                        [&](auto word) { return token.Is(word); });
  };
  while (!cursor.AtEnd() && is_part()) cursor.Next();
  if (cursor.position() > from && cursor.TakeOperator("(")) cursor.SkipToClose();
  return cursor.TextFrom(from);
}

std::string QualifiedName(DdlCursor& cursor) {
  std::string name = cursor.ExpectName();
  if (cursor.TakeOperator(".")) name = cursor.ExpectName();
  return name;
}

void SkipExistence(DdlCursor& cursor) { cursor.TakeWords({"IF", "NOT", "EXISTS"}); }

void SkipDirection(DdlCursor& cursor) {
  if (!cursor.Take("ASC")) cursor.Take("DESC");
  if (cursor.Take("NULLS")) cursor.Next();
}

IndexTermDefinition ReadIndexTerm(DdlCursor& cursor) {
  IndexTermDefinition term;
  term.expression = ReadExpression(cursor);
  if (term.expression.kind == ExprKind::kCollate) {
    term.collation = term.expression.text;
    Expr inner = std::move(term.expression.parts.front());
    term.expression = std::move(inner);
  }
  term.descending = cursor.Sees("DESC");
  SkipDirection(cursor);
  return term;
}

std::string UpperAscii(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

}  // namespace liteferry::source
